"""When an API is left alone, and when it is asked again (R-10)."""

import pytest

from gateway.policy.circuit import FAILURES, PAUSE_SECONDS, Circuit, CircuitState, Leave

FIRST, MOST = PAUSE_SECONDS
MIDDLE = 0.5  # of the spread: a pause is exactly as long as it says


LEASE = 5.0


def leave_of(circuit: Circuit, now: float) -> Leave:
    leave = circuit.admit(now, lease=LEASE)
    assert leave is not None
    return leave


def fail(circuit: Circuit, now: float, times: int = 1, *, fraction: float = MIDDLE) -> None:
    for _ in range(times):
        leave = leave_of(circuit, now)
        circuit.fail(leave, now, fraction=fraction)
        circuit.end(leave)


def succeed(circuit: Circuit, now: float) -> None:
    leave = leave_of(circuit, now)
    circuit.succeed(leave)
    circuit.end(leave)


def opened(now: float = 0.0, *, fraction: float = MIDDLE) -> Circuit:
    circuit = Circuit()
    fail(circuit, now, FAILURES, fraction=fraction)
    return circuit


def test_r10_failures_in_a_row_open_it() -> None:
    circuit = Circuit()
    states = []
    for _ in range(FAILURES):
        states.append(circuit.state)
        fail(circuit, 0.0)
    assert states == [CircuitState.CLOSED] * FAILURES
    assert circuit.admit(0.0, lease=LEASE) is None


def test_r10_a_success_between_them_keeps_it_closed() -> None:
    circuit = Circuit()
    for _ in range(10):
        fail(circuit, 0.0, FAILURES - 1)
        succeed(circuit, 0.0)
    assert circuit.state is CircuitState.CLOSED


def test_r10_it_says_how_long_nobody_is_let_through() -> None:
    circuit = opened()
    assert circuit.wait(0.25) == pytest.approx(FIRST - 0.25)
    assert circuit.wait(FIRST) == 0.0


def test_r10_after_the_pause_one_is_let_through_and_no_other() -> None:
    circuit = opened()
    trial = leave_of(circuit, FIRST)
    assert trial.trial
    assert circuit.state is CircuitState.TRYING
    assert circuit.admit(FIRST, lease=LEASE) is None
    assert circuit.wait(FIRST) > 0


def test_r10_a_trial_that_succeeds_closes_it() -> None:
    circuit = opened()
    assert circuit.succeed(leave_of(circuit, FIRST))
    assert circuit.state is CircuitState.CLOSED
    assert not leave_of(circuit, FIRST).trial


def test_r10_one_that_fails_leaves_it_open_for_twice_as_long_up_to_a_bound() -> None:
    circuit, now, pauses = opened(), 0.0, []
    for _ in range(8):
        pauses.append(circuit.wait(now))
        now += pauses[-1]
        fail(circuit, now)
    assert pauses == pytest.approx([1, 2, 4, 8, 10, 10, 10, 10])
    assert max(pauses) == MOST


def test_r10_after_a_success_the_pause_is_short_again() -> None:
    circuit = opened()
    fail(circuit, FIRST)
    succeed(circuit, 100.0)
    fail(circuit, 100.0, FAILURES)
    assert circuit.wait(100.0) == pytest.approx(FIRST)


def test_a_trial_that_tells_nothing_makes_room_for_the_next() -> None:
    circuit = opened()
    circuit.end(leave_of(circuit, FIRST))
    assert circuit.state is CircuitState.OPEN
    assert leave_of(circuit, FIRST).trial


class TestATrialThatTakesLong:
    """R-10: whoever sends it, it keeps the circuit from the others for its lease only."""

    def test_r10_the_next_one_may_try_once_its_lease_is_over(self) -> None:
        circuit = opened()
        leave_of(circuit, FIRST)
        assert circuit.admit(FIRST + LEASE - 0.01, lease=LEASE) is None
        assert circuit.wait(FIRST + LEASE) == 0.0
        assert leave_of(circuit, FIRST + LEASE).trial
        assert circuit.admit(FIRST + LEASE, lease=LEASE) is None

    def test_r10_it_still_closes_the_circuit_when_it_succeeds(self) -> None:
        circuit = opened()
        late = leave_of(circuit, FIRST)
        leave_of(circuit, FIRST + LEASE)
        assert circuit.succeed(late)
        assert circuit.state is CircuitState.CLOSED

    def test_r10_it_is_closed_once(self) -> None:
        circuit = opened()
        late = leave_of(circuit, FIRST)
        succeed(circuit, FIRST + LEASE)
        assert not circuit.succeed(late)

    def test_r10_it_says_nothing_against_the_api_any_more(self) -> None:
        circuit = opened()
        late, now = leave_of(circuit, FIRST), FIRST + LEASE
        trial = leave_of(circuit, now)
        assert not circuit.fail(late, now, fraction=MIDDLE)
        circuit.end(late)
        assert circuit.admit(now, lease=LEASE) is None
        assert circuit.succeed(trial)
        circuit.end(trial)

    def test_r10_its_failure_does_not_open_what_another_has_closed(self) -> None:
        circuit = opened()
        late = leave_of(circuit, FIRST)
        succeed(circuit, FIRST + LEASE)
        assert not circuit.fail(late, FIRST + LEASE, fraction=MIDDLE)
        assert circuit.state is CircuitState.CLOSED

    def test_r10_nobody_having_come_it_is_still_the_one_that_decides(self) -> None:
        circuit = opened()
        late = leave_of(circuit, FIRST)
        assert circuit.fail(late, FIRST + 2 * LEASE, fraction=MIDDLE)
        assert circuit.wait(FIRST + 2 * LEASE) == pytest.approx(2 * FIRST)

    def test_r10_a_lease_can_be_made_longer_while_it_is_the_trial(self) -> None:
        circuit = opened()
        late = leave_of(circuit, FIRST)
        circuit.extend(late, FIRST + 1, lease=LEASE)
        assert circuit.admit(FIRST + LEASE, lease=LEASE) is None
        now = FIRST + 1 + LEASE
        leave_of(circuit, now)
        circuit.extend(late, now, lease=10 * LEASE)
        assert circuit.wait(now + LEASE) == 0.0


def test_what_was_let_through_before_it_opened_decides_nothing() -> None:
    circuit = Circuit()
    early = [leave_of(circuit, 0.0) for _ in range(3)]
    fail(circuit, 0.0, FAILURES)
    assert not circuit.succeed(early[0])
    assert not circuit.fail(early[1], 0.5, fraction=MIDDLE)
    circuit.end(early[2])
    assert circuit.wait(0.0) == pytest.approx(FIRST)


@pytest.mark.parametrize(("fraction", "pause"), [(0.0, 0.8), (1.0, 1.2)], ids=["least", "most"])
def test_replicas_do_not_all_try_at_the_same_moment(fraction: float, pause: float) -> None:
    assert opened(fraction=fraction).wait(0.0) == pytest.approx(pause)
