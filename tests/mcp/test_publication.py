"""Tools in each revision's words."""

import gc
import json
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from gateway.catalog import (
    NO_ADDITIONS,
    Additions,
    Catalog,
    Make,
    NativeTool,
    ToolOverride,
    View,
    read_catalog,
)
from gateway.catalog.annotations import hints_of
from gateway.mcp import describe_tool
from gateway.mcp.icon import ICON
from gateway.mcp.pages import UnknownCursor
from gateway.mcp.publication import ToolPages
from gateway.mcp.revisions import (
    LEGACY,
    V2024_11_05,
    V2025_03_26,
    V2025_11_25,
    V2026_07_28,
    Revision,
)
from gateway.openapi import read_description
from tests.support.mcp_core import DESCRIPTION, SERVER, view

REVISIONS = (*LEGACY, V2026_07_28)
OWN = NativeTool(
    name="ownTool",
    title="Own",
    description="Does it.",
    input_schema={"type": "object"},
    hints={"openWorldHint": False},
)
ADDED = Additions(context_argument=True, tools=(OWN,))


def tools(revision: object) -> dict[str, dict[str, object]]:
    page = ToolPages(SERVER).page(revision, view())  # type: ignore[arg-type]
    return {tool["name"]: tool for tool in json.loads(page)["tools"]}


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda revision: revision.name)
def test_every_revision_gets_what_it_knows(revision: object) -> None:
    listed = tools(revision)["listPets"]
    has_annotations = revision is not V2024_11_05
    has_titles = revision not in (V2024_11_05, V2025_03_26)
    expected = {"name", "description", "inputSchema"}
    expected |= {"annotations"} if has_annotations else set()
    expected |= {"title"} if has_titles else set()
    assert set(listed) == expected
    assert listed["inputSchema"] == {"type": "object", "additionalProperties": False}


def test_a_tool_without_a_title_has_none() -> None:
    assert "title" not in tools(V2026_07_28)["addPet"]
    assert tools(V2026_07_28)["addPet"]["description"] == "POST /pets"


@pytest.mark.parametrize(
    ("method", "hints"),
    [
        ("GET", {"readOnlyHint": True, "idempotentHint": True}),
        ("HEAD", {"readOnlyHint": True, "idempotentHint": True}),
        ("OPTIONS", {"readOnlyHint": True, "idempotentHint": True}),
        ("PUT", {"idempotentHint": True}),
        ("DELETE", {"destructiveHint": True, "idempotentHint": True}),
        ("POST", {}),
        ("PATCH", {}),
    ],
)
def test_annotations_say_what_the_method_says(method: str, hints: dict[str, bool]) -> None:
    assert hints_of(method) == {**hints, "openWorldHint": True}
    assert hints_of(method.lower()) == hints_of(method)


def test_a_page_is_encoded_once_per_revision_and_view() -> None:
    pages = ToolPages(SERVER)
    again = Catalog([read_catalog(read_description(DESCRIPTION, api="pets"))]).view()
    first = pages.page(V2025_11_25, view())
    assert pages.page(V2025_11_25, view()) is first
    assert pages.page(V2026_07_28, view()) is not first
    assert pages.page(V2025_11_25, again) is not first


def test_pages_go_when_their_view_goes() -> None:
    pages = ToolPages(SERVER)
    old = Catalog([read_catalog(read_description(DESCRIPTION, api="pets"))])
    pages.page(V2025_11_25, old.view())
    assert len(pages._pages) == 1
    del old
    gc.collect()
    assert len(pages._pages) == 0


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda revision: revision.name)
def test_the_gateway_s_own_tools_stand_at_the_end(revision: Revision) -> None:
    page = json.loads(ToolPages(SERVER, additions=ADDED).page(revision, view()))
    names = [tool["name"] for tool in page["tools"]]
    (own,) = page["tools"][-1:]

    assert names == ["addPet", "dropPet", "listPets", "setPet", "ownTool"]
    assert (own["description"], own["inputSchema"]) == ("Does it.", {"type": "object"})
    assert own.get("title") == ("Own" if revision.titles else None)
    hints = {"openWorldHint": False} | ({} if revision.titles else {"title": "Own"})
    assert own.get("annotations") == (hints if revision.annotations else None)
    for tool in page["tools"][:-1]:
        assert "ocpContextId" in tool["inputSchema"]["properties"]


def test_lists_with_and_without_additions_are_kept_apart() -> None:
    names: list[str] = []

    def recall(of: View, name: str, make: Make) -> bytes:
        names.append(name)
        return make(of)

    for additions in (NO_ADDITIONS, Additions(context_argument=True), ADDED):
        ToolPages(SERVER, additions=additions, recall=recall).page(V2026_07_28, view())

    assert len(set(names)) == 3


