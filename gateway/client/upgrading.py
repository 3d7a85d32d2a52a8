"""From a 101 to a pipe of bytes (RFC 6455 section 4)."""

from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha1

import aiohttp

from gateway.errors import UpstreamError
from gateway.inflow import Inflow
from gateway.messages import Headers, header

SWITCHING = 101
HANDSHAKE: Headers = (("Connection", "Upgrade"), ("Upgrade", "websocket"))
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def is_switched(answer: aiohttp.ClientResponse, asked: Headers) -> bool:
    """Whether a 101 is the right answer to the handshake with these headers.

    A server that only repeats what it is sent would have us pass on as a WebSocket what is none.
    """
    key = (header(asked, "sec-websocket-key") or "").strip()
    accept = b64encode(sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()
    return answer.headers.getall("Upgrade", []) == ["websocket"] and answer.headers.getall(
        "Sec-WebSocket-Accept", []
    ) == [accept]


class Pipe:
    """The connection of an answer that has switched: what comes, and `send` for what goes."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        connection = answer.connection
        protocol = connection.protocol if connection else None
        if protocol is None or protocol.transport is None:
            raise UpstreamError("the connection ended with its handshake")
        self._protocol = protocol
        self._transport = protocol.transport
        self._inflow = Inflow(pause=protocol.pause_reading, resume=protocol.resume_reading)
        # aiohttp has this for its own reader of frames; the second is told of failures only.
        protocol.set_parser(self._inflow, self._inflow)

    def received(self) -> AsyncIterator[bytes]:
        return aiter(self._inflow)

    async def send(self, data: bytes) -> None:
        """Raises UpstreamError once the upstream has gone."""
        try:
            self._transport.write(data)
            await self._protocol._drain_helper()  # noqa: SLF001 - aiohttp's writers wait by it
        except (ConnectionError, aiohttp.ClientError) as error:
            raise UpstreamError("the upstream left the WebSocket") from error
