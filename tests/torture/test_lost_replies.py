"""A short storm; `make torture` has a long one."""

from pathlib import Path
from random import Random

from tests.support.checker import Heard
from tests.support.fault_proxy import Fault
from tests.torture import every_byte, lost_callers, lost_replies


async def test_a_storm_of_faults_loses_doubles_and_mixes_up_nothing(tmp_path: Path) -> None:
    outcome = await lost_replies.run(200, tmp_path, Random(4))  # noqa: S311 - to be repeated

    assert outcome.faults == (), str(outcome)
    assert outcome.struck.keys() >= set(Fault) - {Fault.LATE, Fault.STALL}
    assert outcome.cancelled > 0
    assert all(outcome.verdict.heard[heard] > 0 for heard in Heard)


async def test_callers_that_leave_a_file_lose_double_and_mix_up_nothing(tmp_path: Path) -> None:
    outcome = await lost_callers.run(200, tmp_path, Random(4))  # noqa: S311 - to be repeated

    assert outcome.faults == (), str(outcome)
    assert outcome.cancelled >= 200


async def test_a_write_cut_off_at_any_byte_leaves_one_whole_state(tmp_path: Path) -> None:
    struck, faults = await every_byte.run(61, tmp_path)

    assert faults == []
    assert struck > 100
