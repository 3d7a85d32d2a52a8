"""Clients that are slow on purpose: a head byte by byte, a body, nothing, reading drop by drop.

S-47, R-09, F12. Meanwhile the others are served as before, and memory is bounded; who sends no
request in good time is let go, and who reads slowly is not read ahead for.
"""

import asyncio
import multiprocessing
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from tests.torture import asks
from tests.torture.crowd import Crowd, percentile
from tests.torture.proc import descriptors, resident_bytes
from tests.torture.stand import Stand, open_stand, run_command

READERS = 100
UPLOADERS = 50
"""Through to the API: each of them and of the readers has one of its places for requests."""
LARGE = 100_000_000
GOOD_CALLERS = 8
GOOD_RATE = 100.0
P99_RATIO = 1.5
LEAST_MS = 25.0
MOST_HEAD_SECONDS = 15.0
MOST_BODY_SECONDS = 60.0
MOST_KIB = 32
"""Of memory, for each slow client but the readers."""
MOST_READER_KIB = 768
"""For each reader, judged apart: not the 256 KiB of the row (ADR 38)."""
_READING_SECONDS = 15.0
JUDGED = 500
_CALM_REQUESTS = 400
_OPENED_IN_A_SECOND = 500


@dataclass(slots=True)
class Slow:
    crowd: Crowd
    kinds: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    held: dict[str, list[float]] = field(default_factory=dict)
    calm_p99: float = 0.0
    busy_p99: float = 0.0
    memory: tuple[int, int] = (0, 0)
    readers: tuple[int, int] = (0, 0)
    most_descriptors: int = 0
    most_sent: int = 0
    other_faults: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [*self.crowd.faults, *self.other_faults]

    @property
    def growth(self) -> int:
        return self.memory[1] - self.memory[0]

    @property
    def each(self) -> float:
        """KiB of a slow client that does not read."""
        return self.growth / 1024 / max(1, self.kinds.total() - self.kinds["reading"])

    @property
    def each_reader(self) -> float:
        return (self.readers[1] - self.readers[0]) / 1024 / max(1, self.kinds["reading"])

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {number:,}" for kind, number in sorted(self.kinds.items()))
        ends = "; ".join(
            f"{kind} after {min(seconds):.0f} to {max(seconds):.0f} s"
            for kind, seconds in sorted(self.held.items())
        )
        return "\n".join(
            (
                f"{self.kinds.total():,} slow clients ({kinds}), {self.refused} refused",
                f"let go: {ends or 'none'}",
                f"others: p99 {self.calm_p99:.1f} ms in calm, {self.busy_p99:.1f} ms meanwhile",
                (
                    f"memory {self.memory[0] >> 20} MB before, {self.memory[1] >> 20} MB at most, "
                    f"{self.each:.1f} KiB for each that does not read, before them "
                    f"{self.each_reader:.0f} KiB for each that does; "
                    f"descriptors {self.most_descriptors:,} at most"
                ),
                f"of a slow reader's {LARGE:,} bytes the API had sent {self.most_sent:,} at most",
                *self.crowd.lines(),
                *self.other_faults,
            )
        )


async def run(number: int, directory: Path, random: Random, patience: float = 70.0) -> Slow:
    """`patience`: for how many seconds slow clients go on at most."""
    # Slow clients have a process: what they cost must not look like the gateway's doing.
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawning) as process:
        async with open_stand(directory) as stand:
            return await _run(process, stand, number, random, patience)


