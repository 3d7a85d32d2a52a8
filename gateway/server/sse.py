"""HTTP+SSE, the transport of 2024-11-05: answers go out on a stream that a GET has opened."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import web

from gateway.context import mint_id
from gateway.errors import ApiUnavailable, PayloadTooLarge
from gateway.mcp import (
    EVENT_STREAM,
    INVALID_REQUEST,
    LIFE_SECONDS,
    NONCE_BYTES,
    Batch,
    Doable,
    Reply,
    RpcError,
    SseDialogue,
    Work,
    accepted_types,
    refuse,
    refuse_head,
    refuse_size,
)
from gateway.policy import Principal
from gateway.server.channels import QueueChannel
from gateway.server.event_streams import PING, event, open_events, write_events
from gateway.server.heads import headers_of, read_body
from gateway.server.mcp_calls import Caller
from gateway.server.mcp_http import caller_of, respond
from gateway.server.mcp_parts import McpParts
from gateway.server.subscribers import Subscriber

MAX_STREAMS = 1_000
MAX_RUNNING = 64
"""Calls of one stream at a time; the POST of one more waits."""
_ID_BYTES = 16
_CONTEXT_BYTES = 16


@dataclass(slots=True, kw_only=True, eq=False)
class _Stream:
    """`running`: calls whose answers are still to come."""

    dialogue: SseDialogue
    principal: Principal
    api: str | None
    subscriber: Subscriber
    channel: QueueChannel = field(default_factory=lambda: QueueChannel(can_send=True))
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_RUNNING))
    running: int = 0

    @property
    def is_over(self) -> bool:
        """Whether it was ended from this side and nothing is owed to the client any more."""
        ended = self.subscriber.ended
        return ended is not None and ended.done() and not self.running and self.channel.is_empty


class _Outlet:
    """What `Listening` tells joins the other messages, so that only one writes to the client."""

    backlog = 0

    def __init__(self, channel: QueueChannel) -> None:
        self._channel = channel

    def send(self, message: bytes, event_id: str = "") -> None:  # noqa: ARG002 - not resumable
        self._channel.add(message)

    def ping(self) -> None:
        """The writer does that by itself."""

    def drop(self) -> None:
        return


class SseEndpoint:
    """`/sse` and `/sse/{api}`: `open`; `/messages`: `hear`.

    The stream is the session, so everything of it stays in this process. Put `end_calls` into the
    application's `on_cleanup`; the streams end with `parts.listening`.
    """

    def __init__(
        self,
        parts: McpParts,
        *,
        principal_of: Callable[[web.Request], Principal],
        public_url: str | None = None,
    ) -> None:
        self._parts = parts
        self._principal_of = principal_of
        self._path = urlsplit(public_url or "").path.rstrip("/")
        self._streams: dict[str, _Stream] = {}
        self._calls: set[asyncio.Task[None]] = set()

    async def open(self, request: web.Request) -> web.StreamResponse:
        """The stream; its first event names the path for POSTs. Raises UnknownApi."""
        api = request.match_info.get("api")
        if api is not None:
            with suppress(ApiUnavailable):
                self._parts.gateway.view(api)
        if EVENT_STREAM not in accepted_types(headers_of(request)):
            return _refuse(406, f"Accept must name {EVENT_STREAM}")
        if len(self._streams) >= MAX_STREAMS:
            return _refuse(503, f"There are {MAX_STREAMS} streams already")
        stream = self._make_stream(self._principal_of(request), api)
        name = self._parts.new_bytes(_ID_BYTES).hex()
        self._streams[name] = stream
        try:
            return await self._tell(request, stream, name)
        finally:
            del self._streams[name]
            self._parts.listening.forget(stream.subscriber)
            stream.channel.close()

    async def hear(self, request: web.Request) -> web.Response:
        """One POST: 202, or what is wrong with it."""
        stream = self._streams.get(request.query.get("session_id", ""))
        # One that is somebody else's is not there, either.
        if stream is None or stream.principal != self._principal_of(request):
            return _refuse(404, "No such session")
        headers = headers_of(request)
        refusal = refuse_head(headers)
        if refusal is not None:
            return respond(refusal)
        limit = self._parts.settings.max_body_bytes
        try:
            body = await read_body(request, limit)
        except PayloadTooLarge:
            return respond(refuse_size(limit))
        decision = await self._parts.decide(body, lambda: stream.dialogue.on_message(body))
        if isinstance(decision, Reply) and decision.status >= 400:
            return respond(decision)
        await self._settle(stream, decision, caller_of(headers, stream.principal, stream.api))
        return web.Response(status=202)

    async def end_calls(self, _: web.Application) -> None:
        """Cancels what still runs although its stream is gone."""
        calls = tuple(self._calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def _make_stream(self, principal: Principal, api: str | None) -> _Stream:
        parts = self._parts
        scope, until = parts.new_bytes(NONCE_BYTES), parts.clock() + LIFE_SECONDS
        channel = QueueChannel(can_send=True)
        return _Stream(
            dialogue=SseDialogue(
                publication=parts.publication(api),
                questions=parts.questions,
                scope=scope,
                context_id=mint_id(parts.new_bytes(_CONTEXT_BYTES)),
                until=until,
            ),
            principal=principal,
            api=api,
            subscriber=Subscriber(
                outlet=_Outlet(channel),
                catalog=parts.listening.watch.catalog,
                expires_at=until,
                api=api,
                session=scope,
            ),
            channel=channel,
        )

    async def _tell(self, request: web.Request, stream: _Stream, name: str) -> web.StreamResponse:
        channel, subscriber = stream.channel, stream.subscriber
        subscriber.ended = asyncio.get_running_loop().create_future()
        subscriber.ended.add_done_callback(channel.wake)
        response = await open_events(request)
        place = f"{self._path}/messages?session_id={name}"
        with suppress(ConnectionError):
            await write_events(request, response, f"event: endpoint\ndata: {place}\n\n".encode())
            await self._parts.listening.open(subscriber)
            while not stream.is_over:
                if (message := channel.take()) is not None:
                    await write_events(request, response, event(message))
                elif not await channel.changed(self._parts.settings.ping_seconds):
                    await write_events(request, response, PING)
        return response

    async def _settle(self, stream: _Stream, decision: Doable, caller: Caller) -> None:
        """What takes long goes on in a task of its own: it outlives POST and stream alike."""
        if not isinstance(decision, Work | Batch):
            await self._answer(stream, decision, caller)
            return
        await stream.places.acquire()
        stream.running += 1
        # Owned here until done, ended by `end_calls`.
        task = asyncio.create_task(self._run(stream, decision, caller))  # noqa: TID251
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _run(self, stream: _Stream, decision: Doable, caller: Caller) -> None:
        try:
            await self._answer(stream, decision, caller)
        finally:
            stream.running -= 1
            stream.places.release()
            stream.channel.wake()

    async def _answer(self, stream: _Stream, decision: Doable, caller: Caller) -> None:
        reply = await self._parts.desk.settle(decision, caller, stream.channel)
        if reply.body:
            await stream.channel.send(reply.body)


def _refuse(status: int, message: str) -> web.Response:
    return respond(refuse(RpcError(INVALID_REQUEST, message, http_status=status)))
