"""What the process remembers of the store, and for how long it answers with it."""

from dataclasses import replace

import pytest

from gateway.errors import UnreadableRecord
from gateway.stores.copies import COPY_SECONDS, Copies
from gateway.stores.record import Record, encode_record
from tests.support.contexts import a_context

KEY = ("alice", "ocp-00000000")
RECORD = Record(version=7, operations=("seven",), named=True, context=a_context())
NEXT = replace(RECORD, version=8, operations=("eight", "seven"))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def copies(clock: Clock) -> Copies:
    return Copies(clock)


def wrote(copies: Copies, record: Record, sent: float) -> None:
    copies.has_written(KEY, record, None, 100, sent)


@pytest.mark.parametrize(
    ("seconds", "fresh"),
    [(0, True), (COPY_SECONDS * 0.99, True), (COPY_SECONDS, False), (-1, False)],
    ids=["at_once", "in_time", "late", "clock_set_back"],
)
def test_a_copy_answers_for_a_while(
    copies: Copies, clock: Clock, seconds: float, fresh: bool
) -> None:
    copies.has_read(KEY, encode_record(RECORD), clock.now)
    clock.now += seconds
    assert copies.fresh(KEY) == (RECORD if fresh else None)
    assert copies.latest(KEY)[0] == RECORD


def test_the_while_counts_from_when_the_store_was_asked(copies: Copies, clock: Clock) -> None:
    copies.has_read(KEY, encode_record(RECORD), clock.now - COPY_SECONDS)
    assert copies.fresh(KEY) is None


def test_a_copy_is_of_one_principal(copies: Copies, clock: Clock) -> None:
    wrote(copies, RECORD, clock.now)
    assert copies.fresh(("bob", KEY[1])) is None


def test_unchanged_bytes_are_decoded_once(copies: Copies, clock: Clock) -> None:
    data = encode_record(RECORD)
    first = copies.has_read(KEY, data, clock.now)
    assert copies.has_read(KEY, data, clock.now) is first
    assert copies.has_read(("bob", KEY[1]), data, clock.now) is not first


def test_another_state_is_not_taken_for_the_copy(copies: Copies, clock: Clock) -> None:
    wrote(copies, replace(RECORD, operations=("other",)), clock.now)
    assert copies.has_read(KEY, encode_record(RECORD), clock.now) == RECORD


def test_a_read_from_before_an_own_write_does_not_hide_it(copies: Copies, clock: Clock) -> None:
    asked = clock.now
    clock.now += 0.01
    wrote(copies, NEXT, clock.now - 0.02)
    assert copies.has_read(KEY, encode_record(RECORD), asked) == RECORD
    assert copies.fresh(KEY) == NEXT


def test_a_read_from_before_a_deletion_does_not_undo_it(copies: Copies, clock: Clock) -> None:
    wrote(copies, RECORD, clock.now)
    asked = clock.now
    clock.now += 0.01
    copies.forget(KEY)
    copies.has_read(KEY, encode_record(RECORD), asked)
    assert copies.fresh(KEY) is None
    assert copies.latest(KEY) == (None, None)


def test_that_nothing_is_there_ends_the_copy(copies: Copies, clock: Clock) -> None:
    wrote(copies, RECORD, clock.now)
    assert copies.has_read(KEY, b"", clock.now) is None
    assert copies.latest(KEY) == (None, None)


def test_what_cannot_be_read_leaves_the_copy(copies: Copies, clock: Clock) -> None:
    wrote(copies, RECORD, clock.now)
    with pytest.raises(UnreadableRecord):
        copies.has_read(KEY, b"{}", clock.now)
    assert copies.fresh(KEY) == RECORD


def test_copies_are_bounded_and_the_latest_used_stay(clock: Clock) -> None:
    copies = Copies(clock, max_bytes=4_000)
    for name in "abc":
        copies.has_written(("alice", name), RECORD, None, 1_000, clock.now)
        copies.fresh(("alice", "a"))
    held = [name for name in "abc" if copies.latest(("alice", name))[0]]
    assert held == ["a", "c"]


def test_a_copy_that_grows_counts_once(clock: Clock) -> None:
    copies = Copies(clock, max_bytes=4_000)
    for _ in range(100):
        copies.has_written(KEY, RECORD, None, 3_000, clock.now)
    assert copies.fresh(KEY) == RECORD
    copies.has_written(KEY, RECORD, None, 5_000, clock.now)
    assert copies.fresh(KEY) is None
