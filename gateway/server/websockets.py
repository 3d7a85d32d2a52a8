"""WebSockets passed through: after the handshake both connections are one pipe of bytes.

Frames are nobody's business here: fragments, extensions and compression are between the two ends.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from multidict import CIMultiDict

from gateway.errors import UpstreamError
from gateway.inflow import Inflow
from gateway.messages import RequestHead, Response, as_utf8, header, header_values
from gateway.server.visits import note_end

Send = Callable[[bytes], Awaitable[None]]

IDLE_SECONDS = 3_600.0
"""A pipe through which nothing comes for so long is cut; ends that care send pings."""


def is_handshake(head: RequestHead) -> bool:
    """Whether a client asks for a WebSocket as RFC 6455 section 4.1 has it.

    Whoever asks in another way is not understood by every server alike, so nothing is passed on.
    """
    headers = head.headers
    connection = ",".join(header_values(headers, "connection")).lower().split(",")
    key = header(headers, "sec-websocket-key") or ""
    return (
        head.method == "GET"
        and "upgrade" in map(str.strip, connection)
        and [v.strip().lower() for v in header_values(headers, "upgrade")] == ["websocket"]
        and header_values(headers, "sec-websocket-version") == ("13",)
        and len(header_values(headers, "sec-websocket-key")) == 1
        and len(key.strip()) == 24  # 16 bytes in base64
    )


async def pass_through(request: web.Request, response: Response, send: Send) -> web.StreamResponse:
    """Answers with the upstream's 101 and moves bytes until one of the two ends leaves.

    `send` is the response's own.
    """
    headers = CIMultiDict((name, as_utf8(value)) for name, value in response.head.headers)
    headers["Connection"], headers["Upgrade"] = "Upgrade", "websocket"
    out = web.StreamResponse(status=101, headers=headers)
    out.force_close()  # nothing comes after a pipe
    await out.prepare(request)
    heard = _listen(request)
    try:
        async with asyncio.TaskGroup() as group, asyncio.timeout(IDLE_SECONDS) as idle:
            tasks = (
                group.create_task(_up(heard, send, idle)),
                group.create_task(_down(out, response, idle)),
            )
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
        note_end(request)
    except* (UpstreamError, ConnectionError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()
    finally:
        if heard.is_over:  # whose caller leaves is cancelled
            note_end(request)
    return out


def _listen(request: web.Request) -> Inflow:
    """What the caller says after its handshake, which is no HTTP any more."""
    protocol = request.protocol
    inflow = Inflow(pause=protocol.pause_reading, resume=protocol.resume_reading)
    # aiohttp has this for its own reader of frames, and asks no more of it than Inflow has.
    protocol.set_parser(inflow)  # type: ignore[arg-type]
    return inflow


async def _up(heard: Inflow, send: Send, idle: asyncio.Timeout) -> None:
    async for data in heard:
        _go_on(idle)
        await send(data)


async def _down(out: web.StreamResponse, response: Response, idle: asyncio.Timeout) -> None:
    async for data in response.body:
        _go_on(idle)
        await out.write(data)


def _go_on(idle: asyncio.Timeout) -> None:
    idle.reschedule(asyncio.get_running_loop().time() + IDLE_SECONDS)
