import pytest

from gateway.server.pace import Clock, Patience, Phase

PATIENCE = Patience(head=10, body=10, body_rate=512, body_credit=30)


def test_a_head_gets_no_more_time_with_each_byte() -> None:
    clock = Clock(PATIENCE, 0)
    assert (clock.phase, clock.deadline) == (Phase.FIRST_BYTE, 10)
    clock.await_head(5)
    clock.await_head(14)
    assert (clock.phase, clock.deadline) == (Phase.HEAD, 15)


@pytest.mark.parametrize(
    ("per_second", "late"), [(0, 11), (1, 11), (256, 20), (511, None), (512, None), (10**7, None)]
)
def test_s47_a_body_has_to_come_at_the_rate(per_second: int, late: int | None) -> None:
    clock = Clock(PATIENCE, 0)
    clock.await_body(1, 0)
    found = None
    for now in range(1, 300):
        if now > clock.deadline:
            found = now
            break
        clock.await_body(per_second, now)
    assert found == late


def test_s47_a_fast_beginning_buys_only_so_much_silence() -> None:
    clock = Clock(PATIENCE, 0)
    clock.await_body(10**9, 0)
    assert clock.deadline == 30


def test_nobody_is_late_while_we_do_not_read() -> None:
    clock = Clock(PATIENCE, 0)
    clock.await_body(1, 0)
    clock.excuse(100)
    assert clock.deadline == 110
    clock.excuse(50)
    assert clock.deadline == 110


def test_a_clock_that_stopped_is_never_late() -> None:
    clock = Clock(PATIENCE, 0)
    clock.stop()
    assert clock.deadline > 10**12
