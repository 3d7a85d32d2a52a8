"""Processes pinned to a core, their CPU time, and ratios taken side by side."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVER_CORE = max(os.sched_getaffinity(0))
CLIENT_CORE = min(os.sched_getaffinity(0))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, ended threads included, in nanosecond steps.

    The same sum as in /proc/PID/stat, which counts in steps of 10 ms only. The clock's number is
    made as in clock_getcpuclockid(3), which Python does not offer.
    """
    return time.clock_gettime((~pid << 3) | 2)


def pin(core: int) -> None:
    os.sched_setaffinity(0, {core})


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    url: str
    pid: int


@contextmanager
def serving(command: Sequence[str], *, core: int, directory: Path) -> Iterator[Server]:
    """Run a server that says `listening on URL` on stderr, pinned to `core`."""
    log = directory / f"{time.monotonic_ns()}.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command,
            cwd=Path(__file__).parents[1],
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            preexec_fn=lambda: pin(core),  # noqa: PLW1509 - single-threaded at this point
        )
    try:
        yield Server(url=_announced_url(process, log), pid=process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _announced_url(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines(keepends=True):
            _, announced, url = line.partition("listening on ")
            if announced and url.endswith("\n"):
                return url.split()[0].rstrip("/")
        time.sleep(0.01)
    raise RuntimeError(f"the server did not come up:\n{log.read_text()}")


def alternate(
    contenders: Mapping[str, Callable[[], float]], rounds: int
) -> dict[str, tuple[float, ...]]:
    """Measure every contender once a round, in an order that turns from round to round.

    Whatever slows the machine for a while then hits all of them alike.
    """
    names = list(contenders)
    figures: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            figures[name].append(contenders[name]())
    return {name: tuple(values) for name, values in figures.items()}


def ratio(figures: Sequence[float], baseline: Sequence[float]) -> str:
    """The median of the per-round ratios, with their range."""
    ratios = [mine / theirs for mine, theirs in zip(figures, baseline, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; every column but the first is right-aligned."""
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
