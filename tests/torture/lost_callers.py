"""Callers of SQLite stores that leave without waiting, three stores on one file."""

import argparse
import asyncio
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.support.checker import Verdict, judge, read_all
from tests.support.contexts import mark_of, opened
from tests.torture.storm import Storm, still_running, unheard_errors

STORES = 3
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one run."""

    verdict: Verdict
    cancelled: int
    seconds: float
    other_faults: tuple[str, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        return self.verdict.faults + self.other_faults

    def __str__(self) -> str:
        head = f"{self.cancelled:,} callers left before their answer in {self.seconds:.0f} s"
        count = f"{len(self.faults):,} faults"
        return "\n".join((head, *self.verdict.lines(), count, *self.faults[:_SHOWN]))


async def run(callers: int, directory: Path, random: Random) -> Outcome:
    """Let that many callers leave."""
    started = time.monotonic()
    unheard = unheard_errors()
    storm = Storm(random)
    url = f"sqlite:///{directory}/contexts.db"
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(opened(url)) for _ in range(STORES)]
        await storm.rage(stores, lambda: storm.cancelled >= callers)
        for store in stores:
            await storm.calm(store)
    return Outcome(
        verdict=judge(storm.ledger, await read_all(url, storm.ledger), mark_of),
        cancelled=storm.cancelled,
        seconds=time.monotonic() - started,
        other_faults=(*dict.fromkeys(storm.faults), *still_running(), *unheard),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = Random(options.seed)  # noqa: S311 - to be repeated, not to be secret
    with TemporaryDirectory() as directory:
        outcome = asyncio.run(run(options.callers, Path(directory), random))
    print(outcome)
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
