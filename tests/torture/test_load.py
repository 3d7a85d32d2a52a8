"""A little of each load; `make torture` has much of it, and judges the figures."""

from pathlib import Path
from random import Random

from tests.torture import (
    client_aborts,
    hostile_lag,
    overload,
    reloads,
    sigterms,
    slow_clients,
    soak,
)

RANDOM = Random(6)  # noqa: S311 - to be repeated


async def test_r31_no_request_fails_when_the_gateway_is_asked_to_end(tmp_path: Path) -> None:
    ends = await sigterms.run(1, tmp_path, RANDOM, drain_seconds=2.0)

    assert ends.faults == [], str(ends)
    assert len(ends.exits) == 1


async def test_f8_reloads_fail_nobody_and_mix_no_list(tmp_path: Path) -> None:
    done = await reloads.run(4, tmp_path, RANDOM)

    assert done.faults == [], str(done)


async def test_r08_f2_nothing_stays_of_clients_that_leave(tmp_path: Path) -> None:
    aborts = await client_aborts.run(200, tmp_path, RANDOM)

    assert aborts.faults == [], str(aborts)
    assert aborts.met > 0


async def test_r09_slow_clients_cost_little_and_delay_nobody(tmp_path: Path) -> None:
    slow = await slow_clients.run(60, tmp_path, RANDOM, patience=1.5)

    assert slow.faults == [], str(slow)


async def test_r33_more_than_can_be_answered_is_answered_rightly_or_refused(tmp_path: Path) -> None:
    storm = await overload.run(1, tmp_path, RANDOM)

    assert storm.faults == [], str(storm)
    assert storm.over.good
    assert storm.health


async def test_r37_mixed_requests_in_one_run(tmp_path: Path) -> None:
    done = await soak.run(200, tmp_path, RANDOM)

    assert done.faults == [], str(done)


async def test_f13_r34_no_request_keeps_the_event_loop_to_itself(tmp_path: Path) -> None:
    """Judged by the CPU time of the loop's thread, which is the gateway's own doing."""
    lags = await hostile_lag.run(0, tmp_path, RANDOM)

    assert lags.faults == [], str(lags)
    assert lags.sent > 200
