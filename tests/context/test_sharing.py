"""What of a context leaves for an API that asks for some fields, and whose history it sees."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.context import (
    AgentContext,
    CalledOperation,
    HistoryEntry,
    encode_session,
    entry_for_call,
    is_valid_context,
    new_context,
    outbound_headers,
    read_inbound,
    to_mapping,
    without_session,
)
from gateway.messages import header
from tests.support.ocp import decode_session

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def call(api: str | None, tool: str = "x") -> HistoryEntry:
    operation = None if api is None else CalledOperation(api=api, method="get", path="/x", name="x")
    return entry_for_call(now=NOW, outcome=200, milliseconds=1, tool=tool, operation=operation)


FULL = replace(
    new_context("ocp-00000000", "tester", NOW),
    user="ada",
    workspace="web",
    current_file="a.py",
    current_goal="fix it",
    context_summary="so far",
    error_context="none",
    recent_changes=("one",),
    api_specs={"pets": "http://pets.example"},
    history=(call("pets"), call("shop"), call(None, "ocpContextGet")),
)
REQUIRED = {"context_id", "agent_type", "created_at", "last_updated"}


def sent(context: AgentContext, **asked: frozenset[str] | None) -> dict[str, object]:
    """The members of the session that have a value."""
    value = header(outbound_headers(context, full=True, **asked), "OCP-Session")
    assert value is not None
    return {name: member for name, member in decode_session(value).items() if member}


def apis_sent(context: AgentContext, apis: frozenset[str] | None) -> list[object]:
    entries = sent(context, apis=apis).get("history", [])
    assert isinstance(entries, list)
    return [entry["metadata"].get("api") for entry in entries]


NAMED = ("current_goal", "workspace", "history", "current_file", "recent_changes", "error_context",
         "session")  # fmt: skip


@pytest.mark.parametrize("member", NAMED)
def test_a_field_shows_its_member_and_no_other(member: str) -> None:
    session = sent(FULL, fields=frozenset({member}))
    assert session.keys() == REQUIRED | {member}
    assert session[member] == json.loads(json.dumps(to_mapping(FULL)[member]))


@pytest.mark.parametrize(
    "fields",
    [frozenset[str](), frozenset({"user", "api_specs", "context_summary"})],
    ids=["none", "no-word-for-them"],
)
def test_without_a_field_the_required_members_go_alone(fields: frozenset[str]) -> None:
    assert sent(FULL, fields=fields).keys() == REQUIRED
    names = [name for name, _ in outbound_headers(FULL, full=True, fields=fields)]
    assert names == ["OCP-Context-ID", "OCP-Agent-Type", "OCP-Version", "OCP-Session"]


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("current_goal", {"OCP-Current-Goal"}),
        ("workspace", {"OCP-Workspace"}),
        ("session", set()),
        ("history", set()),
    ],
)
def test_a_header_goes_where_its_field_is_asked_for(field: str, names: set[str]) -> None:
    headers = outbound_headers(FULL, full=True, fields=frozenset({field}))
    claims = {"OCP-Current-Goal", "OCP-Workspace", "OCP-User"}
    assert claims & {name for name, _ in headers} == names


def test_no_list_of_fields_is_everything() -> None:
    assert sent(FULL).keys() == to_mapping(FULL).keys()
    assert header(outbound_headers(FULL, full=True), "OCP-User") == "ada"


@pytest.mark.parametrize(
    ("apis", "seen"),
    [
        (None, ["pets", "shop", None]),
        (frozenset({"pets", "shop"}), ["pets", "shop", None]),
        (frozenset({"shop"}), ["shop", None]),
        (frozenset[str](), [None]),
    ],
    ids=["all", "both", "one", "none"],
)
def test_history_is_that_of_the_callers_apis(
    apis: frozenset[str] | None, seen: list[str | None]
) -> None:
    assert apis_sent(FULL, apis) == seen


@pytest.mark.parametrize("api", [5, ["pets"], {"pets": 1}, True], ids=repr)
def test_an_entry_whose_api_is_no_name_is_shown_to_those_who_see_all(api: object) -> None:
    entry = replace(call("pets"), metadata={"api": api})
    context = replace(FULL, history=(entry, call("pets")))
    assert apis_sent(context, None) == [api, "pets"]
    assert apis_sent(context, frozenset({"pets", str(api)})) == ["pets"]


def test_a_long_history_is_filtered_before_it_is_trimmed() -> None:
    history = (call("pets", "first"), *(call("shop") for _ in range(2_000)))
    assert apis_sent(replace(FULL, history=history), frozenset({"pets"})) == ["pets"]


def test_headers_are_made_once_for_each_way_of_showing_them() -> None:
    context = replace(FULL)
    words = frozenset({"history"})
    ways: list[dict[str, frozenset[str] | None]] = [
        {},
        {"fields": words},
        {"apis": frozenset({"pets"})},
        {"fields": words, "apis": frozenset()},
    ]
    made = [outbound_headers(context, full=True, **way) for way in ways]
    again = [outbound_headers(context, full=True, **way) for way in ways]
    assert all(one is other for one, other in zip(made, again, strict=True))
    assert len(set(made)) == len(ways)
    assert outbound_headers(context, full=False) == (*made[0][:2], ("OCP-Version", "1.0"))


def test_what_was_made_belongs_to_one_value_alone() -> None:
    context = replace(FULL)
    outbound_headers(context, full=True)
    changed = replace(context, current_goal="another")
    assert changed.outbound == {}
    assert header(outbound_headers(changed, full=True), "OCP-Current-Goal") == "another"
    same = replace(context)
    assert same == context
    assert repr(same) == repr(context)


def test_what_is_kept_is_bounded() -> None:
    context = replace(FULL)
    for number in range(100):
        outbound_headers(context, full=True, apis=frozenset({f"api-{number}"}))
    assert len(context.outbound) <= 8


def test_what_an_entry_became_is_no_part_of_it() -> None:
    entry, twin = call("pets"), call("pets")
    before = repr(entry)
    assert encode_session(replace(FULL, history=(entry,))) is not None
    assert (entry, repr(entry)) == (twin, before)
    changed = replace(entry, action="other")
    session = sent(replace(FULL, history=(entry, changed)))
    assert isinstance(session["history"], list)
    assert [item["action"] for item in session["history"]] == ["tool_call:x", "other"]


def test_a_next_version_is_encoded_as_if_it_were_the_first() -> None:
    history: tuple[HistoryEntry, ...] = ()
    for number in range(150):
        history = (*history, call("pets", f"tool{number}"))
        context = replace(FULL, history=history)
        fresh = replace(FULL, history=tuple(replace(entry) for entry in history))
        assert encode_session(context) == encode_session(fresh)


def test_the_session_can_be_taken_out() -> None:
    headers = outbound_headers(FULL, full=True)
    less = without_session((*headers, ("ocp-session", "x"), ("Host", "h")))
    assert [name for name, _ in less if "session" in name.lower()] == []
    assert len(less) == len(headers)


def test_headers_of_a_response_are_read_like_those_of_a_request() -> None:
    answer = (("Content-Type", "text/plain"), *outbound_headers(FULL, full=True))
    inbound = read_inbound(answer)
    assert inbound.session is not None
    assert is_valid_context(to_mapping(inbound.session))
    assert inbound.session == FULL
    nameless = tuple(pair for pair in answer if pair[0] != "OCP-Context-ID")
    assert read_inbound(nameless).session is None
    other = (*nameless, ("OCP-Context-ID", "ocp-11111111"))
    assert read_inbound(other).rejects == ("session_id_mismatch",)
