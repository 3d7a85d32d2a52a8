"""SIGTERM under load, again and again: no request fails, streams end in order, the exit is 0.

R-31, F9. Callers meet refused connections between an end and the next start, and nothing else.
"""

import asyncio
import json
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from tests.support.mcp_core import META
from tests.torture import asks
from tests.torture.counting_gateway import tasks_of
from tests.torture.crowd import Crowd
from tests.torture.stand import Stand, open_stand, run_command

CALLERS = 24
RATE = 400.0
DRAIN_SECONDS = 5.0
_SPARE_SECONDS = 3.0
"""For a process to end in, beside its `drain_seconds`."""
_PATIENCE_SECONDS = 30.0
_LISTEN = "subscriptions/listen"


@dataclass(slots=True)
class Ends:
    crowd: Crowd
    terms: int
    exits: list[float] = field(default_factory=list)
    other_faults: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [*self.crowd.faults, *self.other_faults]

    def __str__(self) -> str:
        mean = sum(self.exits) / max(1, len(self.exits))
        return "\n".join(
            (
                (
                    f"{self.terms} SIGTERMs; to the exit {mean:.2f} s on average, "
                    f"{max(self.exits, default=0):.2f} s at most"
                ),
                *self.crowd.lines(),
                *self.other_faults,
            )
        )


async def run(
    terms: int, directory: Path, random: Random, drain_seconds: float = DRAIN_SECONDS
) -> Ends:
    configuration = f"server: {{drain_seconds: {drain_seconds}}}\n"
    report = directory / "tasks"
    async with open_stand(directory, configuration=configuration, counts_to=report) as stand:
        crowd = Crowd(lambda: stand.gateway.url, _mix(), random)
        ends = Ends(crowd, terms)
        async with crowd.at_work(CALLERS, rate=RATE):
            for number in range(terms):
                if number:
                    await stand.start_again()
                await _end_once(stand, ends, random, report)
        ends.other_faults += (f"sent twice: {tag}" for tag in stand.api.tally.twice)
    return ends


def _mix() -> list[asks.Make]:
    lists = asks.Lists()
    return [
        asks.proxied, asks.proxied, asks.proxied_slow, asks.proxied_large, asks.uploaded,
        asks.called, asks.called_by_mcp, lists.listed, lists.listed_by_mcp,
    ]  # fmt: skip


async def _end_once(stand: Stand, ends: Ends, random: Random, report: Path) -> None:
    async with asyncio.TaskGroup() as group:
        listening = asyncio.Event()
        stream = group.create_task(_listen(stand.gateway.url, listening))
        await listening.wait()
        await ends.crowd.progress(random.randint(20, 120))
        started = time.monotonic()
        stand.gateway.process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(_exit_code, stand, ends, report)
        ends.exits.append(time.monotonic() - started)
    if code != 0:
        ends.other_faults.append(f"exit code {code}: {stand.gateway.log[-500:]}")
    if ends.exits[-1] > DRAIN_SECONDS + _SPARE_SECONDS:
        ends.other_faults.append(f"the end took {ends.exits[-1]:.1f} s")
    ends.other_faults += stream.result()


def _exit_code(stand: Stand, ends: Ends, report: Path) -> int:
    try:
        return stand.gateway.process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        ends.other_faults.append(f"it does not end: {tasks_of(stand.pid, report)}")
        stand.gateway.kill()
        return stand.gateway.process.returncode


async def _listen(url: str, listening: asyncio.Event) -> list[str]:
    """What is wrong with the end of a stream of changes."""
    params = {"_meta": dict(META), "notifications": {"toolsListChanged": True}}
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(asks.mcp_bytes(_LISTEN, params))
        said = await reader.readuntil(b"\n\n")
        listening.set()
        said += await reader.read()
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        return [f"the stream broke: {error!r}"]
    finally:
        listening.set()
        writer.close()
    return _judged(said)


def _judged(said: bytes) -> list[str]:
    messages = [
        json.loads(line.removeprefix(b"data:"))
        for line in said.splitlines()
        if line.startswith(b"data:")
    ]
    if not said.endswith(b"0\r\n\r\n"):
        return [f"the stream was cut: {said[-200:]!r}"]
    if not messages or "result" not in messages[-1]:
        return [f"the stream had no result: {said[-500:]!r}"]
    return []


if __name__ == "__main__":
    run_command(run, __doc__, size=100, what="SIGTERMs")
