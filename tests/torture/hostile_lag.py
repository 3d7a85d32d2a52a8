"""How long everybody waits while requests come that are made to be hard (F13, R-34).

Heads and bodies that readers of HTTP misread, JSON that is deep, wide or one long number, long
queries, heads full of context. First one after the other: what each costs the thread of the event
loop. Then many at once: the gateway's own clock of its loop is read before and after.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import aiohttp

from tests.support.gateway_process import GatewayProcess
from tests.support.raw_requests import CASES
from tests.torture import asks
from tests.torture.proc import thread_seconds
from tests.torture.stand import open_stand, run_command

WORST_SECONDS = 0.1
USUAL_SECONDS = 0.05
"""What 999 of 1,000 looks at the clock may find."""
DEAREST_SECONDS = 0.1
"""Of the loop's thread, for one request. Other work on the machine hardly counts in it."""
MIN_TICKS = 1_000
"""Fewer say nothing about one in a thousand."""
_AT_ONCE = 8
_PATIENCE_SECONDS = 30.0
_JSON = {"Content-Type": "application/json"}
_BUCKET = re.compile(r'ocp_gateway_event_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)')


@dataclass(slots=True)
class Lags:
    dearest: float = 0.0
    sent: int = 0
    unanswered: int = 0
    ticks: int = 0
    late: dict[float, int] = field(default_factory=dict)
    health: int = 0

    @property
    def faults(self) -> list[str]:
        found = [] if self.health == 200 else [f"afterwards /healthz says {self.health}"]
        if self.unanswered:
            found.append(f"{self.unanswered} requests had no answer in time")
        if self.dearest > DEAREST_SECONDS:
            found.append(f"one request took {self.dearest:.2f} s of the loop's thread")
        if self.ticks >= MIN_TICKS and (over := self.beyond(WORST_SECONDS)):
            found.append(f"{over} times later than {WORST_SECONDS} s")
        often = self.beyond(USUAL_SECONDS) / max(self.ticks, 1)
        if self.ticks >= MIN_TICKS and often > 0.001:
            found.append(f"{often:.2%} later than {USUAL_SECONDS} s")
        return found

    def beyond(self, seconds: float) -> int:
        return self.ticks - self.late.get(seconds, 0)

    def __str__(self) -> str:
        within = ", ".join(f"{count:,} within {le:g} s" for le, count in self.late.items())
        dearest = f"{self.dearest:.2f} s of the loop's thread for the dearest"
        return f"{self.sent:,} requests, {dearest}; of {self.ticks:,} looks at the clock {within}"


async def run(rounds: int, directory: Path, random: Random) -> Lags:
    """Each round sends every request once, `_AT_ONCE` at a time, in another order."""
    lags = Lags()
    async with open_stand(directory, configuration="mcp: {tools: search}\n") as stand:
        url = stand.gateway.url
        corpus = list(_corpus())
        for request in corpus:
            before = thread_seconds(stand.pid)
            await _send_all(stand.gateway, iter((request,)), lags)
            lags.dearest = max(lags.dearest, thread_seconds(stand.pid) - before)
        first = await _read_clock(url)
        for _ in range(rounds):
            random.shuffle(corpus)
            queue = iter(corpus)
            async with asyncio.TaskGroup() as group:
                for _ in range(_AT_ONCE):
                    group.create_task(_send_all(stand.gateway, queue, lags))
        last = await _read_clock(url)
        async with aiohttp.request("GET", f"{url}/healthz") as answer:
            lags.health = answer.status
    lags.late = {le: round(count - first[le]) for le, count in last.items()}
    lags.ticks = lags.late.pop(float("inf"))
    return lags


async def _send_all(gateway: GatewayProcess, queue: Iterator[bytes], lags: Lags) -> None:
    parts = urlsplit(gateway.url)
    for request in queue:
        lags.sent += 1
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                # Who refuses a request need not take all of it.
                with suppress(ConnectionError):
                    writer.write(request)
                    writer.write_eof()
                    await writer.drain()
                with suppress(ConnectionError):
                    await reader.read()
        except TimeoutError:
            lags.unanswered += 1
        finally:
            writer.transport.abort()


async def _read_clock(url: str) -> Mapping[float, float]:
    async with aiohttp.request("GET", f"{url}/metrics") as answer:
        text = await answer.text()
    return {float(le): float(count) for le, count in _BUCKET.findall(text)}


def _corpus() -> Iterator[bytes]:
    for case in CASES:
        yield case.raw
    for body in _bodies():
        yield asks.request_bytes("POST", "/tools/getSmall", body, _JSON)
        yield asks.request_bytes("POST", "/mcp", body, _JSON)
        call = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getSmall",'
        yield asks.request_bytes("POST", "/mcp", call + b'"arguments":' + body + b"}}", _JSON)
    for text in ("a" * 7_000, "%2e%2e/" * 1_000, "&".join(f"a{n}=1" for n in range(1_000))):
        yield asks.request_bytes("GET", f"/search?q={text}")
        yield asks.request_bytes("GET", f"/apis/{asks.API}/small/0?tag=t&{text}")
    for session in ("A" * 60_000, "H4sI" + "A" * 60_000, "eyJ" * 20_000):
        head = {"OCP-Context-ID": "ocp-00000000000000aa", "OCP-Session": session}
        yield asks.request_bytes("GET", f"/apis/{asks.API}/small/0?tag=t", headers=head)


def _bodies() -> Iterator[bytes]:
    """JSON of a few megabytes at most, wanted as an object with `amount` and `tag`."""
    yield b"[" * 200_000
    yield b"[" * 100_000 + b"]" * 100_000
    yield b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    yield b'{"amount":' + b"9" * 2_000_000 + b"}"
    yield b'{"amount":1' + b"0" * 5_000 + b',"tag":"t"}'
    yield b'{"amount":1e999999999,"tag":"t"}'
    yield b'{"amount":0,"tag":"' + b"\\ud800" * 200_000 + b'"}'
    yield b'{"amount":0,"tag":"' + b"a" * 2_000_000 + b'"}'
    yield b"[" + b",".join([b"{}"] * 500_000) + b"]"
    yield b"{" + b",".join(b'"k%d":1' % number for number in range(200_000)) + b"}"
    yield b"{" + b",".join([b'"amount":0'] * 200_000) + b"}"


if __name__ == "__main__":
    run_command(run, __doc__, size=50, what="rounds")
