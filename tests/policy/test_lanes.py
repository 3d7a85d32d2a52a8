"""Places at an API, and the queue for them."""

import pytest

from gateway.policy.lanes import MOST_WAITING, Entry, Lane


def come(lane: Lane[int], ticket: int, *, limit: int) -> Entry:
    entry = lane.enter(limit=limit)
    if entry is Entry.WAITS:
        lane.wait(ticket)
    return entry


def filled(running: int, waiting: int = 0, *, limit: int) -> Lane[int]:
    """A lane with tickets 1, 2, ... of which the last `waiting` are in the queue."""
    lane = Lane[int]()
    for ticket in range(1, running + waiting + 1):
        come(lane, ticket, limit=limit)
    return lane


def test_as_many_run_as_may() -> None:
    lane = Lane[int]()
    assert [come(lane, ticket, limit=2) for ticket in range(3)] == [
        Entry.RUNS,
        Entry.RUNS,
        Entry.WAITS,
    ]
    assert (lane.running, lane.waiting) == (2, 1)


def test_as_many_wait_as_run_and_the_next_is_refused() -> None:
    lane = filled(2, 2, limit=2)
    assert come(lane, 9, limit=2) is Entry.REFUSED
    assert (lane.running, lane.waiting) == (2, 2)


def test_the_queue_of_a_wide_lane_is_bounded() -> None:
    wide = MOST_WAITING + 10
    lane = filled(wide, MOST_WAITING, limit=wide)
    assert come(lane, -1, limit=wide) is Entry.REFUSED


def test_who_came_first_runs_next_in_the_place_of_the_one_that_is_done() -> None:
    lane = filled(1, 1, limit=1)
    assert lane.leave(limit=1) == 2
    assert (lane.running, lane.waiting) == (1, 0)
    assert lane.leave(limit=1) is None
    assert lane.running == 0


def test_nobody_overtakes_those_who_wait() -> None:
    lane = filled(2, 2, limit=2)
    assert [lane.leave(limit=2), lane.leave(limit=2)] == [3, 4]


def test_who_gave_up_gets_no_place() -> None:
    lane = filled(2, 2, limit=2)
    assert lane.give_up(3)
    assert lane.leave(limit=2) == 4


def test_who_has_got_a_place_cannot_give_up_waiting() -> None:
    lane = filled(1, 1, limit=1)
    lane.leave(limit=1)
    assert not lane.give_up(2)


@pytest.mark.parametrize(
    ("limit", "next_one"), [(1, None), (2, 3), (5, 3)], ids=["narrower", "as before", "wider"]
)
def test_a_reload_changes_how_many_may_run(limit: int, next_one: int | None) -> None:
    lane = filled(2, 1, limit=2)
    assert lane.leave(limit=limit) == next_one


def test_a_wider_lane_has_room_at_once() -> None:
    lane = filled(2, 1, limit=2)
    assert come(lane, 9, limit=4) is Entry.RUNS
