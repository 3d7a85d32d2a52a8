"""Endpoints whose catalog changes when a test says so, and clients that listen to them."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
from aiohttp import web

from gateway.catalog import NOTHING_DECLARED, ApiCatalog, Catalog, Declared, read_catalog
from gateway.engine import CatalogWatch
from gateway.interfaces import SessionBoard
from gateway.openapi import read_description
from gateway.policy import ANONYMOUS, Principal
from gateway.server.listening import Listening
from gateway.server.mcp_http import McpEndpoint
from gateway.server.mcp_parts import McpSettings
from gateway.stores import MemoryBoard
from tests.support.fake_gateway import FakeGateway, as_gateway
from tests.support.mcp_core import (
    KEY,
    NOW,
    SERVER,
    encoded,
    message,
    modern_head,
    modern_message,
)
from tests.support.unknown_apis import answer_unknown_apis

PATIENCE = 20
METHOD = "subscriptions/listen"
DESCRIPTION_URI = "gateway://apis/pets/openapi"
TOOLS_CHANGED = "notifications/tools/list_changed"
RESOURCES_CHANGED = "notifications/resources/list_changed"
PROMPTS_CHANGED = "notifications/prompts/list_changed"
UPDATED = "notifications/resources/updated"
Json = dict[str, object]

_JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


def pets(*operations: str, title: str = "Pets", shop: str = "buy") -> Catalog:
    """A catalog of `pets` with these operations, and of `shop` with one."""
    return Catalog([_api("pets", title, operations), _api("shop", "Shop", (shop,))])


def _api(name: str, title: str, operations: Sequence[str]) -> ApiCatalog:
    done = {"200": {"description": "ok"}}
    paths = {f"/{key}": {"get": {"operationId": key, "responses": done}} for key in operations}
    info = {"title": title, "version": "1"}
    description = {"openapi": "3.1.0", "info": info, "paths": paths}
    return read_catalog(read_description(description, api=name))


BEFORE, AFTER = pets("listPets", "getPet"), pets("listPets")


@dataclass(slots=True, kw_only=True)
class World:
    """What the endpoints of a test have in common: the time, and who is calling."""

    now: float = NOW
    principal: Principal = ANONYMOUS
    board: SessionBoard = field(default_factory=MemoryBoard)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One endpoint and a client in front of it."""

    url: str
    port: int
    gateway: FakeGateway
    client: aiohttp.ClientSession
    listening: Listening
    stop: Callable[[], Awaitable[None]]

    def change(self, *catalogs: Catalog) -> None:
        for catalog in catalogs:
            self.gateway.changes.announce(catalog)

    async def initialize(self, revision: str = "2025-11-25", path: str = "/mcp") -> str:
        """The id of a new session."""
        body = message("initialize", {"protocolVersion": revision, "capabilities": {}})
        async with self.client.post(self.url + path, data=encoded(body), headers=_JSON) as reply:
            assert reply.status == 200
            return reply.headers["Mcp-Session-Id"]

    async def delete(self, session: str) -> int:
        head = {"Mcp-Session-Id": session}
        async with self.client.delete(self.url + "/mcp", headers=head) as reply:
            return reply.status

    async def request(self, session: str, method: str, params: Mapping[str, object]) -> Json:
        body, head = encoded(message(method, params)), {**_JSON, "Mcp-Session-Id": session}
        async with self.client.post(self.url + "/mcp", data=body, headers=head) as reply:
            value = await reply.json()
            assert isinstance(value, dict)
            return value


