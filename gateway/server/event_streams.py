"""Server-sent events as MCP's transports write them (WHATWG HTML, section 9.2)."""

import asyncio

from aiohttp import web

from gateway.mcp import EVENT_STREAM
from gateway.messages import Headers

EVENT_HEAD = {
    "Content-Type": EVENT_STREAM,
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}
PING = b": ping\n\n"
"""A comment: nobody between us and the client shall take the silence for death."""


STALL_SECONDS = 30.0
"""A client that has taken nothing of what was sent for so long is cut off."""
# What aiohttp writes before it waits for the client.
_PIECE = 65_536


def event(message: bytes, event_id: str = "") -> bytes:
    """One message, which is one line of JSON, as an event; with an id it can be resumed after."""
    head = f"id: {event_id}\n".encode() if event_id else b""
    return head + b"event: message\ndata: " + message + b"\n\n"


def priming_event(event_id: str) -> bytes:
    """Something to resume after before there is a message (2025-11-25 transports)."""
    return f"id: {event_id}\ndata: \n\n".encode()


async def open_events(request: web.Request, headers: Headers = ()) -> web.StreamResponse:
    """The stream that answers `request`, its head sent with the first bytes of the body."""
    response = web.StreamResponse(headers={**EVENT_HEAD, **dict(headers)})
    await response.prepare(request)
    return response


async def write_events(request: web.Request, response: web.StreamResponse, data: bytes) -> None:
    """Raises ConnectionError when the client is gone, or takes nothing any more.

    Who never reads would otherwise keep its call, the exchange with the API and what waits for it.
    """
    try:
        for start in range(0, len(data), _PIECE):
            async with asyncio.timeout(STALL_SECONDS):
                await response.write(data[start : start + _PIECE])
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionAbortedError from None
