"""The API behind the gateway: it answers with the tag that it was asked with, and counts.

GET /small/0?tag=T        T at once
POST /small/0             its body, whose first word is the tag
GET /slow/{ms}?tag=T      T after that many milliseconds
GET /large/{bytes}?tag=T  T, filled up to so many bytes
GET /events/{ms}?tag=T    an event stream without end, one event in each of these times
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import parse_qs, urlsplit

_PIECE = b"." * 65_536


@dataclass(slots=True, kw_only=True)
class Tally:
    """What the API has met so far. `twice`: tags of POST requests that came more than once.

    `most_sent` is how many bytes one answer has handed to the system at most.
    """

    connections: int = 0
    running: int = 0
    begun: int = 0
    twice: list[str] = field(default_factory=list)
    most_sent: int = 0
    posted: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedApi:
    url: str
    tally: Tally


@asynccontextmanager
async def tagged_api() -> AsyncIterator[TaggedApi]:
    """Serves on a free loopback port."""
    tally = Tally()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Connection(tally), "127.0.0.1", 0, backlog=4096, reuse_address=True
    )
    async with server:
        yield TaggedApi(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", tally=tally)


class _Connection(asyncio.Protocol):
    """One connection: reads a request, answers it, reads the next one."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._buffer = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._busy = False
        self._go_on: Callable[[], None] | None = None
        self._is_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio's without being of its classes.
        self._transport = cast("asyncio.WriteTransport", transport)
        self._tally.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._tally.connections -= 1
        self._end()
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._next()

    def _next(self) -> None:
        while not self._busy and (found := _read_request(self._buffer)) is not None:
            method, target, body, end = found
            del self._buffer[:end]
            self._busy = True
            self._tally.running += 1
            self._tally.begun += 1
            self._serve(method, target, body)

    def _end(self) -> None:
        self._tally.running -= self._busy
        self._busy = False
        self._go_on = None

    def _serve(self, method: str, target: str, body: bytes) -> None:
        parts = urlsplit(target)
        _, kind, amount = parts.path.split("/")
        text = body or parse_qs(parts.query)["tag"][0].encode()
        if method == "POST":
            self._note(text.partition(b" ")[0].decode("latin-1"))
        later = asyncio.get_running_loop().call_later
        if kind == "slow":
            self._timer = later(int(amount) / 1000, self._say, text, 0)
        elif kind == "events":
            self._transport.write(_head(b"text/event-stream", b"Transfer-Encoding: chunked"))
            self._tell(b"data: " + text + b"\n\n", int(amount) / 1000)
        else:
            self._say(text, int(amount) if kind == "large" else 0)

    def _note(self, tag: str) -> None:
        if tag in self._tally.posted:
            self._tally.twice.append(tag)
        self._tally.posted.add(tag)

    def _tell(self, event: bytes, pause: float) -> None:
        if self._transport.is_closing():
            return
        if not self._is_full:
            self._transport.write(b"%x\r\n%s\r\n" % (len(event), event))
        self._timer = asyncio.get_running_loop().call_later(pause, self._tell, event, pause)

    def _say(self, text: bytes, size: int) -> None:
        size = max(size, len(text))
        self._transport.write(_head(b"text/plain", b"Content-Length: %d" % size) + text)
        self._fill(size - len(text), size)

    def _fill(self, left: int, size: int) -> None:
        while left and not self._is_full:
            if self._transport.is_closing():
                return
            piece = _PIECE[:left]
            left -= len(piece)
            self._transport.write(piece)
        self._tally.most_sent = max(self._tally.most_sent, size - left)
        if left:
            self._go_on = lambda: self._fill(left, size)
            return
        self._end()
        self._next()

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        if self._go_on is not None:
            self._go_on()


def _head(kind: bytes, framing: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%s\r\n\r\n" % (kind, framing)


def _read_request(data: bytearray) -> tuple[str, str, bytes, int] | None:
    """Method, target, body, and where the request ends; None while it is not whole."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(data[:end])
    method, target, _ = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
    lowered = head.lower()
    if b"\r\ntransfer-encoding: chunked" in lowered:
        found = _unchunked(data, end + 4)
        return None if found is None else (method, target, *found)
    _, counted, rest = lowered.partition(b"\r\ncontent-length:")
    last = end + 4 + (int(rest.partition(b"\r\n")[0]) if counted else 0)
    return (method, target, bytes(data[end + 4 : last]), last) if len(data) >= last else None


def _unchunked(data: bytearray, place: int) -> tuple[bytes, int] | None:
    pieces: list[bytes] = []
    while (mark := data.find(b"\r\n", place)) >= 0:
        size = int(bytes(data[place:mark]), 16)
        place = mark + 2 + size + 2
        if len(data) < place:
            return None
        if not size:
            return b"".join(pieces), place
        pieces.append(bytes(data[mark + 2 : place - 2]))
    return None
