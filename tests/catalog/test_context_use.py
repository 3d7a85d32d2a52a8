"""What an operation says of contexts, as its tool shows it."""

from collections.abc import Mapping
from dataclasses import fields, replace

import pytest

from gateway.catalog import Tool, ToolOverride, read_catalog, recall, summarise
from gateway.catalog.tool import MAX_DESCRIPTION, REQUIRES_CONTEXT
from gateway.context import UPDATABLE, AgentContext, HistoryEntry, SessionState
from gateway.context.sharing import with_fields
from gateway.openapi import Document, OcpSupport, extensions, read_description

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


WHOLE = AgentContext(
    context_id="ocp-00000000",
    agent_type="tester",
    created_at="2026-01-01T00:00:00Z",
    last_updated="2026-01-01T00:00:00Z",
    user="ann",
    workspace="shop",
    current_file="a.py",
    current_goal="ship",
    context_summary="begun",
    error_context="none",
    recent_changes=("one",),
    session=SessionState(start_time="2026-01-01T00:00:00Z", agent_type="tester"),
    history=(HistoryEntry(timestamp="2026-01-01T00:00:00Z", action="x"),),
    api_specs={"shop": "http://shop.test"},
)
BARE = with_fields(WHOLE, frozenset())


def test_descriptions_and_contexts_have_the_same_members_that_answers_may_change() -> None:
    """The two rooms do not know each other, so each has a list of its own."""
    assert set(extensions._UPDATABLE) == UPDATABLE


@pytest.mark.parametrize("member", extensions._ENHANCING.values())
def test_every_member_that_an_api_may_ask_for_can_be_shown(member: str) -> None:
    shown = with_fields(WHOLE, frozenset({member}))

    assert getattr(shown, member) == getattr(WHOLE, member)
    assert replace(shown, **{member: getattr(BARE, member)}) == BARE


def test_no_member_can_be_shown_that_no_api_may_ask_for() -> None:
    everything = with_fields(WHOLE, frozenset(field.name for field in fields(AgentContext)))

    hidden: dict[str, object] = {"user": None, "context_summary": None, "api_specs": {}}
    assert everything == replace(WHOLE, **hidden)  # type: ignore[arg-type]
    assert with_fields(WHOLE, frozenset(extensions._ENHANCING.values())) == everything