async def _run(
    process: Executor, stand: Stand, number: int, random: Random, patience: float
) -> Slow:
    crowd = Crowd(lambda: stand.gateway.url, [asks.proxied, asks.called], random)
    slow = Slow(crowd)
    readers = ["reading"] * min(READERS, number // 5)
    others = _chosen(number - len(readers), random)
    async with crowd.at_work(GOOD_CALLERS, rate=GOOD_RATE):
        await crowd.progress(_CALM_REQUESTS if number >= JUDGED else 20)
        slow.calm_p99 = percentile(crowd.seconds, 99)
        crowd.seconds.clear()
        slow.memory = (resident_bytes(stand.pid),) * 2
        await _be_slow(process, stand, slow, readers, min(patience, _READING_SECONDS))
        slow.readers, slow.memory = slow.memory, (resident_bytes(stand.pid),) * 2
        await _be_slow(process, stand, slow, others, patience)
        slow.busy_p99 = percentile(crowd.seconds, 99)
    slow.most_sent = stand.api.tally.most_sent
    slow.other_faults += _judged(slow, number)
    return slow


def _chosen(number: int, random: Random) -> list[str]:
    uploaders = min(UPLOADERS, number // 5)
    kinds = ["uploading"] * uploaders
    kinds += random.choices(("head", "silent", "body"), (6, 2, 2), k=number - uploaders)
    random.shuffle(kinds)
    return kinds


def _judged(slow: Slow, number: int) -> list[str]:
    last = {kind: max(seconds) for kind, seconds in slow.held.items()}
    verdicts = {
        "readers have too much memory": number >= JUDGED and slow.each_reader > MOST_READER_KIB,
        "others have too much memory": number >= JUDGED and slow.each > MOST_KIB,
        "the API is read ahead of its reader": slow.most_sent > LARGE // 2,
        "a head has too much time": max(last.get("head", 0), last.get("silent", 0))
        > MOST_HEAD_SECONDS,
        "a body has too much time": max(last.get("body", 0), last.get("uploading", 0))
        > MOST_BODY_SECONDS,
        "slow clients are refused": slow.refused > 0,
        "others are slower": number >= JUDGED
        and slow.busy_p99 > max(LEAST_MS, P99_RATIO * slow.calm_p99),
    }
    return [fault for fault, is_so in verdicts.items() if is_so]


async def _be_slow(
    process: Executor, stand: Stand, slow: Slow, kinds: list[str], patience: float
) -> None:
    watching = asyncio.ensure_future(_watch(stand, slow))
    loop = asyncio.get_running_loop()
    ends = await loop.run_in_executor(process, _be_all, stand.gateway.url, kinds, patience)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    slow.kinds.update(kinds)
    for kind, seconds in zip(kinds, ends, strict=True):
        if seconds is None:
            slow.refused += 1
        elif seconds < patience:
            slow.held.setdefault(kind, []).append(seconds)


async def _watch(stand: Stand, slow: Slow) -> None:
    while True:
        most = max(slow.memory[1], resident_bytes(stand.pid))
        slow.memory = (slow.memory[0], most)
        slow.most_descriptors = max(slow.most_descriptors, descriptors(stand.pid))
        await asyncio.sleep(0.5)


def _be_all(url: str, kinds: list[str], patience: float) -> list[float | None]:
    """For how many seconds each was let be slow; None of one that was refused."""

    async def run_all() -> list[float | None]:
        async with asyncio.TaskGroup() as group:
            tasks = []
            for place, kind in enumerate(kinds):
                tasks.append(group.create_task(_be_one(url, kind, patience)))
                if place % 10 == 9:
                    await asyncio.sleep(10 / _OPENED_IN_A_SECOND)
        return [task.result() for task in tasks]

    return asyncio.run(run_all())


async def _be_one(url: str, kind: str, patience: float) -> float | None:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    with socket.socket() as raw:
        raw.setblocking(False)
        # What the system would take off the gateway's hands is none of its patience.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            await asyncio.get_running_loop().sock_connect(raw, (parts.hostname, parts.port))
        except OSError:
            return None
        started = time.monotonic()
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(patience):
                await _KINDS[kind](raw)
                return time.monotonic() - started
        # Its own patience is over, or the gateway's, which has reset it.
        return time.monotonic() - started


async def _silent(raw: socket.socket) -> None:
    await _until_closed(raw)


async def _head(raw: socket.socket) -> None:
    await _dribble(raw, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"a" * 4096)


async def _body(raw: socket.socket) -> None:
    head = b"POST /tools/getSmall HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    head += b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    await asyncio.get_running_loop().sock_sendall(raw, head)
    await _dribble(raw, b" " * 100_000)


async def _uploading(raw: socket.socket) -> None:
    head = f"POST /apis/{asks.API}/small/0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    head += "Content-Type: text/plain\r\nContent-Length: 100000\r\n\r\n"
    await asyncio.get_running_loop().sock_sendall(raw, head.encode())
    await _dribble(raw, b" " * 100_000)


async def _reading(raw: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    request = asks.request_bytes("GET", f"/apis/{asks.API}/large/{LARGE}?tag=slow")
    await loop.sock_sendall(raw, request)
    while True:
        if not await loop.sock_recv(raw, 1024):
            return
        await asyncio.sleep(1)


async def _dribble(raw: socket.socket, data: bytes) -> None:
    """A byte in a second, until the other side has enough of it."""
    loop = asyncio.get_running_loop()
    closed = asyncio.ensure_future(_until_closed(raw))
    try:
        for place in range(len(data)):
            await loop.sock_sendall(raw, data[place : place + 1])
            await asyncio.wait((closed,), timeout=1)
            if closed.done():
                return
    finally:
        closed.cancel()
        await asyncio.gather(closed, return_exceptions=True)


async def _until_closed(raw: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while await loop.sock_recv(raw, 65_536):
            pass


_KINDS: dict[str, Callable[[socket.socket], Awaitable[None]]] = {
    "silent": _silent,
    "head": _head,
    "body": _body,
    "uploading": _uploading,
    "reading": _reading,
}


if __name__ == "__main__":
    run_command(run, __doc__, size=5_000, what="slow clients")
