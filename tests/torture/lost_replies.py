"""Connections to Redis that fail at any byte, and callers that leave, under many writers at once.

Three stores, as of three gateways, share one Redis, each behind a proxy that strikes. When all is
calm again nothing may be left over: no task, no unheard error, no connection.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from gateway.stores.redis_connections import MAX_CONNECTIONS, OPERATION_SECONDS
from tests.support.checker import Verdict, judge, read_all
from tests.support.contexts import mark_of, opened
from tests.support.fault_proxy import Choose, Fault, FaultProxy, Strike, fault_proxy
from tests.support.redis_server import start_redis
from tests.torture.storm import LEAVING_SECONDS, Storm, still_running, unheard_errors

STORES = 3
STRUCK = 0.5
"""The share of messages to Redis that a fault meets."""
STALLED = 0.05
"""The share of faults that make a command or its answer come too late."""
_SHOWN = 20
_LINGER_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one run. `struck`: the faults that took place."""

    verdict: Verdict
    struck: Counter[Fault]
    cancelled: int
    most_open: int
    seconds: float
    other_faults: tuple[str, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        return self.verdict.faults + self.other_faults

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        kinds = ", ".join(f"{number:,} {fault}" for fault, number in self.struck.items())
        yield f"{self.struck.total():,} injections in {self.seconds:.0f} s: {kinds}"
        yield f"{self.cancelled:,} callers left before their answer"
        yield f"at most {self.most_open} connections of one store"
        yield from self.verdict.lines()
        yield f"{len(self.faults):,} faults"
        yield from self.faults[:_SHOWN]


async def run(injections: int, directory: Path, random: Random) -> Outcome:
    """Strike that many times."""
    started = time.monotonic()
    unheard = unheard_errors()
    storm = Storm(random)
    with start_redis(directory / "redis", "--appendfsync", "no") as server:
        async with AsyncExitStack() as stack:
            proxies = [
                await stack.enter_async_context(fault_proxy(server.port)) for _ in range(STORES)
            ]
            await _rage(storm, proxies, _choice(storm, random), injections)
            left = [fault async for fault in _left_over(proxies)]
        kept = await read_all(server.url, storm.ledger)
    return Outcome(
        verdict=judge(storm.ledger, kept, mark_of),
        struck=_struck(proxies),
        cancelled=storm.cancelled,
        most_open=max(proxy.most_open for proxy in proxies),
        seconds=time.monotonic() - started,
        other_faults=(*dict.fromkeys(storm.faults), *left, *still_running(), *unheard),
    )


def _choice(storm: Storm, random: Random) -> Choose:
    slow = (Fault.LATE, Fault.STALL)
    faults = tuple(fault for fault in Fault if fault not in slow)

    def choose(message: bytes) -> Strike | None:
        if random.random() >= STRUCK:
            return None
        if random.random() < STALLED:
            # The store gives up. The command is carried out afterwards, or the answer comes to a
            # connection that it had better dropped.
            return Strike(fault=random.choice(slow), seconds=1.2 * OPERATION_SECONDS)
        # A caller who leaves shall leave behind an answer that is still to come.
        late = any(context_id.encode() in message for context_id in storm.deserted)
        fault = Fault.DELAY if late and random.random() < STRUCK else random.choice(faults)
        size = len(message) if fault is Fault.CUT_COMMAND else 8
        # Half of the cuts come before the first byte: the command that never arrived, and the
        # one whose answer is lost whole.
        at = random.choice((0, random.randrange(size)))
        return Strike(fault=fault, at=at, seconds=random.uniform(0, 2 * LEAVING_SECONDS))

    return choose


async def _rage(
    storm: Storm, proxies: Sequence[FaultProxy], choose: Choose, injections: int
) -> None:
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(opened(proxy.url)) for proxy in proxies]
        for proxy in proxies:
            proxy.choose = choose
        await storm.rage(stores, lambda: _struck(proxies).total() >= injections)
        for proxy in proxies:
            proxy.choose = lambda _message: None
        for store in stores:
            await storm.calm(store)


def _struck(proxies: Sequence[FaultProxy]) -> Counter[Fault]:
    return sum((proxy.struck for proxy in proxies), Counter())


async def _left_over(proxies: Sequence[FaultProxy]) -> AsyncIterator[str]:
    for proxy in proxies:
        if proxy.most_open > MAX_CONNECTIONS:
            yield f"{proxy.most_open} connections of one store at once"
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                await proxy.closed()
        except TimeoutError:
            yield f"{proxy.open} connections left open"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--injections", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = Random(options.seed)  # noqa: S311 - to be repeated, not to be secret
    with TemporaryDirectory() as directory:
        outcome = asyncio.run(run(options.injections, Path(directory), random))
    print(outcome)
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
