"""One API hangs with a thousand callers; another answers as if nothing were (R-11, F11).

Its callers come at a steady pace, so that what is measured is waiting, not load. Those of the API
that hangs come back after a while, a longer one each time. The refusals are timed as well: whoever
finds neither a place nor room to wait is told at once.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from statistics import quantiles

import aiohttp

from tests.support.gateway_process import GatewayProcess
from tests.torture.asks import write_description
from tests.torture.stand import run_command
from tests.torture.tagged_api import tagged_api

STUCK = 1_000
RATE = 200.0
SETTLING_SECONDS = 5.0
"""Until most of them know that they have to wait."""
MOST_PATIENCE = 30.0
_HOURS_MS = 36_000_000
# A loaded machine of two cores has moments of its own; what would be wrong is seconds.
_MOST_TIMES, _MOST_SECONDS = 1.2, 0.01


@dataclass(slots=True)
class Times:
    """Seconds of the good API's answers, without and with the other one's callers."""

    quiet: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def wrong(self) -> list[str]:
        """Answers that nobody should have got."""
        return [f"{n} x {what}" for what, n in self.statuses.items() if what.endswith("!")]

    @property
    def faults(self) -> Sequence[str]:
        wrong = self.wrong
        before, after = _p99(self.quiet), _p99(self.beside)
        if after > max(_MOST_TIMES * before, before + _MOST_SECONDS):
            wrong.append(f"p99 {before * 1e3:.1f} -> {after * 1e3:.1f} ms")
        return wrong

    def __str__(self) -> str:
        return "\n".join(
            (
                f"good API alone: {_figures(self.quiet)}",
                f"beside the one that hangs: {_figures(self.beside)}",
                f"refusals: {_figures(self.refusals)}",
                ", ".join(f"{n:,} x {what}" for what, n in sorted(self.statuses.items())),
                *self.faults,
            )
        )


def _p99(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=100)[98] if len(seconds) > 1 else 0.0


def _figures(seconds: Sequence[float]) -> str:
    middle = sorted(seconds)[len(seconds) // 2] if seconds else 0.0
    return f"{len(seconds):,} answers, p50 {middle * 1e3:.2f} ms, p99 {_p99(seconds) * 1e3:.2f} ms"


async def run(answers: int, directory: Path, random: Random) -> Times:
    """`answers` of the good API in either half."""
    times = Times()
    write_description(directory / "work.json")
    async with tagged_api() as api:
        apis = [
            {
                "name": name,
                "spec": "work.json",
                "base_url": api.url,
                "timeout_seconds": 600,
                "max_concurrency": STUCK // 4,
            }
            for name in ("good", "stuck")
        ]
        config = directory / "gateway.json"
        config.write_text(json.dumps({"apis": apis, "store": {"url": "memory://"}}))
        gateway = GatewayProcess(str(config), "--log-level", "warning", directory=directory)
        await asyncio.to_thread(gateway.start)
        connector = aiohttp.TCPConnector(limit=0)
        try:
            async with aiohttp.ClientSession(connector=connector) as http:
                await _ask(http, gateway.url, answers, times.quiet, times.statuses)
                hanging = (_hang(http, gateway.url, times, random) for _ in range(STUCK))
                stuck = [asyncio.ensure_future(one) for one in hanging]
                await asyncio.sleep(SETTLING_SECONDS)
                await _ask(http, gateway.url, answers, times.beside, times.statuses)
                for task in stuck:
                    task.cancel()
                await asyncio.gather(*stuck, return_exceptions=True)
        finally:
            await asyncio.to_thread(gateway.stop)
    return times


async def _ask(
    http: aiohttp.ClientSession,
    url: str,
    answers: int,
    seconds: list[float],
    statuses: Counter[str],
) -> None:
    begun = time.monotonic()
    for number in range(answers):
        await asyncio.sleep(max(0.0, begun + number / RATE - time.monotonic()))
        started = time.monotonic()
        async with http.get(f"{url}/apis/good/small/0?tag=t{number}") as answer:
            fine = answer.status == 200 and await answer.text() == f"t{number}"
        seconds.append(time.monotonic() - started)
        statuses["good 200" if fine else f"good {answer.status}!"] += 1


async def _hang(http: aiohttp.ClientSession, url: str, times: Times, random: Random) -> None:
    with suppress(aiohttp.ClientConnectionError):
        for attempt in count():
            started = time.monotonic()
            async with http.get(f"{url}/apis/stuck/slow/{_HOURS_MS}?tag=x") as answer:
                if answer.status != 503:
                    times.statuses[f"stuck {answer.status}!"] += 1
                    return
                code = (await answer.json())["code"]
            took = time.monotonic() - started
            times.statuses[f"stuck {code}"] += 1
            if took < 0.9:  # the others have waited for a place
                times.refusals.append(took)
            longer = random.uniform(1, min(2.0**attempt, MOST_PATIENCE))
            await asyncio.sleep(float(answer.headers["Retry-After"]) * longer)


if __name__ == "__main__":
    run_command(run, __doc__, size=3_000, what="answers in either half")
