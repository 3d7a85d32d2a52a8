"""Masters are killed behind Sentinel, and slots move in a Cluster, while writers go on."""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.policy import ANONYMOUS
from gateway.stores import StoreLimits, open_store
from gateway.stores.redis_records import keys_of
from gateway.stores.redis_urls import KEY_PREFIX
from tests.support.appending import Appender, count_lost
from tests.support.contexts import a_context_id
from tests.support.redis_server import RedisServer
from tests.support.redis_topologies import (
    ClusterTrio,
    SentinelTrio,
    await_until,
    slot_of,
    started,
)

CONTEXTS = 4
FAILOVER_SECONDS = 10.0


@dataclass
class Report:
    """`seconds`: from each kill until every writer had an acknowledgement again."""

    title: str
    acknowledged: int = 0
    unanswered: int = 0
    lost: int = 0
    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        slowest = f"; slowest {max(self.seconds):.1f} s" if self.seconds else ""
        counts = (
            f"{self.acknowledged:,} acknowledged, {self.unanswered:,} not, {self.lost:,} lost with"
            f" a master{slowest}"
        )
        return "\n".join((f"{self.title}: {counts}", *(f"FAULT {f}" for f in self.faults)))


@asynccontextmanager
async def writers(url: str) -> AsyncIterator[list[Appender]]:
    """Two for each context, each pair through two stores, as two gateways would be."""
    stores = [open_store(url, StoreLimits()) for _ in range(2)]
    found = [
        Appender(store, a_context_id(number), f"{name}{number}", pause=0.01)
        for number in range(CONTEXTS)
        for name, store in zip("ab", stores, strict=True)
    ]
    async with asyncio.TaskGroup() as tasks:
        for writer in found:
            tasks.create_task(writer.run())
        try:
            yield found
        finally:
            for writer in found:
                writer.stop()
    for store in stores:
        await store.aclose()


async def progress(all_writers: list[Appender], entries: int = 5) -> None:
    goals = [writer.until(len(writer.acknowledged) + entries) for writer in all_writers]
    await asyncio.gather(*goals)


async def judge(writer: Appender, marks: list[int], report: Report) -> None:
    """Of what was acknowledged between two kills, only the last may be missing."""
    try:
        stored = await writer.stored()
        bounds = [0, *marks, len(writer.acknowledged)]
        for first, last in pairwise(bounds):
            lost = count_lost(writer.acknowledged[first:last], stored)
            report.lost += lost
            if lost and last == bounds[-1]:
                report.faults.append(f"{writer.name}: {lost} lost without a failover")
    except AssertionError as fault:
        report.faults.append(f"{writer.name}: {fault}")
    report.acknowledged += len(writer.acknowledged)
    report.unanswered += len(writer.unanswered)


async def fail_over(times: int, directory: Path) -> Report:
    report = Report(f"{times} failovers")
    with started(SentinelTrio(directory)) as trio:
        await asyncio.to_thread(trio.await_agreement)
        async with writers(trio.url) as found:
            marks: dict[str, list[int]] = {writer.name: [] for writer in found}
            for _ in range(times):
                await progress(found)
                former = trio.master()
                former.kill()
                for writer in found:
                    marks[writer.name].append(len(writer.acknowledged))
                since = time.monotonic()
                await progress(found, entries=1)
                report.seconds.append(time.monotonic() - since)
                await asyncio.to_thread(former.start)
                returned = partial(trio.is_in_step, former)
                await asyncio.to_thread(await_until, returned, "the old master follows", 60.0)
            await progress(found)
            for writer in found:
                writer.stop()
            for writer in found:
                await judge(writer, marks[writer.name], report)
    if report.seconds and max(report.seconds) > FAILOVER_SECONDS:
        report.faults.append(f"a failover took more than {FAILOVER_SECONDS} s")
    return report


async def move_slots(times: int, directory: Path) -> Report:
    report = Report(f"{times} moves of a slot")
    slot = slot_of(keys_of(KEY_PREFIX, ANONYMOUS).root)
    with started(ClusterTrio(directory)) as trio:
        async with writers(trio.url) as found:
            for source, target in _journey(trio, slot, times):
                await progress(found)

                def meanwhile(writer: Appender = found[0]) -> None:
                    seen = writer.attempts
                    await_until(lambda: writer.attempts > seen, "the writers go on")

                await asyncio.to_thread(trio.move_slot, slot, source, target, meanwhile)
            await progress(found)
            for writer in found:
                writer.stop()
            for writer in found:
                await judge(writer, [], report)
    return report


def _journey(trio: ClusterTrio, slot: int, times: int) -> Iterator[tuple[RedisServer, RedisServer]]:
    first = trio.nodes.index(trio.owner(slot))
    for number in range(first, first + times):
        yield trio.nodes[number % 3], trio.nodes[(number + 1) % 3]


async def run(failovers: int, moves: int) -> int:
    with TemporaryDirectory() as directory:
        reports = [
            await fail_over(failovers, Path(directory) / "sentinel"),
            await move_slots(moves, Path(directory) / "cluster"),
        ]
    for report in reports:
        print(report)
    return 1 if any(report.faults for report in reports) else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--failovers", type=int, default=5)
    parser.add_argument("--moves", type=int, default=20)
    options = parser.parse_args()
    sys.exit(asyncio.run(run(options.failovers, options.moves)))