SEARCHING = Additions(instead=True, tools=(OWN,))


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda revision: revision.name)
def test_instead_of_all_tools_a_list_has_the_gateway_s_own(revision: Revision) -> None:
    page = json.loads(ToolPages(SERVER, additions=SEARCHING).page(revision, view()))
    assert [tool["name"] for tool in page["tools"]] == ["ownTool"]


def names_on_pages(pages: ToolPages, revision: Revision) -> list[list[str]]:
    """Page by page, as a client walks through them."""
    found: list[list[str]] = []
    cursor: object = None
    while True:
        page = json.loads(pages.page(revision, view(), cursor))
        found.append([tool["name"] for tool in page["tools"]])
        assert ("cacheScope" in page) == revision.modern
        assert "ttlMs" not in page  # which another moment has another of
        if "nextCursor" not in page:
            return found
        cursor = page["nextCursor"]


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda revision: revision.name)
def test_a_list_in_pages(revision: Revision) -> None:
    pages = ToolPages(SERVER, additions=ADDED, page_size=2)
    expected = [["addPet", "dropPet"], ["listPets", "setPet"], ["ownTool"]]
    assert names_on_pages(pages, revision) == expected


def test_each_page_is_encoded_once() -> None:
    pages = ToolPages(SERVER, page_size=3)
    first = pages.page(V2025_11_25, view())
    cursor = json.loads(first)["nextCursor"]
    second = pages.page(V2025_11_25, view(), cursor)
    assert pages.page(V2025_11_25, view(), "") is first
    assert pages.page(V2025_11_25, view(), cursor) is second
    assert pages.page(V2026_07_28, view(), cursor) is not second


def test_a_cursor_ends_with_what_it_was_given_out_for() -> None:
    cursor = json.loads(ToolPages(SERVER, page_size=2).page(V2025_11_25, view()))["nextCursor"]
    other = Catalog([read_catalog(read_description(DESCRIPTION, api="cats"))]).view()
    for pages, of in (
        (ToolPages(SERVER), view()),
        (ToolPages(SERVER, page_size=2, additions=ADDED), view()),
        (ToolPages(SERVER, page_size=2), Catalog([]).view()),
    ):
        with pytest.raises(UnknownCursor):
            pages.page(V2025_11_25, of, cursor)
    # What it was given out for is what stands in the list, whoever it belongs to.
    assert other.digest == view().digest
    ToolPages(SERVER, page_size=2).page(V2025_11_25, other, cursor)


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda revision: revision.name)
def test_the_gateway_introduces_itself_as_far_as_the_revision_goes(revision: Revision) -> None:
    told = SERVER.implementation(revision)
    extra = {"title"} if revision.titles else set()
    extra |= {"description", "icons"} if revision.icons else set()
    assert set(told) == {"name", "version"} | extra
    assert SERVER.info.keys() == {"name", "version"}


def test_the_icon_needs_nobody_else() -> None:
    kind, _, text = str(ICON["src"]).partition(",")
    assert kind == "data:image/svg+xml"
    root = ElementTree.fromstring(unquote(text))  # noqa: S314 - our own text
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(str(ICON["src"])) < 400


ANSWERING = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1"},
    "paths": {
        "/pets": {
            "get": {
                "operationId": "listPets",
                "responses": {
                    "200": {
                        "description": "ok",
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"type": "string"}}
                            }
                        },
                    }
                },
            },
            "delete": {"operationId": "dropPets", "responses": {"204": {"description": "ok"}}},
        }
    },
}


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda revision: revision.name)
@pytest.mark.parametrize("wanted", [True, False])
def test_what_a_tool_answers_is_published_where_it_is_wanted_and_known(
    revision: Revision, wanted: bool
) -> None:
    answering = Catalog([read_catalog(read_description(ANSWERING, api="pets"))])
    pages = ToolPages(SERVER, additions=Additions(output_schemas=wanted))
    listed = json.loads(pages.page(revision, answering.view()))["tools"]
    schemas = {tool["name"]: tool.get("outputSchema") for tool in listed}
    assert schemas["dropPets"] is None
    assert (schemas["listPets"] is not None) == (wanted and revision.structured)


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda revision: revision.name)
def test_headers_of_arguments_are_for_modern_lists_that_have_the_tool(revision: Revision) -> None:
    override = ToolOverride(mcp_headers={"id": "Pet-Id"})
    pets = Catalog(
        [read_catalog(read_description(DESCRIPTION, api="pets"), overrides={"dropPet": override})]
    ).view()
    for additions in (NO_ADDITIONS, Additions(instead=True)):
        named = describe_tool("dropPet", pets.tools["dropPet"], revision, additions)
        schema = named["inputSchema"]
        assert isinstance(schema, dict)
        header = schema["properties"]["id"].get("x-mcp-header")
        told = revision.modern and not additions.instead
        assert header == ("Pet-Id" if told else None)
    assert "x-mcp-header" not in json.dumps(pets.tools["dropPet"].input_schema)
