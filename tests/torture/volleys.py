"""Requests that come whether or not others are answered: an open loop, at a rate of its own."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from tests.torture.waiting import until

TICK_SECONDS = 0.002
MOST_LINES = 1_000


@dataclass(slots=True)
class Volley:
    """What came of it, by `good`, `refused` and `wrong`. Times in seconds, moments monotonic."""

    counts: Counter[str] = field(default_factory=Counter)
    good: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    asked: int = 0
    unasked: int = 0
    seconds: float = 0.0
    own_seconds: float = 0.0
    last_refused: float = 0.0

    @property
    def goodput(self) -> float:
        return len(self.good) / self.seconds if self.seconds else 0.0


class Gunner:
    """Has the connections. `request_of` makes request and the end of its answer from a number."""

    def __init__(self, url: str, request_of: Callable[[int], tuple[bytes, bytes]]) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 0
        self._request_of = request_of
        self._idle: deque[_Line] = deque()
        self._lines = 0
        self._number = 0
        self.volley = Volley()

    async def connect(self, lines: int) -> None:
        """Have so many connections for an open loop."""
        loop = asyncio.get_running_loop()
        for _ in range(lines):
            _, line = await loop.create_connection(self._line, self._host, self._port)
            self._idle.append(line)
        self._lines += lines

    async def open_loop(self, rate: float, seconds: float) -> Volley:
        """`rate` requests in each second; those that find no connection are not asked."""
        async with asyncio.TaskGroup() as group:
            volley, started, own = self._begin()
            sent = 0
            while (elapsed := time.monotonic() - started) < seconds:
                due = int(elapsed * rate) - sent
                sent += due
                for _ in range(due):
                    self._fire(group)
                await asyncio.sleep(TICK_SECONDS)
            self._end(volley, started, own)
        return volley

    async def closed_loop(self, lines: int, seconds: float) -> Volley:
        """So many connections, each asking as soon as it has been answered."""
        volley, started, own = self._begin()
        loop = asyncio.get_running_loop()
        opened = [
            (await loop.create_connection(self._line, self._host, self._port))[1]
            for _ in range(lines)
        ]
        for line in opened:
            line.again = True
            self._ask(line)
        await asyncio.sleep(seconds)
        self._end(volley, started, own)
        for line in opened:
            line.close()
        return volley

    async def rest(self) -> None:
        """Until every question has its answer; what is answered now counts no more."""
        if not await until(lambda: len(self._idle) >= self._lines, seconds=60):
            raise TimeoutError("some questions have no answer")

    def close(self) -> None:
        while self._idle:
            self._idle.popleft().close()
        self._lines = 0

    def _begin(self) -> tuple[Volley, float, float]:
        self.volley = Volley()
        return self.volley, time.monotonic(), time.process_time()

    def _end(self, volley: Volley, started: float, own: float) -> None:
        volley.seconds = time.monotonic() - started
        volley.own_seconds = time.process_time() - own
        self.volley = Volley()

    def _line(self) -> "_Line":
        return _Line(self)

    def _fire(self, group: asyncio.TaskGroup) -> None:
        if self._idle:
            self._ask(self._idle.popleft())
        elif self._lines < MOST_LINES:
            self._lines += 1
            group.create_task(self._open_and_ask())
        else:
            self.volley.unasked += 1

    async def _open_and_ask(self) -> None:
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(self._line, self._host, self._port)
        self._ask(line)

    def _ask(self, line: "_Line") -> None:
        self._number += 1
        self.volley.asked += 1
        request, expected = self._request_of(self._number)
        line.ask(request, expected, self.volley)

    def answered(self, line: "_Line") -> None:
        if line.again:
            self._ask(line)
        else:
            self._idle.append(line)

    def lost(self, line: "_Line") -> None:
        if not line.again:
            self._lines -= 1
            if line in self._idle:
                self._idle.remove(line)


class _Line(asyncio.Protocol):
    def __init__(self, gunner: Gunner) -> None:
        self.again = False
        self._gunner = gunner
        self._buffer = b""
        self._asked = 0.0
        self._volley: Volley | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio's without being of its classes.
        self._transport = cast("asyncio.WriteTransport", transport)

    def ask(self, request: bytes, expected: bytes, volley: Volley) -> None:
        self._expected, self._volley = expected, volley
        self._asked = time.monotonic()
        self._transport.write(request)

    def close(self) -> None:
        self._volley = None
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, _, rest = self._buffer.partition(b"\r\n\r\n")
        _, counted, length = head.lower().partition(b"\r\ncontent-length:")
        if not counted or len(rest) < int(length.partition(b"\r\n")[0]):
            return
        self._buffer = b""
        self._note(head, rest)
        if b"\r\nconnection: close" not in head.lower():
            self._gunner.answered(self)

    def _note(self, head: bytes, body: bytes) -> None:
        volley, self._volley = self._volley, None
        if volley is None:
            return
        now = time.monotonic()
        if head.startswith(b"HTTP/1.1 200 ") and body.endswith(self._expected):
            volley.good.append(now - self._asked)
        elif (
            head.startswith((b"HTTP/1.1 503 ", b"HTTP/1.1 429 "))
            and b"\r\nretry-after:" in head.lower()
        ):
            volley.refused.append(now - self._asked)
            volley.last_refused = now
        else:
            volley.wrong.append((head + body)[:200].decode("latin-1"))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._volley is not None:
            self._volley.wrong.append(f"closed without an answer: {exc!r}")
        self._gunner.lost(self)