@asynccontextmanager
async def open_door(
    world: World | None = None,
    *,
    ping_seconds: float = 15.0,
    shown: Catalog = BEFORE,
    declared: Declared = NOTHING_DECLARED,
) -> AsyncIterator[Door]:
    world = world or World()
    gateway = FakeGateway()
    gateway.changes = CatalogWatch(shown, declared)
    server = replace(SERVER, prompts=bool(declared.prompts))
    settings = McpSettings(server=server, session_keys=(KEY,), ping_seconds=ping_seconds)
    endpoint = McpEndpoint(
        as_gateway(gateway),
        settings=settings,
        principal_of=lambda _: world.principal,
        clock=lambda: world.now,
        new_bytes=os.urandom,
        board=world.board,
    )
    app = web.Application(middlewares=[answer_unknown_apis])
    app.router.add_route("*", "/mcp", endpoint.answer)
    app.router.add_route("*", "/mcp/{api}", endpoint.answer)
    app.on_shutdown.append(endpoint.close_streams)
    app.on_cleanup.append(endpoint.end_calls)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=PATIENCE)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        client = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE))
        )
        url = f"http://127.0.0.1:{port}"
        yield Door(
            url=url,
            port=port,
            gateway=gateway,
            client=client,
            listening=endpoint.parts.listening,
            stop=runner.cleanup,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    message: Json
    id: str = ""

    @property
    def method(self) -> object:
        return self.message.get("method")


class Ear:
    """What comes on one event stream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def block(self) -> bytes:
        """The next lines up to an empty one, `b""` at the end."""
        lines: list[bytes] = []
        async with asyncio.timeout(PATIENCE):
            while (line := await self.response.content.readline()) != b"\n":
                if not line:
                    assert not lines, f"the stream ends within an event: {lines}"
                    return b""
                lines.append(line)
        return b"".join(lines)

    async def event(self) -> Event:
        """The next message; signs of life are passed over."""
        while (block := await self.block()).startswith(b":"):
            pass
        fields = dict(line.split(": ", 1) for line in block.decode().splitlines())
        assert fields.get("event") == "message", block
        return Event(message=json.loads(fields["data"]), id=fields.get("id", ""))

    async def methods(self, count: int) -> list[object]:
        return [(await self.event()).method for _ in range(count)]

    async def is_over(self) -> bool:
        """Waits for the end; no message may come before."""
        while block := await self.block():
            assert block.startswith(b":"), block
        return True


@asynccontextmanager
async def subscribed(
    door: Door, notifications: Mapping[str, object], *, request_id: object = 1, path: str = "/mcp"
) -> AsyncIterator[Ear]:
    """A modern stream, its acknowledgement heard."""
    body = modern_message(METHOD, {"notifications": notifications}, request_id=request_id)
    head = {**_JSON, **dict(modern_head(METHOD))}
    async with door.client.post(door.url + path, data=encoded(body), headers=head) as response:
        assert response.status == 200, response.status
        assert response.content_type == "text/event-stream"
        ear = Ear(response)
        first = await ear.event()
        assert first.method == "notifications/subscriptions/acknowledged"
        yield ear


@asynccontextmanager
async def following(
    door: Door, session: str, *, after: str = "", path: str = "/mcp"
) -> AsyncIterator[Ear]:
    """The stream of a legacy session, after the event of that id."""
    head = {"Accept": "text/event-stream", "Mcp-Session-Id": session}
    if after:
        head["Last-Event-ID"] = after
    async with door.client.get(door.url + path, headers=head) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        yield Ear(response)


def listen_bytes(port: int, notifications: Mapping[str, object], *, version: str = "1.1") -> bytes:
    """A whole request, for a socket."""
    body = encoded(modern_message(METHOD, {"notifications": notifications}))
    head = {**_JSON, **dict(modern_head(METHOD)), "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"POST /mcp HTTP/{version}\r\nHost: 127.0.0.1:{port}\r\n{lines}\r\n".encode() + body


def handlers() -> int:
    """How many requests are being answered in this process."""
    names = (getattr(t.get_coro(), "__qualname__", "") for t in asyncio.all_tasks())
    return sum(name == "RequestHandler._handle_request" for name in names)


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def until(condition: Callable[[], bool]) -> None:
    """Lets everybody else work until it holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.005)
