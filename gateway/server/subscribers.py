"""Whoever is told when the catalog changes, and the way there."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Protocol

from aiohttp import web

from gateway.catalog import Catalog
from gateway.mcp import Subscribe
from gateway.server.event_streams import PING, event

# Two signs of life that nobody acknowledged.
_SILENCE_MILLISECONDS = 30_000


class Outlet(Protocol):
    """The way to one subscriber. Nothing in here waits: nobody shall hold up the others."""

    @property
    def backlog(self) -> int:
        """Bytes that nobody has taken yet."""
        ...

    def send(self, message: bytes, event_id: str = "") -> None:
        """One JSON-RPC message; the id is for transports that can be resumed."""
        ...

    def ping(self) -> None: ...

    def drop(self) -> None:
        """Cut the connection."""
        ...


class EventOutlet:
    """An event stream whose head is sent and whose handler does nothing but wait.

    Writes past aiohttp's response, which would have each writer wait until its client has read.
    """

    __slots__ = ("_chunked", "_transport")

    def __init__(self, response: web.StreamResponse, transport: asyncio.Transport | None) -> None:
        """`transport` is None for a client that is gone already."""
        self._transport = transport
        self._chunked = response.headers.get("Transfer-Encoding") == "chunked"
        if transport is not None:
            _give_up_when_silent(transport)

    @property
    def backlog(self) -> int:
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def send(self, message: bytes, event_id: str = "") -> None:
        self._write(event(message, event_id))

    def ping(self) -> None:
        self._write(PING)

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            framed = b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data
            self._transport.write(framed)


class LineOutlet:
    """Standard output: its writer takes everything, and no silence there means death."""

    backlog = 0

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def send(self, message: bytes, event_id: str = "") -> None:  # noqa: ARG002 - of the protocol
        self._write(message)

    def ping(self) -> None:
        return

    def drop(self) -> None:
        return


@dataclass(slots=True, kw_only=True, eq=False)
class Subscriber:
    """One stream that is open: `subscribe` is of the modern era, `session` of the legacy ones.

    `catalog` is the one that it knows; `expires_at`: seconds since the epoch. `mark` makes its
    event ids its own, and `said` counts them; without it there are none. `is_line`: what ends is
    not the connection.
    """

    outlet: Outlet
    catalog: Catalog
    expires_at: float = inf
    api: str | None = None
    subscribe: Subscribe | None = None
    session: bytes | None = None
    is_line: bool = False
    mark: str = ""
    said: int = 0
    ended: asyncio.Future[None] | None = None

    def next_mark(self) -> str:
        self.said += 1
        return f"{self.mark}.{self.said}"

    def end(self) -> None:
        """Lets go of the handler that waits, if one does."""
        if self.ended is not None and not self.ended.done():
            self.ended.set_result(None)


def _give_up_when_silent(transport: asyncio.BaseTransport) -> None:
    """End a connection on which nothing arrives any more (RFC 5482).

    A client that vanished without a word would otherwise be kept for a quarter of an hour.
    """
    connection = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux only
    if connection is not None and option is not None:
        connection.setsockopt(socket.IPPROTO_TCP, option, _SILENCE_MILLISECONDS)
