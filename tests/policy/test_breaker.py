"""When something that fails is tried, and for how long."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.breaker import FAILURES, PAUSE_SECONDS, SHORT_PATIENCE, Attempt, Breaker

FULL = 4.0
SHORT = SHORT_PATIENCE[0]


@dataclass(slots=True)
class Tried:
    """A breaker that a test drives through time. What is usual takes 5 ms."""

    breaker: Breaker = field(default_factory=lambda: Breaker(patience=FULL, usual=0.005))
    now: float = 100.0

    def start(self) -> Attempt:
        attempt = self.breaker.admit(self.now)
        assert attempt is not None
        return attempt

    def refused(self) -> bool:
        return self.breaker.admit(self.now) is None

    def succeed(self, attempt: Attempt) -> None:
        self.breaker.succeed(attempt, self.now)
        self.breaker.end(attempt)

    def fail(self, attempt: Attempt) -> None:
        self.breaker.fail(self.now)
        self.breaker.end(attempt)

    def give_up(self, attempt: Attempt) -> None:
        self.breaker.give_up(attempt, self.now)
        self.breaker.end(attempt)

    def break_open(self) -> None:
        for _ in range(FAILURES):
            self.fail(self.start())


def test_it_opens_after_failures_in_a_row_and_a_success_begins_the_row_anew() -> None:
    tried = Tried()
    for _ in range(FAILURES - 1):
        tried.fail(tried.start())
    tried.succeed(tried.start())
    for _ in range(FAILURES - 1):
        tried.fail(tried.start())
    tried.fail(tried.start())
    assert tried.refused()


def test_after_the_pause_one_at_a_time_is_a_trial() -> None:
    tried = Tried()
    tried.break_open()
    tried.now += PAUSE_SECONDS - 0.001
    assert tried.refused()
    tried.now += 0.001
    trial = tried.start()
    assert trial.trial
    assert trial.patience == SHORT
    assert tried.refused()
    tried.fail(trial)
    assert tried.refused()
    tried.now += PAUSE_SECONDS
    tried.succeed(tried.start())
    assert tried.start().patience == FULL
    assert not tried.start().trial


def test_a_trial_without_an_outcome_makes_room_for_the_next() -> None:
    tried = Tried()
    tried.break_open()
    tried.now += PAUSE_SECONDS
    tried.breaker.end(tried.start())
    assert tried.start().trial


def test_what_hangs_shortens_the_patience_of_those_who_come_later() -> None:
    tried = Tried()
    hanging = tried.start()
    tried.now += SHORT
    assert tried.start().patience == FULL
    tried.now += 0.001
    assert tried.start().patience == SHORT
    tried.breaker.end(hanging)


def test_what_ended_without_an_outcome_does_not_hang() -> None:
    tried = Tried()
    tried.breaker.end(tried.start())
    tried.now += 1
    assert tried.start().patience == FULL


def test_what_takes_long_beside_others_that_succeed_does_not_hang() -> None:
    tried = Tried()
    tried.start()
    tried.now += 0.01
    tried.succeed(tried.start())
    tried.now += 1
    assert tried.start().patience == FULL


def test_short_patiences_during_one_stall_do_not_open_it() -> None:
    tried = Tried()
    stalled = tried.start()
    for _ in range(10):
        tried.now += 2 * SHORT
        tried.give_up(tried.start())
    tried.succeed(stalled)
    assert tried.start().patience == FULL


def test_after_a_failure_short_patiences_count() -> None:
    tried = Tried()
    tried.fail(tried.start())
    for _ in range(FAILURES - 1):
        tried.give_up(tried.start())
    assert tried.refused()


def test_doubt_shortens_patience_until_something_succeeds() -> None:
    tried = Tried()
    tried.breaker.doubt(tried.now)
    assert tried.start().patience == SHORT
    tried.now += 0.001
    tried.succeed(tried.start())
    assert tried.start().patience == FULL


def test_in_doubt_short_patiences_count() -> None:
    tried = Tried()
    tried.breaker.doubt(tried.now)
    for _ in range(FAILURES):
        tried.give_up(tried.start())
    assert tried.refused()


def test_full_patiences_count() -> None:
    tried = Tried()
    started = [tried.start() for _ in range(FAILURES)]
    tried.now += FULL
    for attempt in started:
        tried.give_up(attempt)
    assert tried.refused()


@pytest.mark.parametrize(
    ("usual", "patience"),
    [
        pytest.param(0.001, SHORT, id="at-least-50-ms"),
        pytest.param(0.06, 0.24, id="some-times-what-is-usual"),
        pytest.param(0.9, SHORT_PATIENCE[1], id="at-most-a-second"),
    ],
)
def test_the_short_patience_follows_what_is_usual(usual: float, patience: float) -> None:
    tried = Tried(breaker=Breaker(patience=FULL, usual=0.005))
    for _ in range(200):
        attempt = tried.start()
        tried.now += usual
        tried.succeed(attempt)
    tried.break_open()
    tried.now += PAUSE_SECONDS
    assert tried.start().patience == pytest.approx(patience, rel=0.01)


def test_what_has_become_slower_for_good_is_given_longer() -> None:
    tried = Tried()
    tried.break_open()
    tried.breaker.expect(0.1)
    tried.now += PAUSE_SECONDS
    assert tried.start().patience == pytest.approx(0.4)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["start", "succeed", "fail", "give_up", "end"]),
        st.integers(0, 9),
        st.sampled_from([0.0, 0.01, 0.06, 0.5, 1.0]),
    ),
    max_size=60,
)


@settings(max_examples=300)
@given(steps=STEPS)
def test_in_whatever_order_things_end(steps: list[tuple[str, int, float]]) -> None:
    tried = Tried()
    running: list[Attempt] = []
    in_a_row, last_failure = 0, float("-inf")
    for what, which, seconds in steps:
        tried.now += seconds
        if what == "start":
            attempt = tried.breaker.admit(tried.now)
            is_open = in_a_row >= FAILURES
            rests = tried.now < last_failure + PAUSE_SECONDS
            on_trial = is_open and any(other.trial for other in running)
            assert (attempt is None) == (is_open and (rests or on_trial))
            if attempt is not None:
                assert attempt.trial == is_open
                assert attempt.patience == FULL or SHORT <= attempt.patience <= 1.0
                running.append(attempt)
        elif running:
            attempt = running.pop(which % len(running))
            if what == "succeed":
                tried.succeed(attempt)
                in_a_row = 0
            elif what == "fail" or (what == "give_up" and (in_a_row or attempt.patience == FULL)):
                (tried.fail if what == "fail" else tried.give_up)(attempt)
                in_a_row, last_failure = in_a_row + 1, tried.now
            else:
                (tried.give_up if what == "give_up" else tried.breaker.end)(attempt)
