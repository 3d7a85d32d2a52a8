"""What an operation says of contexts, as its tool shows it."""

from collections.abc import Mapping

import pytest

from gateway.catalog import Tool, ToolOverride, read_catalog, recall, summarise
from gateway.catalog.tool import MAX_DESCRIPTION, REQUIRES_CONTEXT
from gateway.openapi import Document, OcpSupport, read_description

NEEDY = {"requires_context": True}


def tool_of(
    operation: Mapping[str, object],
    override: ToolOverride = ToolOverride(),  # noqa: B008 - a frozen value
    info: Mapping[str, object] | None = None,
) -> Tool:
    root = {
        "openapi": "3.1.0",
        "info": info or {},
        "paths": {"/a": {"get": {"operationId": "a", "responses": {}, **operation}}},
    }
    description = read_description(root, api="shop")
    return read_catalog(description, overrides={"a": override}).tools["a"]


@pytest.mark.parametrize(
    "override",
    [ToolOverride(), ToolOverride(description="In our words")],
    ids=["described", "configured"],
)
def test_a_tool_that_needs_a_context_says_so_last(override: ToolOverride) -> None:
    tool = tool_of({"summary": "Get A", "x-ocp-context": NEEDY}, override)

    words = override.description or "Get A"
    assert tool.description == f"{words}\n\n{REQUIRES_CONTEXT}"


def test_a_long_description_does_not_push_the_need_out() -> None:
    tool = tool_of({"description": "x" * 20_000, "x-ocp-context": NEEDY})

    assert len(tool.description) == MAX_DESCRIPTION
    assert tool.description.endswith(f"\n\n{REQUIRES_CONTEXT}")


@pytest.mark.parametrize(
    "use",
    [
        NEEDY,
        {"enhances_with": ["session"]},
        {"enhances_with": []},
        {"updates_context": ["current_goal"]},
    ],
    ids=str,
)
def test_what_is_said_of_contexts_is_part_of_the_digest(use: Mapping[str, object]) -> None:
    assert tool_of({"x-ocp-context": use}).digest != tool_of({}).digest


@pytest.mark.parametrize("use", [{}, {"requires_context": False}, {"updates_context": []}], ids=str)
def test_saying_what_holds_anyway_changes_no_digest(use: Mapping[str, object]) -> None:
    assert tool_of({"x-ocp-context": use}).digest == tool_of({}).digest


def test_the_words_of_an_aware_api_are_in_the_digest_of_its_tools() -> None:
    assert tool_of({}, info={"x-ocp-context-aware": True}).digest != tool_of({}).digest


def test_a_recalled_catalog_says_the_same_of_the_api_and_of_contexts() -> None:
    root = {
        "openapi": "3.1.0",
        "info": {"description": "Sells", "x-ocp-context-aware": True, "x-ocp-version": "1.0"},
        "paths": {"/a": {"get": {"x-ocp-context": NEEDY, "responses": {}}}},
    }
    made = read_catalog(read_description(root, api="shop"))
    again = recall(summarise(made), Document(root), api="shop", overrides={})

    assert again.ocp == made.ocp == OcpSupport(context_aware=True, version="1.0")
    assert again.about == made.about == "Sells"
    (tool,) = again.tools.values()
    assert tool.context == made.tools[tool.name].context
    assert tool.context.requires_context
