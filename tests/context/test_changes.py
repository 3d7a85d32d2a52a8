from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.context import (
    AgentContext,
    CalledOperation,
    CallFailure,
    HistoryEntry,
    NativeOutcome,
    Outcome,
    RecordCall,
    Statement,
    entry_for_call,
    is_valid_context,
    new_context,
    to_mapping,
)
from gateway.errors import VersionConflict

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FRESH = new_context("ocp-00000000", "tester", NOW)
GET_PET = CalledOperation(api="pets", method="GET", path="/pets/{id}", name="getPet")


def entry(number: int = 0) -> HistoryEntry:
    return entry_for_call(
        now=NOW + timedelta(seconds=number),
        outcome=200,
        milliseconds=number,
        tool="getPet",
        operation=GET_PET,
    )


def record(
    number: int = 0, *, fresh: AgentContext | None = FRESH, max_history: int = 1000
) -> RecordCall:
    return RecordCall(
        operation_id=str(number), entry=entry(number), fresh=fresh, max_history=max_history
    )


def apply(change: RecordCall, now: AgentContext | None) -> AgentContext:
    after = change.apply(now)
    assert after is not None
    return after


def test_the_first_call_starts_the_context() -> None:
    after = apply(record(1), None)
    assert after.history == (entry(1),)
    assert after.session is not None
    assert after.session.interaction_count == 1
    assert after.created_at == FRESH.created_at
    assert after.last_updated == entry(1).timestamp
    assert is_valid_context(to_mapping(after))


def test_calls_follow_each_other() -> None:
    after = apply(record(2), apply(record(1), None))
    assert after.history == (entry(1), entry(2))
    assert after.session is not None
    assert after.session.interaction_count == 2


def test_an_existing_context_is_not_started_anew() -> None:
    existing = replace(FRESH, user="ada", agent_type="other")
    after = apply(record(1), existing)
    assert (after.user, after.agent_type) == ("ada", "other")


def test_a_deletion_after_the_read_wins() -> None:
    assert record(1, fresh=None).apply(None) is None


def test_a_deletion_after_the_read_wins_over_an_entry_for_the_next_context() -> None:
    late = replace(record(1, fresh=None), began=FRESH.created_at)
    assert apply(late, FRESH).history == (entry(1),)
    with pytest.raises(VersionConflict):
        late.apply(replace(FRESH, created_at="2026-01-01T00:00:00.000001Z"))


def test_a_context_without_session_gets_one() -> None:
    after = apply(record(1), replace(FRESH, session=None))
    assert after.session is not None
    assert after.session.interaction_count == 1
    assert after.session.start_time == FRESH.created_at


@pytest.mark.parametrize(("kept", "names"), [(1, [4]), (3, [2, 3, 4]), (9, [0, 1, 2, 3, 4])])
def test_the_oldest_entries_go(kept: int, names: list[int]) -> None:
    context: AgentContext | None = None
    for number in range(5):
        context = record(number, max_history=kept).apply(context)
    assert context is not None
    assert [item.metadata["ms"] for item in context.history] == names
    assert context.session is not None
    assert context.session.interaction_count == 5


def test_last_updated_never_goes_back() -> None:
    ahead = replace(FRESH, last_updated="2027-01-01T00:00:00+00:00")
    assert apply(record(1), ahead).last_updated == "2027-01-01T00:00:00+00:00"


def test_claims_entry_and_updates_are_one_step() -> None:
    existing = replace(FRESH, current_goal="old", user="ada", workspace="here")
    change = replace(
        record(1),
        claims=Statement(members={"current_goal": "new", "workspace": "there"}),
        updates=Statement(members={"context_summary": "said"}, history=(entry(0),)),
    )
    after = apply(change, existing)
    assert (after.current_goal, after.user, after.workspace) == ("new", "ada", "there")
    assert after.context_summary == "said"
    assert after.history == (entry(0), entry(1))
    assert after.session is not None
    assert after.session.interaction_count == 1


def test_a_native_tool_has_no_endpoint() -> None:
    made = entry_for_call(now=NOW, outcome=NativeOutcome.DONE, milliseconds=1, tool="ocpContextGet")
    assert (made.action, made.api_endpoint, made.result) == (
        "tool_call:ocpContextGet",
        None,
        "done",
    )
    assert made.metadata == {"ms": 1, "success": True}


def test_a_step_leaves_its_input_alone() -> None:
    before = apply(record(1), None)
    copy = to_mapping(before)
    record(2).apply(before)
    assert to_mapping(before) == copy


@pytest.mark.parametrize(
    ("outcome", "result", "success"),
    [
        (200, "HTTP 200", True),
        (304, "HTTP 304", True),
        (400, "HTTP 400", False),
        (500, "HTTP 500", False),
        (CallFailure.TIMEOUT, "timeout", False),
        (CallFailure.UNREACHABLE, "unreachable", False),
        (CallFailure.CANCELLED, "cancelled", False),
        (NativeOutcome.DONE, "done", True),
        (NativeOutcome.REFUSED, "refused", False),
    ],
)
def test_how_a_call_ended(outcome: Outcome, result: str, success: bool) -> None:
    made = entry_for_call(
        now=NOW, outcome=outcome, milliseconds=7, tool="getPet", operation=GET_PET
    )
    assert made == HistoryEntry(
        timestamp="2026-01-01T00:00:00.000000Z",
        action="tool_call:getPet",
        api_endpoint="GET /pets/{id}",
        result=result,
        metadata={"api": "pets", "operation": "getPet", "ms": 7, "success": success},
    )


@pytest.mark.parametrize(
    ("tool", "operation", "action", "endpoint"),
    [
        ("getPet", GET_PET, "tool_call:getPet", "GET /pets/{id}"),
        (None, GET_PET, "api_call_get", "GET /pets/{id}"),
        (None, replace(GET_PET, method="post", path=None), "api_call_post", None),
        ("searchTools", None, "tool_call:searchTools", None),
    ],
    ids=["tool", "proxied", "unknown_path", "native"],
)
def test_what_was_called(
    tool: str | None, operation: CalledOperation | None, action: str, endpoint: str | None
) -> None:
    made = entry_for_call(now=NOW, outcome=200, milliseconds=7, tool=tool, operation=operation)
    assert (made.action, made.api_endpoint) == (action, endpoint)


def test_names_are_bounded() -> None:
    operation = CalledOperation(api="pets", method="GET", path="/" + "p" * 9999, name="o" * 9999)
    made = entry_for_call(
        now=NOW, outcome=200, milliseconds=-3, tool="t" * 9999, operation=operation
    )
    assert len(made.action) == 128
    assert len(made.api_endpoint or "") == 512
    assert made.metadata == {"api": "pets", "operation": "o" * 128, "ms": 0, "success": True}
