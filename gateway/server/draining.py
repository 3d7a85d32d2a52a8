"""Leaving without anybody noticing: callers are told to go elsewhere before connections close.

HTTP/1.1 has no message by which a server says that an idle connection is about to close (RFC 9112
section 9.5), so a request may cross with the closing. `Connection: close` on the answer before is
the only word that never crosses; what is closed unannounced has not been used for a while.
"""

import select
import socket
from asyncio.trsock import TransportSocket
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from gateway.server.connections import Connection

_SWITCHING = 101


class Draining:
    """Whether the server is on its way out. Put `tell` into `on_response_prepare`."""

    def __init__(self) -> None:
        self.begun = False

    def begin(self) -> None:
        self.begun = True

    async def tell(self, _: web.Request, response: web.StreamResponse) -> None:
        """From now on every answer is its connection's last."""
        if self.begun and response.status != _SWITCHING:
            response.headers["Connection"] = "close"
            response.force_close()


class Connections:
    """Those of one running server, `now` on its loop's clock."""

    def __init__(self, server: web.Server) -> None:
        self._server: Final = server

    def __len__(self) -> int:
        return len(self._server.connections)

    def close_idle(self, *, now: float, quiet: float) -> None:
        """Closes those where no request was for `quiet` seconds and none has come in just now."""
        for connection in self._server.connections:
            since = connection.idle_since if isinstance(connection, Connection) else None
            is_quiet = since is not None and now - since >= quiet
            if is_quiet and not has_unread(_socket_of(connection)):
                connection.force_close()

    def cut(self) -> None:
        """Ends all of them, whatever goes on there; what was unfinished is seen to be."""
        for connection in self._server.connections:
            if connection.transport is not None:
                connection.transport.abort()


def has_unread(sock: socket.socket | TransportSocket | None) -> bool:
    """Whether there are bytes, or connections to accept, that the event loop has not seen yet."""
    if sock is None or sock.fileno() < 0:
        return False
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _socket_of(connection: RequestHandler) -> TransportSocket | None:
    transport = connection.transport
    return transport.get_extra_info("socket") if transport is not None else None
