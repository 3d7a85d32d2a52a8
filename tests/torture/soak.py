"""Millions of mixed requests: memory and descriptors stay what they are.

R-37, F18. Proxied requests small, slow and large, uploads, tools called and listed by HTTP and MCP,
clients that leave, descriptions replaced; and, every so often, a look at the process.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import linear_regression, median

from tests.torture import asks
from tests.torture.client_aborts import Aborts, leave
from tests.torture.crowd import Crowd
from tests.torture.proc import descriptors, resident_bytes
from tests.torture.stand import Stand, open_stand, run_command

CALLERS = 32
MOST_SLOPE = 0.01
"""Of the resident set, for 100,000 requests."""
JUDGED = 200_000
"""From so many requests on: before, what is kept on purpose is still being filled."""
_EVERY = 5_000
_WARM = 0.25
"""The share of requests at first that memory is not judged by."""
_LEAVERS = 20


@dataclass(slots=True)
class Soak:
    crowd: Crowd
    seconds: float = 0.0
    samples: list[tuple[int, int, int]] = field(default_factory=list)
    reloads: int = 0
    left: int = 0
    other_faults: list[str] = field(default_factory=list)

    @property
    def judged(self) -> list[tuple[int, int, int]]:
        return self.samples[int(len(self.samples) * _WARM) :]

    @property
    def slope(self) -> float:
        """Growth of memory in 100,000 requests, of what it is in the middle."""
        if len(self.judged) < 2:
            return 0.0
        numbers = [number for number, _, _ in self.judged]
        sizes = [size for _, size, _ in self.judged]
        return linear_regression(numbers, sizes).slope * 100_000 / median(sizes)

    @property
    def faults(self) -> list[str]:
        return [*self.crowd.faults, *self.other_faults]

    def __str__(self) -> str:
        first, last = self.judged[0], self.judged[-1]
        return "\n".join(
            (
                (
                    f"{self.crowd.answered:,} requests in {self.seconds:.0f} s "
                    f"({self.crowd.answered / self.seconds:,.0f}/s), {self.left:,} clients left, "
                    f"{self.reloads} reloads"
                ),
                (
                    f"memory {first[1] / 1e6:.1f} MB after {first[0]:,}, {last[1] / 1e6:.1f} MB "
                    f"after {last[0]:,}; {self.slope:+.2%} in 100,000 requests"
                ),
                (
                    f"descriptors {first[2]} after {first[0]:,}, {last[2]} after {last[0]:,}, "
                    f"{max(sample[2] for sample in self.judged)} at most"
                ),
                *self.crowd.lines(),
                *self.other_faults,
            )
        )


async def run(number: int, directory: Path, random: Random) -> Soak:
    # As much is kept of a context as it may, before memory is judged.
    async with open_stand(directory, configuration="store: {max_history: 100}\n") as stand:
        lists = asks.Lists()
        mix = [
            *[asks.proxied] * 8, *[asks.called] * 4, *[asks.called_by_mcp] * 4,
            *[asks.uploaded] * 2, asks.proxied_slow, asks.proxied_large,
            lists.listed, lists.listed_by_mcp,
        ]  # fmt: skip
        # Callers and those that leave may be too many for a moment: counted, and no fault.
        crowd = Crowd(
            lambda: stand.gateway.url, mix, random, excused=lambda answer: answer.status == 503
        )
        soak = Soak(crowd)
        started = time.monotonic()
        async with crowd.at_work(CALLERS):
            for sample in range(1, max(2, number // _EVERY) + 1):
                await crowd.progress(min(number, sample * _EVERY) - crowd.answered)
                await _disturb(stand, soak, sample, random)
        soak.seconds = time.monotonic() - started
    soak.other_faults += _judged(soak, number)
    return soak


async def _disturb(stand: Stand, soak: Soak, sample: int, random: Random) -> None:
    aborts = Aborts(soak.crowd)
    await leave(stand, aborts, _LEAVERS, random)
    soak.left += _LEAVERS
    if sample % 10 == 0:
        soak.reloads += 1
        asks.write_description(stand.description, soak.reloads)
    size, open_now = resident_bytes(stand.pid), descriptors(stand.pid)
    soak.samples.append((soak.crowd.answered, size, open_now))
    # A run takes long: whoever watches it need not wait for the end.
    with (stand.gateway.directory / "samples.txt").open("a") as told:
        told.write(f"{soak.crowd.answered} {size} {open_now} {len(soak.faults)}\n")
    # Thousands of figures of one run are enough, and must not look like a leak of ours.
    del soak.crowd.seconds[:-100_000]


def _judged(soak: Soak, number: int) -> list[str]:
    if number < JUDGED:
        return []
    faults = [] if soak.slope < MOST_SLOPE else [f"memory grows by {soak.slope:.2%}"]
    first, last = soak.judged[0][2], soak.judged[-1][2]
    return [*faults, *([] if last <= first + CALLERS else ["descriptors grow"])]


if __name__ == "__main__":
    run_command(run, __doc__, size=2_000_000, what="requests")
