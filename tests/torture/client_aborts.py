"""Clients that leave in the middle, by the thousand: nothing of them stays.

R-08, F2. They leave while they wait for an answer, while they upload, amid a large answer, amid an
event stream, amid a tool's call, as listeners to changes. Afterwards tasks, descriptors and the
connections and requests at the API are what they were before.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from tests.support.mcp_core import META
from tests.torture import asks
from tests.torture.counting_gateway import tasks_of
from tests.torture.crowd import Crowd
from tests.torture.proc import descriptors, resident_bytes
from tests.torture.stand import Stand, open_stand, run_command
from tests.torture.waiting import until

AT_ONCE = 100
LET_GO_SECONDS = 1.0
_APART_SECONDS = 0.2
_PATIENCE_SECONDS = 30.0
_GOOD_CALLERS = 4
_GOOD_RATE = 40.0


@dataclass(slots=True)
class Aborts:
    crowd: Crowd
    ways: Counter[str] = field(default_factory=Counter)
    met: int = 0
    slowest: float = 0.0
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    memory: tuple[int, int] = (0, 0)
    other_faults: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [*self.crowd.faults, *self.other_faults]

    def __str__(self) -> str:
        ways = ", ".join(f"{way} {number:,}" for way, number in sorted(self.ways.items()))
        first, last = self.memory
        return "\n".join(
            (
                f"{self.ways.total():,} clients left ({ways})",
                f"{self.met:,} requests had reached the API",
                f"the API was let go after {self.slowest:.2f} s at most",
                f"before {self.before}",
                f"after  {self.after}",
                f"memory {first >> 20} MB before, {last >> 20} MB after",
                *self.crowd.lines(),
                *self.other_faults,
            )
        )


async def run(number: int, directory: Path, random: Random) -> Aborts:
    report = directory / "tasks"
    async with open_stand(directory, counts_to=report) as stand:
        # Hundreds of new connections in a moment are more than there is time for, now and then.
        crowd = Crowd(
            lambda: stand.gateway.url,
            [asks.proxied, asks.called],
            random,
            excused=lambda answer: answer.status == 503,
        )
        aborts = Aborts(crowd)
        # What only the first of a kind costs is no leak.
        await leave(stand, aborts, AT_ONCE, random)
        aborts.ways.clear()
        aborts.before = await _baseline(stand, report)
        first, begun = resident_bytes(stand.pid), stand.api.tally.begun
        async with crowd.at_work(_GOOD_CALLERS, rate=_GOOD_RATE):
            while aborts.ways.total() < number:
                await leave(stand, aborts, min(AT_ONCE, number - aborts.ways.total()), random)
        aborts.met = stand.api.tally.begun - begun
        aborts.memory = (first, resident_bytes(stand.pid))
        await _compare(stand, aborts, report)
    return aborts


async def _baseline(stand: Stand, report: Path) -> dict[str, int]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        before = await _settled(stand, report)
        if not before["handlers"] or time.monotonic() > deadline:
            return before
        await asyncio.sleep(0.1)


async def _compare(stand: Stand, aborts: Aborts, report: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        aborts.after = await _settled(stand, report)
        worse = [name for name, was in aborts.before.items() if aborts.after[name] > was]
        if not worse or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.2)
    aborts.other_faults += (f"more {name} than before" for name in worse)
    if aborts.slowest > LET_GO_SECONDS:
        aborts.other_faults.append(f"the API was let go after {aborts.slowest:.2f} s only")


async def _settled(stand: Stand, report: Path) -> dict[str, int]:
    tasks = await asyncio.to_thread(tasks_of, stand.pid, report)
    return {
        "tasks": len(tasks),
        "handlers": sum(task.startswith("RequestHandler._handle_request ") for task in tasks),
        "descriptors": descriptors(stand.pid) - stand.api.tally.connections,
        "requests at the API": stand.api.tally.running,
    }


async def leave(stand: Stand, aborts: Aborts, number: int, random: Random) -> None:
    """So many clients at once; until the API knows that all have left."""
    chosen = [random.choice(tuple(_WAYS)) for _ in range(number)]
    async with asyncio.TaskGroup() as group:
        for place, way in enumerate(chosen):
            patience = random.uniform(0.005, 0.3)
            tag = f"a{aborts.ways.total()}-{place}"
            request, delay = _WAYS[way](tag), random.uniform(0, _APART_SECONDS)
            group.create_task(_leave_one(stand.gateway.url, request, delay, patience))
    started = time.monotonic()
    # The good callers' own requests are over in an instant, so that zero is met.
    await until(lambda: not stand.api.tally.running, seconds=_PATIENCE_SECONDS, pause=0.002)
    aborts.slowest = max(aborts.slowest, time.monotonic() - started)
    aborts.ways.update(chosen)


async def _leave_one(url: str, request: bytes, delay: float, patience: float) -> None:
    parts = urlsplit(url)
    await asyncio.sleep(delay)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request)
    try:
        async with asyncio.timeout(patience):
            await reader.readexactly(1 << 30)
    except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.transport.abort()


def _waiting(tag: str) -> bytes:
    return asks.request_bytes("GET", f"/apis/{asks.API}/slow/60000?tag={tag}")


def _uploading(tag: str) -> bytes:
    whole = asks.request_bytes(
        "POST", f"/apis/{asks.API}/small/0", f"{tag} ".ljust(500_000, ".").encode()
    )
    return whole[:200_000]


def _reading(tag: str) -> bytes:
    return asks.request_bytes("GET", f"/apis/{asks.API}/large/100000000?tag={tag}")


def _hearing(tag: str) -> bytes:
    return asks.request_bytes("GET", f"/apis/{asks.API}/events/10?tag={tag}")


def _calling(tag: str) -> bytes:
    body = json.dumps({"amount": 60_000, "tag": tag}).encode()
    return asks.request_bytes("POST", "/tools/getSlow", body, {"Content-Type": "application/json"})


def _calling_by_mcp(tag: str) -> bytes:
    arguments = {"amount": 60_000, "tag": tag}
    params = {"_meta": dict(META), "name": "getSlow", "arguments": arguments}
    return asks.mcp_bytes("tools/call", params, "getSlow")


def _listening(_tag: str) -> bytes:
    params = {"_meta": dict(META), "notifications": {"toolsListChanged": True}}
    return asks.mcp_bytes("subscriptions/listen", params)


_WAYS: dict[str, Callable[[str], bytes]] = {
    "waiting": _waiting,
    "uploading": _uploading,
    "reading": _reading,
    "in an event stream": _hearing,
    "in a tool's call": _calling,
    "in an MCP call": _calling_by_mcp,
    "listening": _listening,
}


if __name__ == "__main__":
    run_command(run, __doc__, size=10_000, what="clients that leave")
