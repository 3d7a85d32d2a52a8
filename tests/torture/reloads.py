"""Reloads under load: descriptions replaced, SIGHUP, no failed request, and no list of two halves.

F8, R-37. Each reload is another generation of the description, so that each list tells which one it
is of; it is over once a list of that generation was seen.
"""

import asyncio
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.torture import asks
from tests.torture.crowd import Crowd, percentile
from tests.torture.lines import Line
from tests.torture.proc import descriptors, resident_bytes
from tests.torture.stand import Stand, open_stand, run_command

CALLERS = 16
RATE = 300.0
P99_RATIO = 1.5
LEAST_MS = 25.0
"""A p99 below this is good whatever it was in calm."""
MOST_GROWTH = 0.10
"""Of the resident set, over the second half of all reloads."""
_PATIENCE_SECONDS = 20.0
_CALM_REQUESTS = 600


@dataclass(slots=True)
class Reloads:
    crowd: Crowd
    number: int = 0
    slowest: float = 0.0
    calm_p99: float = 0.0
    busy_p99: float = 0.0
    memory: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    ways: Counter[str] = field(default_factory=Counter)
    other_faults: list[str] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """Of memory, from the middle to the end."""
        return self.memory[-1] / self.memory[len(self.memory) // 2] - 1 if self.memory else 0.0

    @property
    def faults(self) -> list[str]:
        return [*self.crowd.faults, *self.other_faults]

    @property
    def _memory_told(self) -> str:
        """From the first to the last reload, in five steps."""
        places = (len(self.memory) * step // 5 for step in range(5))
        told = [*(self.memory[place] for place in places), self.memory[-1]]
        return ", ".join(f"{size / 1e6:.1f}" for size in told)

    def __str__(self) -> str:
        ways = ", ".join(f"{way} {number}" for way, number in sorted(self.ways.items()))
        return "\n".join(
            (
                f"{self.number} reloads ({ways}), the slowest seen after {self.slowest:.2f} s",
                f"p99 {self.calm_p99:.1f} ms in calm, {self.busy_p99:.1f} ms while reloading",
                f"memory {self._memory_told} MB, {self.growth:+.1%} in the second half",
                f"descriptors {self.descriptors[0]} at first, {self.descriptors[-1]} at last",
                *self.crowd.lines(),
                *self.other_faults,
            )
        )


async def run(number: int, directory: Path, random: Random) -> Reloads:
    """Also judges figures from 50 reloads on; of fewer they say nothing."""
    # Contexts are full early, so that they are not what grows.
    async with open_stand(directory, configuration="store: {max_history: 20}\n") as stand:
        lists = asks.Lists()
        mix = [
            asks.proxied, asks.proxied, asks.proxied, asks.uploaded, asks.proxied_slow,
            asks.called, asks.called_by_mcp, lists.listed, lists.listed_by_mcp,
        ]  # fmt: skip
        crowd = Crowd(lambda: stand.gateway.url, mix, random)
        reloads = Reloads(crowd)
        async with crowd.at_work(CALLERS, rate=RATE):
            await crowd.progress(_CALM_REQUESTS if number >= 50 else 50)
            reloads.calm_p99 = percentile(crowd.seconds, 99)
            crowd.seconds.clear()
            for generation in range(1, number + 1):
                await _reload(stand, reloads, generation, random)
            reloads.busy_p99 = percentile(crowd.seconds, 99)
    if number >= 50:
        reloads.other_faults += _judged(reloads)
    return reloads


def _judged(reloads: Reloads) -> list[str]:
    faults = []
    if reloads.busy_p99 > max(LEAST_MS, P99_RATIO * reloads.calm_p99):
        faults.append("p99 has risen too much")
    if reloads.growth > MOST_GROWTH:
        faults.append("memory grows")
    if reloads.descriptors[-1] > reloads.descriptors[0] + CALLERS:
        faults.append("descriptors grow")
    return faults


async def _reload(stand: Stand, reloads: Reloads, generation: int, random: Random) -> None:
    started = time.monotonic()
    asks.write_description(stand.description, generation)
    # The watch of files finds it, or the signal does first; both at once is most often.
    way = random.choice(("watched", "SIGHUP", "SIGHUP twice"))
    for _ in range(("watched", "SIGHUP", "SIGHUP twice").index(way)):
        stand.gateway.process.send_signal(signal.SIGHUP)
        await asyncio.sleep(random.random() * 0.02)
    if not await _is_seen(stand.gateway.url, generation):
        reloads.other_faults.append(f"generation {generation} ({way}) was not seen")
    reloads.number += 1
    reloads.ways[way] += 1
    reloads.slowest = max(reloads.slowest, time.monotonic() - started)
    reloads.memory.append(resident_bytes(stand.pid))
    reloads.descriptors.append(descriptors(stand.pid))


async def _is_seen(url: str, generation: int) -> bool:
    request = asks.request_bytes("GET", f"/tools/generation{generation}marker0")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    line = await Line.open(url)
    try:
        while True:
            if (await line.ask(request)).status == 200:
                return True
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.02)
    finally:
        line.close()


if __name__ == "__main__":
    run_command(run, __doc__, size=500, what="reloads")
