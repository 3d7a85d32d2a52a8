"""The supervisor with workers that do nothing but live and die."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.gateway_process import child_environment

PATIENCE = 30

# What a worker does once it is one; `place.index` tells it which.
SCRIPT = """
import logging, os, signal, sys, time
from gateway.wiring import supervising
logging.basicConfig(format="%(message)s", stream=sys.stdout)
supervising.BACK_OFF_SECONDS = (0.0,) * 5
supervising.GRACE_SECONDS = 0.2
def say(*words):
    print(*words, flush=True)
place = supervising.Supervisor(
    size=2,
    drain_seconds=0.1,
    announce=lambda: say("all accept"),
    leave=lambda: say("leaving"),
    forget=lambda pid: say("forgotten"),
).run()
if isinstance(place, int):
    say("supervisor", place)
    sys.exit(place)
{work}
"""


@contextmanager
def supervised(work: str, directory: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT.replace("{work}", work)],
        cwd=directory,
        env=child_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_worker_that_cannot_start_ends_it_with_its_code(tmp_path: Path) -> None:
    with supervised("say('worker', place.index); os._exit(7)", tmp_path) as process:
        out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 7
    # The second one would have said the same.
    assert out.count("worker") == 1
    assert "all accept" not in out


def test_workers_that_die_one_after_the_other_end_it(tmp_path: Path) -> None:
    work = "place.accepts(); time.sleep(0.05); say('gone'); os._exit(3)"
    with supervised(work, tmp_path) as process:
        out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert out.count("it is started again") == 4
    assert "5 workers have died one after the other" in out
    assert out.count("forgotten") == out.count("gone") >= 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_does_not_end_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    with supervised("place.accepts(); time.sleep(600)", tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "all accept\n"
        process.send_signal(number)
        out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert out.splitlines()[0] == "leaving"
    assert out.count("does not end, it is killed") == 2


def test_it_is_announced_when_the_last_one_accepts_and_only_once(tmp_path: Path) -> None:
    work = """
import pathlib
pathlib.Path(f"started-{place.index}").touch()
if place.index:
    while not pathlib.Path("go").exists():
        time.sleep(0.01)
say("accepting", place.index)
place.accepts()
time.sleep(600)
"""
    with supervised(work, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "accepting 0\n"
        (tmp_path / "go").touch()
        assert process.stdout.readline() == "accepting 1\n"
        assert process.stdout.readline() == "all accept\n"
        process.terminate()
        out, _ = process.communicate(timeout=PATIENCE)
    assert "all accept" not in out
