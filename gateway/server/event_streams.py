"""Server-sent events as MCP's transports write them (WHATWG HTML, section 9.2)."""

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
