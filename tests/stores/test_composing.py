"""Several changes of one context in one write."""

import pytest

from gateway.context import AgentContext
from gateway.errors import PayloadTooLarge, VersionConflict
from gateway.interfaces import Stored
from gateway.stores.composing import Composed, Step, compose
from gateway.stores.record import (
    MAX_RECORD_BYTES,
    REMEMBERED_OPERATIONS,
    Record,
    decode_record,
    is_out_of_sight,
)
from tests.support.contexts import Apply, a_context, append, delete, tools_of

BEFORE = Record(version=3, operations=("three", "two"), named=True, context=a_context())


def of(before: Record | None, *steps: Step) -> Composed:
    return compose(before, list(steps), None)


def names(composed: Composed) -> list[str]:
    assert composed.after is not None
    return tools_of(composed.after.context)


def refuse(_now: AgentContext | None) -> AgentContext | None:
    raise LookupError("no such step")


@pytest.mark.parametrize("before", [None, BEFORE], ids=["absent", "there"])
def test_changes_follow_each_other_and_each_hears_of_its_own_state(before: Record | None) -> None:
    changes = [append(name) for name in ("one", "two", "three")]
    composed = of(before, *(Step(change=change) for change in changes))
    first = 4 if before else 1
    versions = [outcome.version for outcome in composed.outcomes if isinstance(outcome, Stored)]
    assert versions == [first, first + 1, first + 2]
    assert names(composed) == ["one", "two", "three"]
    assert composed.after is not None
    ids = [change.operation_id for change in reversed(changes)]
    assert list(composed.after.operations[:3]) == ids
    assert composed.data is not None
    assert decode_record(composed.data) == composed.after


def test_what_fails_fails_alone() -> None:
    composed = of(
        BEFORE,
        Step(change=append("one")),
        Step(change=Apply(step=refuse)),
        Step(change=append("not"), expected=3),
        Step(change=append("two"), expected=4),
    )
    kinds = [type(outcome) for outcome in composed.outcomes]
    assert kinds == [Stored, LookupError, VersionConflict, Stored]
    assert names(composed) == ["one", "two"]


def test_a_change_that_is_there_counts_once() -> None:
    change = append("once")
    composed = of(BEFORE, Step(change=change), Step(change=change), Step(change=append("two")))
    assert names(composed) == ["once", "two"]
    assert composed.outcomes[0] == composed.outcomes[1]


def test_no_more_changes_than_a_record_remembers() -> None:
    composed = of(BEFORE, *(Step(change=append()) for _ in range(REMEMBERED_OPERATIONS + 1)))
    assert len(composed.outcomes) == REMEMBERED_OPERATIONS


@pytest.mark.parametrize(
    ("steps", "outcomes"),
    [([delete(), append()], 1), ([append(), delete()], 1), ([Apply(step=refuse), delete()], 2)],
    ids=["first", "after_a_write", "after_a_fault"],
)
def test_a_deletion_is_alone(steps: list[Apply], outcomes: int) -> None:
    composed = of(BEFORE, *(Step(change=step) for step in steps))
    assert len(composed.outcomes) == outcomes
    assert composed.writes


def test_where_nothing_changes_nothing_is_written() -> None:
    assert not of(None, Step(change=delete())).writes
    assert not of(BEFORE, Step(change=Apply(step=refuse))).writes


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_change_that_makes_it_too_large_fails_alone(place: int) -> None:
    too_large = a_context("x" * MAX_RECORD_BYTES)
    steps = [Step(change=append(str(number))) for number in range(2)]
    steps.insert(place, Step(change=Apply(step=lambda _now: too_large)))
    record, outcomes = BEFORE, list[object]()
    while len(outcomes) < len(steps):
        composed = of(record, *steps[len(outcomes) :])
        outcomes += composed.outcomes
        record = composed.after or record
    assert [type(outcome) for outcome in outcomes].count(PayloadTooLarge) == 1
    assert isinstance(outcomes[place], PayloadTooLarge)
    assert tools_of(record.context) == ["0", "1"]


@pytest.mark.parametrize(
    ("version", "operations", "hidden"),
    [(5, 2, False), (6, 2, False), (7, 2, True), (4, 4, False), (1, 1, False)],
    ids=["seen", "just_seen", "just_not", "the_same", "made_anew"],
)
def test_what_lies_too_far_back_is_out_of_sight(
    version: int, operations: int, hidden: bool
) -> None:
    now = Record(version=version, operations=("x",) * operations, named=True, context=a_context())
    assert is_out_of_sight(4, now) is hidden
    assert not is_out_of_sight(4, None)
