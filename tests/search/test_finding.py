"""Questions to a view, and the tools that they find."""

import asyncio
import gc
import threading
from collections.abc import Mapping
from weakref import ref

import pytest

from gateway.catalog import Catalog, ToolOverride, View, read_catalog
from gateway.openapi import read_description
from gateway.search import FullTextSearch, finding
from gateway.search.index import ToolIndex
from tests.support.tools import DONE, TEXT, api_of, parameter


def operation(operation_id: str, summary: str, **more: object) -> dict[str, object]:
    return {"operationId": operation_id, "summary": summary, "responses": DONE, **more}


PETS = {
    "/pets": {
        "get": operation("listPets", "List all pets", tags=["Shop floor"]),
        "post": operation("addPet", "Add a pet", description="A new animal, with its papers."),
    },
    "/pets/{petId}": {
        "parameters": [parameter("petId", "path", TEXT)],
        "get": operation("getPet", "Read one pet"),
        "delete": operation("dropPet", "Delete a pet"),
        "put": operation(
            "feedPet",
            "Feed a pet",
            parameters=[parameter("portion", "query", TEXT, description="In kilograms.")],
        ),
    },
    "/查询": {"get": operation("search-orders", "查询订单状态")},
}
ORDERS = {
    "/orders": {"get": operation("listOrders", "List orders"), "post": operation("x", "Order pets")}
}


def view_of(**overrides: ToolOverride) -> View:
    document = {"openapi": "3.1.0", "info": {"title": "pets", "version": "1"}, "paths": PETS}
    pets = read_catalog(read_description(document, api="pets"), overrides=overrides)
    return Catalog([pets, api_of(ORDERS, name="orders")]).view()


VIEW = view_of()
INDEX = ToolIndex(VIEW)


@pytest.mark.parametrize(
    ("question", "first"),
    [
        pytest.param("listPets", "listPets", id="its very name"),
        pytest.param("list pets", "listPets", id="words of the name"),
        pytest.param("How can I delete a pet?", "dropPet", id="a sentence"),
        pytest.param("deleting", "dropPet", id="another form of the word"),
        pytest.param("anim", "addPet", id="the beginning of a word, in the description"),
        pytest.param("kilograms", "feedPet", id="a word about an argument"),
        pytest.param("portion", "feedPet", id="an argument"),
        pytest.param("floor", "listPets", id="a tag"),
        pytest.param("LIST ORDERS", "listOrders", id="case"),
        pytest.param("订单", "searchOrders", id="part of a text without spaces"),
    ],
)
def test_what_fits_best_comes_first(question: str, first: str) -> None:
    assert INDEX.find(question)[0] == first


def test_tools_of_one_api_only() -> None:
    assert set(INDEX.find("pets")) == {
        "addPet", "dropPet", "feedPet", "getPet", "listPets", "x", "searchOrders",
    }  # fmt: skip
    assert INDEX.find("pets", "orders") == ("x",)
    assert INDEX.find("pets", "nobody") == ()


@pytest.mark.parametrize("question", ["", "the", "zebra", '" OR tools MATCH "q', "*", "NOT"])
def test_what_nothing_fits_finds_nothing(question: str) -> None:
    assert INDEX.find(question) == ()


def test_order_does_not_depend_on_the_document() -> None:
    turned: Mapping[str, object] = dict(reversed(PETS.items()))
    again = Catalog([api_of(ORDERS, name="orders"), api_of(turned, name="pets")]).view()
    assert ToolIndex(again).find("pet list") == INDEX.find("pet list")


def test_a_tool_is_found_under_the_name_that_the_configuration_gives() -> None:
    renamed = ToolIndex(view_of(dropPet=ToolOverride(name="sayGoodbye")))
    assert renamed.find("goodbye") == ("sayGoodbye",)
    assert renamed.find("drop")[0] == "sayGoodbye"


def test_what_is_hidden_is_not_found() -> None:
    assert "dropPet" not in ToolIndex(view_of(dropPet=ToolOverride(hidden=True))).find("pet")


async def test_an_index_is_made_once_and_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    makers: list[threading.Thread] = []

    def make(view: View) -> ToolIndex:
        makers.append(threading.current_thread())
        return ToolIndex(view)

    monkeypatch.setattr(finding, "ToolIndex", make)
    search = FullTextSearch()

    found = await asyncio.gather(*(search.find(VIEW, "list pets") for _ in range(5)))
    await search.find(VIEW, "orders", api="orders")

    assert [names[0] for names in found] == ["listPets"] * 5
    assert len(makers) == 1
    assert makers[0] is not threading.main_thread()


async def test_an_index_goes_with_its_view() -> None:
    search, view = FullTextSearch(), view_of()
    await search.find(view, "pets")
    gone, index = ref(view), ref(search._indexes[view])
    del view
    gc.collect()
    assert (gone(), index()) == (None, None)
