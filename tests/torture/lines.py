"""Connections of HTTP/1.1 clients that cost little: prepared bytes out, whole answers in."""

import asyncio
import time
from dataclasses import dataclass
from typing import Self, cast
from urllib.parse import urlsplit


class Cut(Exception):
    """The connection ended before its answer was whole. `begun`: some of the answer was there."""

    def __init__(self, where: str, *, begun: bool) -> None:
        how = "cut in its answer" if begun else "closed without an answer"
        super().__init__(f"{how} ({where})")
        self.begun = begun


class Refused(Exception):
    """There was no connection, so that nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One whole answer; `head` is in lower case and has the status line in front."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of the first header line of that name, in lower case."""
        _, found, rest = self.head.partition(f"\r\n{name.lower()}:".encode())
        return rest.partition(b"\r\n")[0].strip().decode("latin-1") if found else None

    @property
    def closes(self) -> bool:
        return self.header("connection") == "close"


class Line(asyncio.Protocol):
    """One connection. It takes one request at a time, and says whether it has had one before."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_open = False
        self._buffer = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None
        self._asked_at = 0.0

    @classmethod
    async def open(cls, url: str) -> Self:
        """Raises Refused."""
        parts = urlsplit(url)
        loop = asyncio.get_running_loop()
        try:
            _, line = await loop.create_connection(cls, parts.hostname or "", parts.port or 0)
        except OSError as error:
            raise Refused from error
        return line

    async def ask(self, request: bytes) -> Answer:
        """The answer to these bytes. Raises Cut."""
        if not self.is_open:
            raise Cut("before the request", begun=False)
        self.asked += 1
        self._asked_at = time.monotonic()
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._waiting
        finally:
            self._waiting = None

    def close(self) -> None:
        self.is_open = False
        self._transport.close()

    def leave(self) -> None:
        """Close without a goodbye, as a killed client's system does for it."""
        self.is_open = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio's without being of its classes.
        self._transport = cast("asyncio.WriteTransport", transport)
        self._opened_at = time.monotonic()
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._waiting is None or self._waiting.done():
            return
        try:
            found = read_answer(self._buffer)
        except ValueError as error:
            self._waiting.set_exception(error)
            return
        if found is not None:
            answer, end = found
            del self._buffer[:end]
            self._waiting.set_result(answer)

    def eof_received(self) -> None:
        self.is_open = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._waiting is not None and not self._waiting.done():
            now = time.monotonic()
            where = (
                f"request {self.asked} of its connection, after {now - self._asked_at:.2f} s, "
                f"{now - self._opened_at:.2f} s after its opening, {exc!r}"
            )
            self._waiting.set_exception(Cut(where, begun=bool(self._buffer)))


def read_answer(data: bytearray | bytes) -> tuple[Answer, int] | None:
    """The answer that `data` begins with, and where it ends; None while it is not whole.

    Raises ValueError for what is no answer, or has no measured body.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(data[:end]).lower()
    if not head.startswith((b"http/1.1 ", b"http/1.0 ")):
        raise ValueError(f"no answer: {head[:80]!r}")
    status = int(head[9:12])
    if status in (204, 304):
        return Answer(status=status, head=head, body=b""), end + 4
    found = _body(head, data, end + 4)
    return None if found is None else (Answer(status=status, head=head, body=found[0]), found[1])


def _body(head: bytes, data: bytearray | bytes, start: int) -> tuple[bytes, int] | None:
    _, counted, rest = head.partition(b"\r\ncontent-length:")
    if counted:
        end = start + int(rest.partition(b"\r\n")[0])
        return (bytes(data[start:end]), end) if len(data) >= end else None
    if b"\r\ntransfer-encoding: chunked" not in head:
        raise ValueError("no measured body")
    pieces: list[bytes] = []
    place = start
    while (mark := data.find(b"\r\n", place)) >= 0:
        size = int(bytes(data[place:mark]), 16)
        place = mark + 2 + size + 2
        if len(data) < place:
            return None
        if not size:
            return b"".join(pieces), place
        pieces.append(bytes(data[mark + 2 : place - 2]))
    return None
