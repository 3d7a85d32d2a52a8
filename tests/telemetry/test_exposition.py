"""Several processes, one answer: counters add up and outlive their process, gauges do not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.telemetry import series

# The library decides once in a process how it keeps values, so each of these is one of its own.
WORKER = """
import os, sys
from pathlib import Path
from gateway.context import CalledOperation
from gateway.interfaces import Way
from gateway.telemetry.calls import Calls
from gateway.telemetry.exposition import make_registry
from gateway.telemetry.readings import Number, NumbersReading

directory = Path(sys.argv[1])
registry = make_registry(directory)
calls = Calls(registry, monotonic=lambda: 0.0)
for _ in range(int(sys.argv[2])):
    with calls.watching(Way.TOOL, ()) as watch:
        watch.about(CalledOperation(api="shop", method="GET", name="getItem"))
        watch.answered(200)
NumbersReading(registry, {"connections": Number(about="x", read=lambda: 10)}, {}).refresh()
print(os.getpid())
"""
SCRAPE = """
import sys
from pathlib import Path
from gateway.telemetry.exposition import forget_worker, make_registry, render

directory = Path(sys.argv[1])
for pid in sys.argv[2:]:
    forget_worker(directory, int(pid))
sys.stdout.write(render(make_registry(directory), directory).decode())
"""


def run(program: str, directory: Path, *arguments: str) -> str:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(directory)}  # noqa: TID251
    done = subprocess.run(
        [sys.executable, "-c", program, str(directory), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


CALLS = "ocp_gateway_calls_total"
GOOD = "api=shop method=GET operation=getItem outcome=answered status=200 way=tool"


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    directory = tmp_path_factory.mktemp("metrics")
    return directory, [run(WORKER, directory, count).strip() for count in ("3", "4")]


def test_workers_counts_add_up_and_outlive_them(workers: tuple[Path, list[str]]) -> None:
    directory, pids = workers
    before = run(SCRAPE, directory)
    assert series(before, CALLS) == {GOOD: 7.0}
    assert (
        series(before, "ocp_gateway_call_seconds_count")["api=shop operation=getItem way=tool"]
        == 7.0
    )
    assert series(before, "ocp_gateway_connections") == {"": 20.0}
    after = run(SCRAPE, directory, pids[0])
    assert series(after, CALLS) == {GOOD: 7.0}
    assert series(after, "ocp_gateway_connections") == {"": 10.0}
