"""`/mcp` in front of a made-up shop, with and without a network, under one interface."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Protocol

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from gateway.context import read_inbound
from gateway.mcp import (
    NONCE_BYTES,
    Arrival,
    Decision,
    Listen,
    Reply,
    StdioDialogue,
    StreamableHttp,
    Subscribe,
    refuse_head,
)
from gateway.messages import Headers
from gateway.policy import ANONYMOUS
from gateway.server.channels import QueueChannel
from gateway.server.mcp_calls import CallDesk, Caller
from gateway.server.mcp_http import McpEndpoint
from gateway.server.mcp_parts import McpSettings
from gateway.stores import MemoryBoard
from tests.support.mcp_core import KEY, NOW, SERVER
from tests.support.mcp_shop import Shop, gateway_of

PATIENCE = 30.0

_RIGHT: Mapping[str, object] = {
    "elicitation/create": {"action": "accept", "content": {"name": "x"}},
    "sampling/createMessage": {
        "role": "assistant",
        "content": {"type": "text", "text": "ok"},
        "model": "m",
    },
    "roots/list": {"roots": [{"uri": "file:///a"}]},
}
_OTHER: tuple[Mapping[str, object], ...] = (
    {"result": {"action": "decline"}},
    {"error": {"code": -1, "message": "no"}},
    {"result": {}},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An answer. `pushed`: messages that came before it."""

    status: int
    body: bytes
    headers: Headers
    pushed: tuple[bytes, ...] = ()

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Way(Protocol):
    """A way to the endpoint. Whoever is asked on the way back answers, rightly or not."""

    async def send(
        self, method: str, headers: Headers, body: bytes = b"", api: str | None = None
    ) -> Heard: ...


class Answers:
    """What a client says to questions: mostly what is wanted."""

    def __init__(self) -> None:
        self._numbers = count()

    def to(self, message: bytes) -> bytes | None:
        """The response to a request of the server's, None for what is none."""
        value = json.loads(message)
        if not ("id" in value and "method" in value):
            return None
        number = next(self._numbers) % 5
        right = {"result": _RIGHT[value["method"]]}
        said = right if number < 2 else _OTHER[number - 2]
        return json.dumps({"jsonrpc": "2.0", "id": value["id"], **said}).encode()


class Room:
    """The endpoint's own parts, without a network. `clock`: seconds since the epoch."""

    def __init__(self) -> None:
        self.clock = NOW
        self.shop = Shop()
        self.answers = Answers()
        self._numbers = count(1)
        self.gateway = gateway_of(self.shop)
        self.endpoint = McpEndpoint(
            self.gateway,
            settings=McpSettings(server=replace(SERVER, prompts=True), session_keys=(KEY,)),
            principal_of=lambda _: ANONYMOUS,
            clock=lambda: self.clock,
            new_bytes=self._new_bytes,
            board=MemoryBoard(),
        )
        self._core: StreamableHttp = self.endpoint._core
        self.desk: CallDesk = self.endpoint._desk

    async def send(
        self, method: str, headers: Headers, body: bytes = b"", api: str | None = None
    ) -> Heard:
        arrival = await self.endpoint._find_session(self._arrival(headers, api))
        if method == "DELETE":
            return _heard(await self.endpoint._delete(arrival))
        if method == "GET":
            decision = self._core.on_get(arrival)
            return _heard(decision if isinstance(decision, Reply) else Reply())
        refusal = refuse_head(headers)
        if refusal is not None:
            return _heard(refusal)
        caller = Caller(principal=ANONYMOUS, api=api, inbound=read_inbound(headers))
        posted = self.desk.consider(body, lambda: self._core.on_post(arrival, body))

        async def answer(message: bytes) -> None:
            said = self.answers.to(message)
            if said is not None:
                assert await self.send("POST", headers, said, api) == _heard(Reply(status=202))

        return await settle(self.desk, posted, caller, answer)

    def _arrival(self, headers: Headers, api: str | None) -> Arrival:
        publication = self.endpoint.parts.publication(api)
        return Arrival(
            headers=tuple(headers),
            principal=ANONYMOUS,
            api=api,
            now=self.clock,
            nonce=self._new_bytes(NONCE_BYTES),
            view=publication.view,
            offerings=publication.offerings,
        )

    def dialogue(self) -> "Dialogue":
        return Dialogue(self)

    def _new_bytes(self, size: int) -> bytes:
        return next(self._numbers).to_bytes(size, "big")


