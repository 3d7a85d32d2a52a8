"""`python -m tests.torture.fuzz_mcp --bodies 1000000`: broken requests to `/mcp`, without end.

Each body with its headers goes through the endpoint's own core and desk, or as a line through the
stdio dialogue, in front of a gateway over a made-up API. A finding is an exception, an incident in
the log, a 5xx, an answer that its revision's schema does not allow, an outcome that a small model
of the protocol's ladders does not expect, or more CPU than `allowance` (the best of three more
runs). It is printed with its number, and `--only NUMBER` with the same seed repeats it.
"""

import argparse
import asyncio
import multiprocessing
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from tests.torture.mcp_bodies import some_request
from tests.torture.mcp_corpus import Said
from tests.torture.mcp_target import Target

HANG_SECONDS = 60
"""Of CPU; what takes longer is stopped."""
ROOM_SIZE = 5_000
"""Inputs until everything begins anew, so that no room grows without end."""


def allowance(size: int) -> int:
    """Nanoseconds of CPU for a body of so many bytes."""
    return 40_000_000 + 100 * size


@dataclass(slots=True, kw_only=True)
class Tally:
    """What has happened. `slowest` is in nanoseconds of CPU."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    slowest: int = 0
    slowest_number: int = 0

    def add(self, other: "Tally") -> None:
        self.outcomes += other.outcomes
        self.findings += other.findings
        if other.slowest > self.slowest:
            self.slowest, self.slowest_number = other.slowest, other.slowest_number


class Hang(BaseException):
    """Nothing may catch it on its way out."""


def run(seed: int, numbers: Iterable[int], *, timed: bool = True) -> Tally:
    """Execute `numbers`. `timed`: one that takes too long is a finding."""
    tally = Tally()
    signal.signal(signal.SIGVTALRM, _stop)
    with asyncio.Runner() as runner:
        target = Target(runner)
        for count, number in enumerate(numbers, 1):
            if count % ROOM_SIZE == 0:
                target = Target(runner)
            random = Random((seed << 40) | number)  # noqa: S311 - to be repeated
            said, over_stdio = some_request(random), random.random() < 0.25
            try:
                tally.outcomes[_execute(target, said, number, tally, over_stdio, timed)] += 1
            except (Exception, Hang) as error:  # noqa: BLE001 - the very thing that is looked for
                tally.outcomes["FAILED"] += 1
                _note(tally, number, _place(error), traceback.format_exc())
                target = Target(runner)
    return tally


def _execute(
    target: Target, said: Said, number: int, tally: Tally, over_stdio: bool, timed: bool
) -> str:
    """What came of one input, in a word."""
    took, outcome = _measure(target, said, over_stdio)
    allowed = allowance(len(said.body))
    if timed and took > allowed:
        took = min(_measure(target, said, over_stdio)[0] for _ in range(3))
        if took > allowed:
            _note(tally, number, "slow", f"{took / 1e6:.1f} ms of CPU\n{said.body!r:.2000}")
    if took > tally.slowest:
        tally.slowest, tally.slowest_number = took, number
    return outcome


def _measure(target: Target, said: Said, over_stdio: bool) -> tuple[int, str]:
    """Nanoseconds of CPU, and what came of it, which is judged outside of them."""
    signal.setitimer(signal.ITIMER_VIRTUAL, HANG_SECONDS)
    try:
        started = time.thread_time_ns()
        heard = target.say(said) if over_stdio else target.post(said)
        took = time.thread_time_ns() - started
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    outcome = target.judge_line(said, heard) if over_stdio else target.judge_post(said, heard)
    return took, outcome


def _stop(*_: object) -> None:
    message = f"more than {HANG_SECONDS} s of CPU"
    raise Hang(message)


def _place(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.filename}:{frame.lineno}"


def _note(tally: Tally, number: int, place: str, text: str) -> None:
    if not tally.findings[place]:
        print(f"== number {number}: {place}\n{text[-4000:]}", flush=True)
    tally.findings[place] += 1


def run_all(seed: int, bodies: int, processes: int) -> Tally:
    """The numbers below `bodies`, dealt out to `processes`."""
    shares = [(seed, range(first, bodies, processes)) for first in range(processes)]
    total = Tally()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for tally in pool.starmap(run, shares):
            total.add(tally)
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", type=int, metavar="NUMBER")
    options = parser.parse_args()
    started = time.monotonic()
    if options.only is None:
        tally = run_all(options.seed, options.bodies, options.processes)
    else:
        tally = run(options.seed, (options.only,))
    took = time.monotonic() - started
    print(f"{tally.outcomes.total()} bodies in {took:.0f} s: {dict(tally.outcomes.most_common())}")
    print(f"slowest: number {tally.slowest_number}, {tally.slowest / 1e6:.1f} ms of CPU")
    print(f"findings: {dict(tally.findings) or 'none'}")
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
