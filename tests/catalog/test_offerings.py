"""What is declared, held against the catalog that there is."""

import pytest

from gateway.catalog import (
    NO_OFFERINGS,
    Catalog,
    Declared,
    Offerings,
    Prompt,
    PromptArgument,
    PromptMessage,
    ToolPart,
    matching,
    offerings_of,
    prompt_values,
    recall,
    review_declared,
    summarise,
    template_values,
)
from gateway.errors import UnknownApi
from tests.support.offerings import (
    ASK,
    DECLARED,
    GREET,
    HIDDEN,
    ITEMS,
    ONE_ITEM,
    STOCK,
    catalog,
    from_tool,
)


def everything(api: str | None = None) -> Offerings:
    return offerings_of(DECLARED, catalog(), api)


OWN_TEMPLATES = [
    "gateway://apis/{api}/openapi",
    "gateway://tools/{name}",
    "gateway://contexts/{id}",
    "gateway://results/{handle}{?start,length}",
]


def test_the_declared_ones_come_first_and_in_their_order() -> None:
    offered = everything()
    assert [offer.uri for offer in offered.resources] == [
        "test://note",
        "test://logo",
        "test://items",
        "test://stock",
        "gateway://apis/shop/openapi",
        "gateway://apis/stock/openapi",
    ]
    templates = ["test://items/{id}", "test://peek/{name}", *OWN_TEMPLATES]
    assert [offer.uri for offer in offered.templates] == templates
    assert list(offered.prompts) == ["greet", "ask"]


def test_the_view_of_one_api_has_what_it_can_read_there() -> None:
    offered = everything("stock")
    assert [offer.uri for offer in offered.resources] == [
        "test://note",
        "test://logo",
        "test://stock",
        "gateway://apis/stock/openapi",
    ]
    assert [offer.uri for offer in offered.templates] == OWN_TEMPLATES
    assert list(offered.prompts) == ["greet"]


def test_an_api_that_is_not_there_offers_nothing() -> None:
    with pytest.raises(UnknownApi):
        everything("nope")


def test_nothing_is_offered_where_there_is_nothing() -> None:
    assert (NO_OFFERINGS.resources, NO_OFFERINGS.prompts) == ((), {})


def test_a_uri_of_its_own_comes_before_a_template() -> None:
    exact = from_tool("seven", "test://items/7", "listItems")
    offered = offerings_of(Declared(resources=(ONE_ITEM, exact)), catalog())
    assert offered.find_resource("test://items/7") == (exact, {})
    assert offered.find_resource("test://items/8") == (ONE_ITEM, {"id": "8"})
    assert offered.find_resource("test://items/8/9") is None


def test_what_cannot_work_is_told_with_its_place() -> None:
    wrong = Declared(
        resources=(
            from_tool("gone", "t:gone", "nope"),
            from_tool("post", "t:post", "addItem"),
            from_tool("bare", "t:bare", "getItem"),
            from_tool("foreign", "t:{number}", "getItem"),
            ITEMS,
        ),
        prompts=(
            GREET,
            ASK,
            Prompt(
                name="asks",
                description="",
                messages=(PromptMessage(role="user", part=ToolPart(tool="ask")),),
                place="c.yaml:9",
            ),
            Prompt(
                name="gone",
                description="",
                messages=(PromptMessage(role="user", part=ToolPart(tool="nope")),),
            ),
        ),
    )
    assert list(review_declared(wrong, catalog())) == [
        ("c.yaml:gone", "resource gone: there is no tool 'nope'"),
        ("c.yaml:post", "resource post: addItem is POST, and reading must change nothing"),
        ("c.yaml:bare", "resource bare: nothing gives getItem its argument 'id'"),
        ("c.yaml:foreign", "resource foreign: getItem has no argument 'number'"),
        ("c.yaml:9", "prompt asks: nothing gives ask its argument 'name'"),
        ("", "prompt gone: there is no tool 'nope'"),
    ]


def test_what_works_is_not_told() -> None:
    assert list(review_declared(DECLARED, catalog())) == []


class TestHiddenTools:
    def test_only_the_configuration_finds_them(self) -> None:
        found = catalog()
        hidden = found.find_declared("ask")
        assert hidden is not None
        assert (hidden.method, hidden.path) == ("POST", "/secret/{name}")
        assert found.view().find("ask") is None
        assert "ask" not in found.view().tools
        assert found.find_declared("shopAsk") is hidden
        assert found.find_declared("nope") is None

    def test_what_is_published_is_found_by_every_name(self) -> None:
        found = catalog()
        assert found.find_declared("getItem") is found.find_declared("shopGetItem")

    def test_they_are_there_again_after_a_start(self) -> None:
        shop = catalog().apis["shop"]
        assert shop.document is not None
        again = recall(summarise(shop), shop.document, api="shop", overrides=HIDDEN)
        tool = Catalog([again]).find_declared("peek")
        assert tool is not None
        assert (tool.method, tool.digest) == ("GET", shop.hidden["peek"].digest)
        assert again.document is shop.document


class TestCompletion:
    def test_declared_values_come_before_the_description_s(self) -> None:
        kind = PromptArgument(name="kind", completions=("mug", "teacup"))
        pick = Prompt(
            name="pick",
            description="",
            arguments=(kind, PromptArgument(name="who")),
            messages=(PromptMessage(role="user", part=ToolPart(tool="listItems")),),
        )
        offered = offerings_of(Declared(prompts=(pick,)), catalog())
        assert prompt_values(offered, pick, "kind") == ("mug", "teacup", "cup", "Cupboard")
        assert prompt_values(offered, pick, "who") == ()
        assert prompt_values(offered, pick, "nobody") is None
        assert prompt_values(offered, GREET, "who") == ("Ann", "Bob")

    def test_values_of_a_template_are_those_of_the_tool(self) -> None:
        offered = everything()
        assert template_values(offered, ONE_ITEM.uri, "id") == ("7", "8")
        assert template_values(offered, ONE_ITEM.uri, "other") is None
        assert template_values(offered, STOCK.uri, "id") is None

    @pytest.mark.parametrize(
        ("text", "name", "values"),
        [
            ("gateway://apis/{api}/openapi", "api", ("shop", "stock")),
            ("gateway://tools/{name}", "name", ("addItem", "getItem", "listItems", "listStock")),
            ("gateway://contexts/{id}", "id", ()),
            ("gateway://results/{handle}{?start,length}", "start", ()),
            ("gateway://tools/{name}", "api", None),
        ],
    )
    def test_names_of_our_own_are_known(
        self, text: str, name: str, values: tuple[str, ...] | None
    ) -> None:
        assert template_values(everything(), text, name) == values

    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            ("", ["teacup", "cup", "Cupboard"]),
            ("CUP", ["cup", "Cupboard", "teacup"]),
            ("board", ["Cupboard"]),
            ("x", []),
        ],
        ids=["nothing", "beginnings first", "in the middle", "none"],
    )
    def test_what_begins_with_the_text_comes_first(self, typed: str, found: list[str]) -> None:
        assert matching(("teacup", "cup", "Cupboard"), typed) == found