class Dialogue:
    """One stdio process, without pipes."""

    def __init__(self, room: Room) -> None:
        self._desk = room.desk
        self._answers = room.answers
        self._core = StdioDialogue(
            publication=room.endpoint.parts.publication(None),
            questions=room.endpoint.parts.questions,
            own_context="ocp-" + "0" * 32,
        )

    async def say(self, line: bytes | None) -> Heard:
        decision = self._desk.consider(line, lambda: self._core.on_line(line))

        async def answer(message: bytes) -> None:
            said = self._answers.to(message)
            if said is not None:
                assert not (await self.say(said)).body

        return await settle(self._desk, decision, Caller(principal=ANONYMOUS), answer)


async def settle(
    desk: CallDesk,
    decision: Decision,
    caller: Caller,
    answer: Callable[[bytes], Awaitable[None]],
) -> Heard:
    """What comes of a decision; each message on the way goes to `answer`, too."""
    if isinstance(decision, Listen | Subscribe):
        return Heard(status=200, body=b"", headers=())  # a stream, which is not this room's affair
    channel = QueueChannel(can_send=True)
    pushed = []
    task = asyncio.ensure_future(desk.settle(decision, caller, channel))
    task.add_done_callback(channel.wake)
    while not (task.done() and channel.is_empty):
        assert await channel.changed(PATIENCE), "it hangs"
        while (message := channel.take()) is not None:
            pushed.append(message)
            await answer(message)
    return _heard(task.result(), tuple(pushed))


def _heard(reply: Reply, pushed: tuple[bytes, ...] = ()) -> Heard:
    return Heard(status=reply.status, body=reply.body, headers=reply.headers, pushed=pushed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Networked:
    """The same room behind a real server."""

    client: aiohttp.ClientSession
    url: str
    answers: Answers

    async def send(
        self, method: str, headers: Headers, body: bytes = b"", api: str | None = None
    ) -> Heard:
        path = "/mcp" if api is None else f"/mcp/{api}"
        sent = CIMultiDict(headers)
        async with self.client.request(method, self.url + path, data=body, headers=sent) as r:
            told, pushed = b"", []
            if r.content_type != "text/event-stream":
                told = await r.read()
            elif method == "POST":
                async for message in _messages(r.content):
                    if "method" not in json.loads(message):
                        told = message
                        break
                    pushed.append(message)
                    if b"/acknowledged" in message:
                        break  # a stream of changes, which has no end
                    said = self.answers.to(message)
                    if said is not None:
                        assert (await self.send("POST", headers, said, api)).status == 202
            return Heard(
                status=r.status,
                body=told,
                headers=tuple(r.headers.items()),
                pushed=tuple(pushed),
            )


async def _messages(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    while line := await stream.readline():
        if line.startswith(b"data: "):
            yield line.removeprefix(b"data: ").strip()


@asynccontextmanager
async def networked(room: Room) -> AsyncIterator[Networked]:
    """The room on a free loopback port, and a client before it."""
    app = web.Application()
    app.router.add_route("*", "/mcp", room.endpoint.answer)
    app.router.add_route("*", "/mcp/{api}", room.endpoint.answer)
    app.on_shutdown.append(room.endpoint.close_streams)
    app.on_cleanup.append(room.endpoint.end_calls)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=PATIENCE)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        async with aiohttp.ClientSession(timeout=timeout) as client:
            yield Networked(client=client, url=url, answers=room.answers)
    finally:
        await runner.cleanup()
