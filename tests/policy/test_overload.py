"""Admission to an event loop that is simulated: turns, each of which serves whatever is ready."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from gateway.policy.overload import LEAST_UNDER_WAY, Admission

STEPS = 5
"""Turns that a request has after the one in which it comes."""
COST = 0.0003
REFUSAL = 0.000012
CAPACITY = 1 / COST
_UPSTREAM = 0.0005
_OVERHEAD = 0.00002


@dataclass(slots=True)
class Loop:
    """An event loop of requests that cost `COST` seconds in all."""

    rate: Callable[[float], float]
    stalls: list[tuple[float, float]] = field(default_factory=list)
    admission: Admission = field(default_factory=Admission)
    now: float = 0.0
    done: list[tuple[float, float]] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    _next: float = 0.0
    _ready: list[tuple[float, int, float, int]] = field(default_factory=list)

    def run(self, until: float) -> None:
        turn_began: float | None = None
        while self.now < until:
            if turn_began is not None:
                self.admission.end_turn(self.now - turn_began, self.now)
            turn_began = self._turn()
            self.now += _OVERHEAD
            while self.stalls and self.now >= self.stalls[0][0]:
                self.now += self.stalls.pop(0)[1]
            soonest = min([self._next, *(when for when, *_ in self._ready)])
            self.now = max(self.now, soonest)

    def _turn(self) -> float | None:
        began, ready, self._ready = None, self._ready, []
        arrived = []
        while self._next <= self.now:
            arrived.append(self._next)
            self._next += 1 / self.rate(self._next)
        for asked in arrived:
            began = self.now if began is None else began
            if self.admission.admits():
                self.now += COST / (STEPS + 1)
                self._ready.append((self.now, 1, asked, self.admission.turn))
            else:
                self.now += REFUSAL
                self.refused.append(self.now)
        due = self.now
        for when, step, asked, turn in ready:
            if when > due:
                self._ready.append((when, step, asked, turn))
                continue
            self.now += COST / (STEPS + 1)
            if step == STEPS:
                self.done.append((self.now, self.now - asked))
                self.admission.finish(turn)
            else:
                wait = _UPSTREAM if step == 2 else 0.0
                self._ready.append((self.now + wait, step + 1, asked, turn))
        return began

    def p99(self, *, since: float = 0.0) -> float:
        seconds = sorted(took for when, took in self.done if when >= since)
        return seconds[int(len(seconds) * 0.99)]


@pytest.mark.parametrize("share", [0.3, 0.7, 0.9])
def test_nobody_is_refused_below_capacity(share: float) -> None:
    loop = Loop(lambda _: share * CAPACITY)
    loop.run(5)

    assert loop.refused == []
    assert not loop.admission.is_limited


@pytest.mark.parametrize("times", [1.5, 2, 4, 8])
def test_f10_more_than_capacity_is_refused_so_that_the_others_do_not_wait(times: float) -> None:
    loop = Loop(lambda _: times * CAPACITY)
    loop.run(12)

    # What refusing costs is the one thing that goodput can lose.
    spare = 1 - (times - 1) * CAPACITY * REFUSAL
    assert len(loop.done) / 12 > 0.9 * spare * CAPACITY
    assert loop.p99(since=9) < 0.1


def test_f10_recovery_is_at_once() -> None:
    loop = Loop(lambda now: (4 if now < 5 else 0.5) * CAPACITY)
    loop.run(8)

    assert max(loop.refused) < 6
    assert not loop.admission.is_limited


def test_a_burst_is_no_overload() -> None:
    # A thousand more than usual, within a tenth of a second.
    loop = Loop(lambda now: CAPACITY / 4 + (10_000 if 1 < now < 1.1 else 0))
    loop.run(4)

    assert loop.refused == []


def test_one_long_turn_is_no_overload() -> None:
    loop = Loop(lambda _: CAPACITY / 10, stalls=[(1, 0.05), (2, 0.2), (3, 0.8)])
    loop.run(5)

    assert loop.refused == []


def limited() -> Admission:
    """In the state of a process whose turns have been long for a while."""
    admission = Admission()
    for turn in range(20):
        admission.end_turn(0.05, 0.05 * turn)
    assert admission.is_limited
    return admission


def test_few_are_never_refused_however_long_turns_are() -> None:
    admission = limited()
    for turn in range(100):
        begun = [admission.turn for _ in range(LEAST_UNDER_WAY) if admission.admits()]
        assert len(begun) == LEAST_UNDER_WAY
        for each in begun:
            admission.finish(each)
        admission.end_turn(0.5, 1 + 0.5 * turn)


def test_more_are_refused_until_some_are_over() -> None:
    admission = limited()
    assert [admission.admits() for _ in range(LEAST_UNDER_WAY + 5)].count(False) == 5

    admission.finish(admission.turn)
    assert admission.admits()
    assert not admission.admits()


def test_r09_what_takes_many_turns_waits_for_others_and_counts_no_longer() -> None:
    admission = limited()
    begun = admission.turn
    assert all(admission.admits() for _ in range(LEAST_UNDER_WAY))
    for turn in range(8):
        assert not admission.admits()
        admission.end_turn(0.05, 1 + 0.05 * turn)

    assert all(admission.admits() for _ in range(LEAST_UNDER_WAY))
    for _ in range(LEAST_UNDER_WAY):
        admission.finish(begun)  # the streams end, and make room for nobody
    assert not admission.admits()


def test_of_what_is_cheap_more_is_admitted_than_of_what_is_dear() -> None:
    admitted = []
    for cost in (0.0001, 0.001):
        admission, now, number = limited(), 1.0, 0
        for _ in range(400):
            number = sum(admission.admits() for _ in range(400))
            now += number * cost
            admission.end_turn(number * cost, now)
        admitted.append(number)

    assert admitted[0] > 2 * admitted[1]
