"""Four times as many requests as the gateway can answer: it refuses early, and answers the others.

R-33, F10. First its peak, by callers that wait for their answers; then four times that, by callers
that do not; then half of it, to see how soon nobody is refused any more. All the while `/healthz`
is asked.
"""

import asyncio
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.torture import asks
from tests.torture.crowd import percentile
from tests.torture.lines import Line
from tests.torture.stand import Stand, open_stand, run_command
from tests.torture.volleys import Gunner, Volley

TIMES = 4
PEAK_CALLERS = 128
"""Enough to keep the gateway busy always; it refuses none of so few."""
LINES = 1_024
"""Connections that are there before the overload comes, as load balancers keep them."""
LEAST_GOODPUT = 0.8
MOST_P99 = 2.0
MOST_REFUSAL_MS = 20.0
MOST_RECOVERY_SECONDS = 5.0
ONSET_SECONDS = 3.0
"""Until an overload has shown that it is no burst, and what was admitted until then is answered."""
JUDGED_SECONDS = 20
"""Shorter runs say that answers are right, whether there are many or too many."""


@dataclass(slots=True)
class Storm:
    peak: Volley
    onset: Volley
    over: Volley
    after: Volley
    recovery: float
    health: list[float] = field(default_factory=list)
    other_faults: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [
            *self.peak.wrong,
            *self.onset.wrong,
            *self.over.wrong,
            *self.after.wrong,
            *self.other_faults,
        ]

    def __str__(self) -> str:
        over = self.over
        return "\n".join(
            (
                f"peak {self.peak.goodput:,.0f} requests/s, {_times(self.peak.good)}",
                (
                    f"asked {over.asked / over.seconds:,.0f}/s: good {over.goodput:,.0f}/s "
                    f"({over.goodput / self.peak.goodput:.0%} of peak), {_times(over.good)}; "
                    f"refused {len(over.refused) / over.seconds:,.0f}/s, {_times(over.refused)}; "
                    f"{over.unasked:,} not asked for want of a connection"
                ),
                f"its first {self.onset.seconds:.0f} s apart: {_times(self.onset.good)}",
                f"the callers' own processor {over.own_seconds / over.seconds:.0%}",
                (
                    f"afterwards {self.after.goodput:,.0f}/s, {_times(self.after.good)}, the last "
                    f"refusal after {self.recovery:.2f} s"
                ),
                f"/healthz {len(self.health):,} times, {_times(self.health)}",
                *self.faults[:20],
            )
        )


def _times(seconds: list[float]) -> str:
    return f"p50 {percentile(seconds, 50):.1f} p99 {percentile(seconds, 99):.1f} ms"


async def run(
    seconds: int, directory: Path, _random: Random, *, kind: str = "proxied", times: float = TIMES
) -> Storm:
    """`times` is how many times the peak is asked for."""
    async with open_stand(directory) as stand, asyncio.TaskGroup() as group:
        gunner = Gunner(stand.gateway.url, _REQUESTS[kind])
        if seconds >= JUDGED_SECONDS:
            _pin(stand)
        await gunner.closed_loop(PEAK_CALLERS, min(1, seconds / 4))
        peak = await gunner.closed_loop(PEAK_CALLERS, max(0.5, seconds / 4))
        await gunner.connect(LINES)
        health: list[float] = []
        looking = group.create_task(_look(stand.gateway.url, health))
        onset = await gunner.open_loop(times * peak.goodput, min(seconds, ONSET_SECONDS))
        over = await gunner.open_loop(times * peak.goodput, seconds)
        relieved = time.monotonic()
        after = await gunner.open_loop(peak.goodput / 2, max(1, min(10, seconds / 2)))
        await gunner.rest()
        looking.cancel()
        gunner.close()
    recovery = max(0.0, after.last_refused - relieved)
    storm = Storm(peak, onset, over, after, recovery, health)
    storm.other_faults += _judged(storm) if seconds >= JUDGED_SECONDS else []
    return storm


def _pin(stand: Stand) -> None:
    """Callers and API on one core, the gateway on another, where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(stand.pid, {cores[-1]})
    os.sched_setaffinity(0, {cores[0]})


def _judged(storm: Storm) -> list[str]:
    peak_p99 = percentile(storm.peak.good, 99)
    verdicts = {
        "nothing was refused": not storm.over.refused,
        "goodput has fallen": storm.over.goodput < LEAST_GOODPUT * storm.peak.goodput,
        "who is admitted waits too long": percentile(storm.over.good, 99) > MOST_P99 * peak_p99,
        "refusals take too long": percentile(storm.over.refused, 99) > MOST_REFUSAL_MS,
        "there is no recovery in time": storm.recovery > MOST_RECOVERY_SECONDS,
    }
    return [fault for fault, is_so in verdicts.items() if is_so]


async def _look(url: str, health: list[float]) -> None:
    line = await Line.open(url)
    while True:
        started = time.monotonic()
        answer = await line.ask(asks.request_bytes("GET", "/healthz"))
        if answer.status == 200:
            health.append(time.monotonic() - started)
        await asyncio.sleep(0.1)


def _proxied(number: int) -> tuple[bytes, bytes]:
    tag = f"v{number}"
    return asks.request_bytes("GET", f"/apis/{asks.API}/small/0?tag={tag}"), tag.encode()


def _called(number: int) -> tuple[bytes, bytes]:
    ask = asks.called_by_mcp(f"v{number}")
    return ask.request, b"}"


_REQUESTS = {"proxied": _proxied, "called": _called}


if __name__ == "__main__":
    run_command(run, __doc__, size=60, what="seconds of overload")
