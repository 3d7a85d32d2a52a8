"""A write of several keys, cut off at every byte on its way to Redis and of its answer.

Each time the change is handed over again once the line is whole. What then stands in Redis must be
one whole state: the record, in one index, with no key that lives for ever.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from redis.asyncio import Redis

from gateway.errors import StoreUnavailable
from gateway.interfaces import Change, ContextStore
from gateway.policy import ANONYMOUS
from tests.support.contexts import a_context_id, append, delete, opened, tools_of
from tests.support.fault_proxy import Fault, Strike, fault_proxy
from tests.support.redis_server import start_redis

_SHOWN = 20
_ANSWER_BYTES = 8
"""More than the answer to a write has."""


@dataclass(slots=True)
class Blade:
    """Cuts the next `times` writes at one byte; `longest` is the longest write so far."""

    fault: Fault = Fault.CUT_COMMAND
    at: int = 0
    times: int = 0
    longest: int = 0

    def choose(self, message: bytes) -> Strike | None:
        if b"EVAL" not in message:
            return None
        self.longest = max(self.longest, len(message))
        if not self.times:
            return None
        self.times -= 1
        return Strike(fault=self.fault, at=self.at)


@dataclass(slots=True)
class Cuts:
    """One run: contexts that are made, moved on and deleted, each step cut once or twice.

    `direct` and `client` reach the same Redis without the proxy.
    """

    store: ContextStore
    direct: ContextStore
    blade: Blade
    client: Redis
    faults: list[str] = field(default_factory=list)
    contexts: int = 0

    async def at(self, fault: Fault, byte: int, times: int) -> None:
        self.blade.fault, self.blade.at = fault, byte
        context_id = a_context_id(self.contexts)
        self.contexts += 1
        names: list[str] = []
        for name in ("first", "second"):
            await self._step(context_id, append(name, context_id=context_id), times)
            names.append(name)
            await self._check(context_id, names, f"{fault} at {byte}, {times} times, {name}")
        await self._step(context_id, delete(), times)
        await self._check(context_id, [], f"{fault} at {byte}, {times} times, deletion")

    async def _step(self, context_id: str, change: Change, times: int) -> None:
        self.blade.times = times
        try:
            await self.store.update(ANONYMOUS, context_id, change)
        except StoreUnavailable:
            # Whatever is there now is a whole state, too.
            self.blade.times = 0
            await self._check(context_id, None, f"{self.blade.fault} at {self.blade.at}, refused")
            await self.store.update(ANONYMOUS, context_id, change)
        self.blade.times = 0

    async def _check(self, context_id: str, names: list[str] | None, when: str) -> None:
        stored = await self.direct.get(ANONYMOUS, context_id, newest=True)
        found = tools_of(stored.context) if stored else []
        if names is not None and found != names:
            self.faults.append(f"{when}: {found} instead of {names}")
        self.faults += [f"{when}: {fault}" async for fault in self._broken(context_id)]

    async def _broken(self, context_id: str) -> AsyncIterator[str]:
        """What is wrong with the keys themselves."""
        records = set[str]()
        indexed: list[str] = []
        for key in [str(key) async for key in self.client.scan_iter("*")]:
            if await self.client.pttl(key) <= 0:
                yield f"{key} lives for ever"
            if await self.client.type(key) == "zset":
                indexed += map(str, await self.client.zrange(key, 0, -1))
            else:
                records.add(key.rpartition(":")[2])
        if sorted(indexed) != sorted(records):
            yield f"indexes name {indexed}, records are {sorted(records)}"
        if not records <= {context_id}:
            yield f"records of others: {sorted(records)}"


async def run(step: int, directory: Path) -> tuple[int, list[str]]:
    """Cut at every byte whose number `step` divides: how many cuts, and what they found."""
    with start_redis(directory / "redis", "--appendfsync", "no") as server:
        async with (
            fault_proxy(server.port) as proxy,
            Redis.from_url(server.url, decode_responses=True) as client,
            opened(proxy.url) as store,
            opened(server.url) as direct,
        ):
            blade = Blade()
            proxy.choose = blade.choose
            cuts = Cuts(store=store, direct=direct, blade=blade, client=client)
            await _cut_everywhere(cuts, step)
        return proxy.struck.total(), cuts.faults


async def _cut_everywhere(cuts: Cuts, step: int) -> None:
    # The script goes along once; from then on its name does.
    await cuts.at(Fault.CUT_COMMAND, 0, 0)
    cuts.blade.longest = 0
    await cuts.at(Fault.CUT_COMMAND, 0, 0)
    longest = cuts.blade.longest
    for times in (1, 2):
        for byte in range(0, longest, step):
            await cuts.at(Fault.CUT_COMMAND, byte, times)
        for byte in range(_ANSWER_BYTES):
            await cuts.at(Fault.CUT_ANSWER, byte, times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--step", type=int, default=1, help="cut at every STEPth byte")
    options = parser.parse_args()
    with TemporaryDirectory() as directory:
        struck, faults = asyncio.run(run(options.step, Path(directory)))
    print(f"{struck:,} cuts, {len(faults):,} faults")
    print(*faults[:_SHOWN], sep="\n")
    return 1 if faults or not struck else 0


if __name__ == "__main__":
    sys.exit(main())
