"""MCP over Streamable HTTP: moves bytes between aiohttp and the MCP core."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import web

from gateway.catalog import NO_ADDITIONS, Additions, Recall, make_anew
from gateway.context import read_inbound
from gateway.engine import Gateway
from gateway.errors import ApiUnavailable, PayloadTooLarge
from gateway.mcp import (
    EVENT_STREAM,
    JSON,
    LARGE,
    NONCE_BYTES,
    Arrival,
    CallTool,
    Decision,
    Listen,
    Reply,
    Server,
    Sessions,
    StreamableHttp,
    ToolPages,
    accepted_types,
    refuse_head,
    refuse_method,
    refuse_size,
)
from gateway.messages import Headers
from gateway.policy import Principal
from gateway.server.heads import headers_of, read_body
from gateway.server.mcp_calls import CallDesk, Caller

_EVENT_HEAD = {
    "Content-Type": EVENT_STREAM,
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}
_PING = b": ping\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class McpSettings:
    """`session_keys`: secrets of at least 32 bytes; the first signs, all verify.

    A call that takes longer than `ping_seconds` answers as an event stream, so that nobody between
    us and the client takes the silence for death.
    """

    server: Server
    session_keys: tuple[bytes, ...] = field(repr=False)
    additions: Additions = NO_ADDITIONS
    max_body_bytes: int = 10_485_760
    ping_seconds: float = 15.0


class McpEndpoint:
    """`/mcp` and `/mcp/{api}`: `answer` is the handler of every method.

    `clock`: seconds since the epoch; `new_bytes`: that many random bytes. Needs a server with
    `handler_cancellation`. Raises UnknownApi for a path that names no API.

    Put `close_streams` into the application's `on_shutdown`, `end_calls` into its `on_cleanup`.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        settings: McpSettings,
        principal_of: Callable[[web.Request], Principal],
        clock: Callable[[], float],
        new_bytes: Callable[[int], bytes],
        recall: Recall = make_anew,
    ) -> None:
        self._gateway = gateway
        self._settings = settings
        self._core = StreamableHttp(
            server=settings.server,
            sessions=Sessions(settings.session_keys),
            pages=ToolPages(settings.server, additions=settings.additions, recall=recall),
        )
        self._desk = CallDesk(gateway, new_bytes=new_bytes)
        self._principal_of = principal_of
        self._listing = asyncio.Lock()
        self._clock = clock
        self._new_bytes = new_bytes
        self._calls: set[asyncio.Task[Reply]] = set()
        self._streams: dict[bytes, asyncio.Event] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        arrival = self._arrive(request)
        match request.method:
            case "POST":
                return await self._post(request, arrival)
            case "GET":
                decision = self._core.on_get(arrival)
                if isinstance(decision, Listen):
                    return await self._listen(request, decision)
                return _respond(decision)
            case "DELETE":
                return _respond(self._core.on_delete(arrival))
            case _:
                return _respond(refuse_method())

    async def close_streams(self, _: web.Application) -> None:
        """Ends the event streams that would otherwise hold up a shutdown."""
        for closing in self._streams.values():
            closing.set()

    async def end_calls(self, _: web.Application) -> None:
        """Cancels what still runs, as legacy calls do when their client has left."""
        calls = tuple(self._calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def _arrive(self, request: web.Request) -> Arrival:
        api = request.match_info.get("api")
        if api is not None:
            with suppress(ApiUnavailable):  # known, and only some methods need its catalog
                self._gateway.view(api)
        return Arrival(
            headers=headers_of(request),
            principal=self._principal_of(request),
            api=api,
            now=self._clock(),
            nonce=self._new_bytes(NONCE_BYTES),
            view=lambda: self._gateway.view(api),
        )

    async def _post(self, request: web.Request, arrival: Arrival) -> web.StreamResponse:
        refusal = refuse_head(arrival.headers)
        if refusal is not None:
            return _respond(refusal)
        limit = self._settings.max_body_bytes
        try:
            body = await read_body(request, limit)
        except PayloadTooLarge:
            return _respond(refuse_size(limit))
        decision = await self._decide(arrival, body)
        accepted = accepted_types(arrival.headers)
        if isinstance(decision, Reply):
            return _respond(decision, accepted)
        caller = Caller(
            principal=arrival.principal,
            api=arrival.api,
            inbound=read_inbound(arrival.headers),
            headers=_passable(arrival.headers),
        )
        return await self._carry_out(request, decision, caller, accepted)

    async def _decide(self, arrival: Arrival, body: bytes) -> Decision:
        def decide() -> Decision:
            return self._desk.consider(lambda: self._core.on_post(arrival, body))

        if b"tools/list" not in body:
            return decide() if len(body) < LARGE else await asyncio.to_thread(decide)
        # The first list of a catalog takes long to make, and nobody else shall wait for it.
        async with self._listing:
            return await asyncio.to_thread(decide)

    async def _carry_out(
        self, request: web.Request, decision: Decision, caller: Caller, accepted: frozenset[str]
    ) -> web.StreamResponse:
        """Run the decision in a task of its own: a legacy call outlives its connection.

        In the modern era the client's leaving is its way to cancel.
        """
        call = self._start(self._desk.settle(decision, caller))
        patience = self._settings.ping_seconds if EVENT_STREAM in accepted else None
        try:
            await asyncio.wait({call}, timeout=patience)
            if call.done():
                return _respond(call.result(), accepted)
            return await self._stream(request, call)
        finally:
            # Only the client's leaving brings us here with the call still under way.
            if not call.done() and isinstance(decision, CallTool) and decision.ends_with_stream:
                call.cancel()
                await asyncio.wait({call})

    def _start(self, work: Coroutine[object, object, Reply]) -> asyncio.Task[Reply]:
        # Owned here until done, ended by `end_calls`; a group would tie it to the request.
        task = asyncio.create_task(work)  # noqa: TID251
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return task

    async def _stream(self, request: web.Request, call: asyncio.Task[Reply]) -> web.StreamResponse:
        response = await _open_events(request)
        with suppress(ConnectionError):  # the client left between two of its signs of life
            while not call.done():
                await response.write(_PING)
                await asyncio.wait({call}, timeout=self._settings.ping_seconds)
            reply = call.result()
            if reply.body:
                await response.write(_event(reply.body))
        return response

    async def _listen(self, request: web.Request, listen: Listen) -> web.StreamResponse:
        closing = asyncio.Event()
        older = self._streams.get(listen.scope)
        if older is not None:
            older.set()
        self._streams[listen.scope] = closing
        try:
            response = await _open_events(request)
            with suppress(ConnectionError):
                await self._ping_until(closing, listen.expires_at, response)
        finally:
            if self._streams.get(listen.scope) is closing:
                del self._streams[listen.scope]
        return response

    async def _ping_until(
        self, closing: asyncio.Event, end: float, response: web.StreamResponse
    ) -> None:
        while not closing.is_set() and (left := end - self._clock()) > 0:
            # The first one at once: aiohttp holds the head back until the body begins.
            await response.write(_PING)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(self._settings.ping_seconds, left)):
                    await closing.wait()


def _passable(headers: Headers) -> Headers:
    """What an API's `forward_headers` may choose from: never what is meant for this server.

    A token given to an MCP server stays there (2026-07-28, authorization: no token passthrough).
    """
    return tuple(
        (name, value)
        for name, value in headers
        if name.lower() not in ("authorization", "cookie") and not name.lower().startswith("mcp-")
    )


def _respond(
    reply: Reply, accepted: frozenset[str] = frozenset((JSON, EVENT_STREAM))
) -> web.Response:
    headers = dict(reply.headers)
    body = reply.body
    if body and reply.status == 200 and JSON not in accepted:
        headers |= _EVENT_HEAD
        body = _event(body)
    elif body:
        headers["Content-Type"] = JSON
    return web.Response(status=reply.status, headers=headers, body=body or None)


async def _open_events(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers=_EVENT_HEAD)
    await response.prepare(request)
    return response


def _event(message: bytes) -> bytes:
    return b"event: message\ndata: " + message + b"\n\n"
