"""MCP over Streamable HTTP: moves bytes between aiohttp and the MCP core."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace

from aiohttp import web

from gateway.context import read_inbound
from gateway.engine import Gateway
from gateway.errors import ApiUnavailable, PayloadTooLarge
from gateway.interfaces import SessionBoard
from gateway.mcp import (
    EVENT_STREAM,
    JSON,
    NONCE_BYTES,
    Arrival,
    Doable,
    Listen,
    Reply,
    Sessions,
    StreamableHttp,
    Subscribe,
    Work,
    accepted_types,
    refuse_head,
    refuse_method,
    refuse_size,
)
from gateway.messages import Headers
from gateway.policy import Principal
from gateway.server.channels import QueueChannel
from gateway.server.event_streams import EVENT_HEAD, PING, event, open_events, write_events
from gateway.server.heads import headers_of, read_body
from gateway.server.listen_streams import ListenStreams
from gateway.server.mcp_calls import Caller, claim_of
from gateway.server.mcp_parts import McpParts, McpSettings

_OWN = frozenset({"authorization", "cookie", "last-event-id"})


class McpEndpoint:
    """`/mcp` and `/mcp/{api}`: `answer` is the handler of every method.

    `clock`: seconds since the epoch; `new_bytes`: that many random bytes. Needs a server with
    `handler_cancellation`. Raises UnknownApi for a path that names no API.

    `parts` are what the older transport shares with it.

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
        board: SessionBoard,
    ) -> None:
        self._gateway = gateway
        self._settings = settings
        self.parts = McpParts(
            gateway, settings=settings, clock=clock, new_bytes=new_bytes, board=board
        )
        self._core = StreamableHttp(
            server=settings.server,
            sessions=Sessions(settings.session_keys),
            questions=self.parts.questions,
            pages=self.parts.pages,
        )
        self._desk = self.parts.desk
        self._records = self.parts.records
        self._listening = self.parts.listening
        self._principal_of = principal_of
        self._clock = clock
        self._new_bytes = new_bytes
        self._calls: set[asyncio.Task[Reply]] = set()
        self._streams = ListenStreams(self._listening, clock=clock, new_bytes=new_bytes)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        arrival = await self._arrive(request)
        match request.method:
            case "POST":
                return await self._post(request, arrival)
            case "GET":
                decision = self._core.on_get(arrival)
                if isinstance(decision, Listen):
                    return await self._streams.listen(request, decision, arrival.api)
                return respond(decision)
            case "DELETE":
                return respond(await self._delete(arrival))
            case _:
                return respond(refuse_method())

    async def close_streams(self, _: web.Application) -> None:
        """Ends what would hold up a shutdown: streams of changes, and waiting for answers."""
        self.parts.close()

    async def end_calls(self, _: web.Application) -> None:
        """Cancels what still runs, as legacy calls do when their client has left."""
        await self._listening.aclose()
        calls = tuple(self._calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    async def _arrive(self, request: web.Request) -> Arrival:
        api = request.match_info.get("api")
        if api is not None:
            with suppress(ApiUnavailable):  # known, and only some methods need its catalog
                self._gateway.view(api)
        return await self._find_session(
            Arrival(
                headers=headers_of(request),
                principal=self._principal_of(request),
                api=api,
                now=self._clock(),
                nonce=self._new_bytes(NONCE_BYTES),
                view=lambda: self._gateway.view(api),
                offerings=lambda: self._gateway.offerings(api),
                ttl_ms=lambda: self._gateway.ttl_ms(api),
            )
        )

    async def _find_session(self, arrival: Arrival) -> Arrival:
        # Only what is ours is asked for: a forged id costs the store nothing.
        session = self._core.session_of(arrival)
        if session is None or (await self._records.look(session.nonce)).ended:
            return arrival
        return replace(arrival, session=session)

    async def _delete(self, arrival: Arrival) -> Reply:
        decision = self._core.on_delete(arrival)
        if isinstance(decision, Reply):
            return decision
        await self._records.end(decision.session, until=decision.until)
        self._listening.end_session(decision.session)
        return Reply(status=204)

    async def _post(self, request: web.Request, arrival: Arrival) -> web.StreamResponse:
        refusal = refuse_head(arrival.headers)
        if refusal is not None:
            return respond(refusal)
        limit = self._settings.max_body_bytes
        try:
            body = await read_body(request, limit)
        except PayloadTooLarge:
            return respond(refuse_size(limit))
        decision = await self.parts.decide(body, lambda: self._core.on_post(arrival, body))
        accepted = accepted_types(arrival.headers)
        if isinstance(decision, Subscribe):
            answer = await self._streams.subscribe(
                request, decision, arrival.principal, arrival.api
            )
            return respond(answer) if isinstance(answer, Reply) else answer
        if isinstance(decision, Reply):
            return respond(decision, accepted)
        caller = caller_of(arrival.headers, arrival.principal, arrival.api)
        return await self._carry_out(request, decision, caller, accepted)

    async def _carry_out(
        self, request: web.Request, decision: Doable, caller: Caller, accepted: frozenset[str]
    ) -> web.StreamResponse:
        """Run the decision in a task of its own: a legacy call outlives its connection.

        In the modern era the client's leaving is its way to cancel.
        """
        channel = QueueChannel(can_send=EVENT_STREAM in accepted)
        call = self._start(self._desk.settle(decision, caller, channel))
        call.add_done_callback(channel.wake)
        try:
            patience = self._settings.ping_seconds if channel.can_send else None
            await channel.changed(patience)
            if call.done() and channel.is_empty:
                return respond(call.result(), accepted)
            return await self._stream(request, call, channel, self._context_of(decision, caller))
        finally:
            channel.close()
            # Only the client's leaving brings us here with the call still under way.
            if not call.done() and isinstance(decision, Work) and decision.ends_with_stream:
                call.cancel()
                await asyncio.wait({call})

    def _context_of(self, decision: Doable, caller: Caller) -> Headers:
        """The header that names the context of a call, as far as that is certain before its end."""
        if not isinstance(decision, Work) or self._settings.additions.context_argument:
            return ()  # an argument may name another
        named = claim_of(decision, caller).named_id
        return () if named is None else (("OCP-Context-ID", named),)

    def _start(self, work: Coroutine[object, object, Reply]) -> asyncio.Task[Reply]:
        # Owned here until done, ended by `end_calls`; a group would tie it to the request.
        task = asyncio.create_task(work)  # noqa: TID251
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return task

    async def _stream(
        self,
        request: web.Request,
        call: asyncio.Task[Reply],
        channel: QueueChannel,
        headers: Headers,
    ) -> web.StreamResponse:
        response = await open_events(request, headers)
        with suppress(ConnectionError):  # the client left, or reads nothing any more
            # The first one at once: aiohttp holds the head back until the body begins.
            await write_events(request, response, PING)
            while not call.done() or not channel.is_empty:
                while (message := channel.take()) is not None:
                    await write_events(request, response, event(message))
                if not call.done() and not await channel.changed(self._settings.ping_seconds):
                    await write_events(request, response, PING)
            if (reply := call.result()).body:
                await write_events(request, response, event(reply.body))
        return response


def caller_of(headers: Headers, principal: Principal, api: str | None) -> Caller:
    """Who sends a request with this head."""
    return Caller(
        principal=principal, api=api, inbound=read_inbound(headers), headers=_passable(headers)
    )


def _passable(headers: Headers) -> Headers:
    """What an API's `forward_headers` may choose from: never what is meant for this server.

    A token given to an MCP server stays there (2026-07-28, authorization: no token passthrough).
    """
    return tuple(
        (name, value)
        for name, value in headers
        if name.lower() not in _OWN and not name.lower().startswith("mcp-")
    )


def respond(
    reply: Reply, accepted: frozenset[str] = frozenset((JSON, EVENT_STREAM))
) -> web.Response:
    """The reply as a whole response: JSON where the client takes it, else an event."""
    headers = dict(reply.headers)
    body = reply.body
    if body and reply.status == 200 and JSON not in accepted:
        headers |= EVENT_HEAD
        body = event(body)
    elif body:
        headers["Content-Type"] = JSON
    return web.Response(status=reply.status, headers=headers, body=body or None)
