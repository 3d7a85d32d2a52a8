"""`kill -9` of one of three processes that write to one store, at the moment of an acknowledgement.

Without HTTP in between, an acknowledgement that comes a moment too early is found out.
"""

import argparse
import asyncio
import sys
from asyncio.subprocess import Process
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.support.checker import Heard, Ledger, Verdict, judge, read_all
from tests.support.contexts import a_context_id, mark_of
from tests.support.redis_server import start_redis
from tests.torture.writer_process import start_writers

PROCESSES = 3
PATIENCE_SECONDS = 60.0
_SHOWN = 20
_HEARD = {"ack": Heard.ACKNOWLEDGED, "deny": Heard.DENIED}


class Writers:
    """A process, and what it says as long as it lives."""

    def __init__(self, process: Process, ledger: Ledger) -> None:
        self._process = process
        self._ledger = ledger
        self._killed = False
        self._left: int | None = None

    def kill_after(self, acknowledgements: int) -> None:
        self._left = acknowledgements

    async def listen(self) -> None:
        """Until it is dead, and all that it has said is heard."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            acknowledged = self._hear(line)
            if self._left is not None and not self._killed:
                self._left -= acknowledged
                if self._left <= 0:
                    self._killed = True
                    self._process.kill()
        assert self._killed, "a writer has ended by itself"
        await self._process.wait()

    def _hear(self, line: bytes) -> bool:
        word, context_id, mark = line.decode().split()
        if word == "ask":
            self._ledger.ask(context_id, mark)
        else:
            self._ledger.hear(context_id, mark, _HEARD[word])
        return word == "ack"


async def run(url: str, kills: int, random: Random) -> Verdict:
    """Kill that many, then those that are left."""
    ledger, numbers = Ledger(), count()

    async def start(group: asyncio.TaskGroup) -> tuple[Writers, asyncio.Task[None]]:
        # Each process writes to a context of the one before it and to a new one.
        number = next(numbers)
        contexts = (a_context_id(max(0, number - 1)), a_context_id(number))
        writers = Writers(await start_writers(url, f"writer{number}", contexts), ledger)
        return writers, group.create_task(writers.listen())

    async with asyncio.TaskGroup() as group:
        running = [await start(group) for _ in range(PROCESSES)]
        for number in range(kills):
            writers, ended = running[number % PROCESSES]
            writers.kill_after(random.randint(20, 120))
            async with asyncio.timeout(PATIENCE_SECONDS):
                await ended
            running[number % PROCESSES] = await start(group)
        for writers, _ in running:
            writers.kill_after(1)
    return judge(ledger, await read_all(url, ledger), mark_of)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="of each store's writers")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    faults = 0
    with TemporaryDirectory() as directory, start_redis(Path(directory) / "redis") as server:
        for url in (server.url, f"sqlite:///{directory}/contexts.db"):
            random = Random(options.seed)  # noqa: S311 - to be repeated, not to be secret
            verdict = asyncio.run(run(url, options.kills, random))
            print(f"{url.partition(':')[0]}: {options.kills} kills", *verdict.lines(), sep="\n")
            print(f"{len(verdict.faults):,} faults", *verdict.faults[:_SHOWN], sep="\n")
            faults += len(verdict.faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
