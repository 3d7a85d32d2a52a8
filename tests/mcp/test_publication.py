"""Tools in each revision's words."""

import gc
import json

import pytest

from gateway.catalog import (
    NO_ADDITIONS,
    Additions,
    Catalog,
    Make,
    NativeTool,
    View,
    read_catalog,
)
from gateway.mcp.publication import ToolPages, hints_of
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
