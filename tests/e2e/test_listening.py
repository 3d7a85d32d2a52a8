"""The official clients hear of a description that was rewritten."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)

from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import COMMAND, GatewayProcess, child_environment

PATIENCE = 30
URI = "gateway://apis/shop/openapi"
_MCP1 = Path(__file__).parents[2] / ".venv-mcp1" / "bin" / "python"


def describe(path: Path, *operations: str) -> None:
    path.write_text(text_of(*operations))


def text_of(*operations: str) -> str:
    done = {"200": {"description": "Done"}}
    paths = {f"/{name}": {"get": {"operationId": name, "responses": done}} for name in operations}
    info = {"title": "Shop", "version": "1"}
    return json.dumps({"openapi": "3.1.0", "info": info, "paths": paths})


@pytest.fixture
def description(tmp_path: Path) -> Path:
    path = tmp_path / "shop.json"
    describe(path, "buy")
    return path


def arguments(description: Path) -> tuple[str, ...]:
    return ("--spec", f"shop={description}", "--base-url", "shop=http://127.0.0.1:9")


@pytest.fixture
def gateway(description: Path, tmp_path: Path) -> Iterator[GatewayProcess]:
    store = f"sqlite:///{tmp_path}/contexts.db"
    with GatewayProcess(*arguments(description), "--store", store, directory=tmp_path) as process:
        yield process


@asynccontextmanager
async def modern_client(
    over: str, description: Path, gateway: GatewayProcess
) -> AsyncIterator[Client]:
    if over == "http":
        async with Client(f"{gateway.url}/mcp") as client:
            yield client
        return
    server = StdioServerParameters(
        command=str(COMMAND),
        args=["stdio", *arguments(description), "--store", "memory://"],
        cwd=description.parent,
        env=child_environment(),
    )
    with (description.parent / "stdio.log").open("a") as log:
        async with Client(stdio_client(server, errlog=log)) as client:
            yield client


@pytest.mark.parametrize("over", ["http", "stdio"])
async def test_a_modern_client_hears_of_new_tools_and_lists_them(
    over: str, description: Path, gateway: GatewayProcess
) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        modern_client(over, description, gateway) as client,
        client.listen(tools_list_changed=True, resource_subscriptions=[URI]) as stream,
    ):
        assert client.protocol_version == "2026-07-28"
        assert stream.honored.tools_list_changed is True
        assert stream.honored.resource_subscriptions == [URI]
        describe(description, "buy", "sell")
        heard: set[ServerEvent] = {await anext(stream) for _ in range(2)}
        assert heard == {ToolsListChanged(), ResourceUpdated(uri=URI)}
        assert {tool.name for tool in (await client.list_tools()).tools} == {"buy", "sell"}


DECLARED = """
apis: [{name: shop, spec: shop.json, base_url: "http://127.0.0.1:9"}]
mcp:
  resources: [{uri: "shop://sold", name: sold, tool: sell}]
  prompts: [{name: judge, description: Judges, messages: [{role: user, tool: sell}]}]
"""


async def test_a_modern_client_hears_of_what_comes_and_goes_with_its_tool(
    description: Path, tmp_path: Path
) -> None:
    (tmp_path / "c.yaml").write_text(DECLARED)
    with GatewayProcess("c.yaml", "--store", "memory://", directory=tmp_path) as gateway:
        async with (
            asyncio.timeout(PATIENCE),
            Client(f"{gateway.url}/mcp/shop") as client,
            client.listen(prompts_list_changed=True, resources_list_changed=True) as stream,
        ):
            assert stream.honored.prompts_list_changed is True
            assert (await client.list_prompts()).prompts == []
            describe(description, "buy", "sell")
            heard: set[ServerEvent] = {await anext(stream) for _ in range(2)}
            assert heard == {PromptsListChanged(), ResourcesListChanged()}
            assert [prompt.name for prompt in (await client.list_prompts()).prompts] == ["judge"]
            uris = [str(each.uri) for each in (await client.list_resources()).resources]
            assert uris == ["shop://sold", URI]


HOURLY = """
apis:
  - {{name: shop, spec: "{url}/shop.json", base_url: "http://127.0.0.1:9", reload_seconds: 3600}}
"""


async def kept_tools(client: Client) -> set[str]:
    """What a client that is told how long it may keep a list has kept."""
    while not (listed := await client.list_tools()).ttl_ms:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.02)
    assert 2_800_000 < listed.ttl_ms <= 4_320_000  # an hour, a fifth more or less
    return {tool.name for tool in listed.tools}


async def test_a_list_that_may_be_kept_is_asked_for_again_once_it_is_another(
    echo: EchoUpstream, tmp_path: Path
) -> None:
    echo.answer = lambda _: Answer(body=text_of("buy").encode())
    (tmp_path / "c.yaml").write_text(HOURLY.format(url=echo.url))
    with GatewayProcess("c.yaml", "--store", "memory://", directory=tmp_path) as gateway:
        async with (
            asyncio.timeout(PATIENCE),
            Client(f"{gateway.url}/mcp") as client,
            client.listen(tools_list_changed=True) as stream,
        ):
            assert await kept_tools(client) == {"buy"}
            echo.answer = lambda _: Answer(body=text_of("buy", "sell").encode())
            gateway.process.send_signal(signal.SIGHUP)
            assert await anext(stream) == ToolsListChanged()
            assert await kept_tools(client) == {"buy", "sell"}


async def test_over_stdio_a_list_may_be_kept_as_long(echo: EchoUpstream, tmp_path: Path) -> None:
    echo.answer = lambda _: Answer(body=text_of("buy").encode())
    (tmp_path / "c.yaml").write_text(HOURLY.format(url=echo.url))
    server = StdioServerParameters(
        command=str(COMMAND),
        args=["stdio", "c.yaml", "--store", "memory://"],
        cwd=tmp_path,
        env=child_environment(),
    )
    with (tmp_path / "stdio.log").open("a") as log:
        async with asyncio.timeout(PATIENCE), Client(stdio_client(server, errlog=log)) as client:
            assert await kept_tools(client) == {"buy"}


async def test_a_modern_client_sees_a_drain_as_an_orderly_end(gateway: GatewayProcess) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        Client(f"{gateway.url}/mcp") as client,
        client.listen(tools_list_changed=True) as stream,
    ):
        gateway.process.terminate()
        assert [event async for event in stream] == []


# What the 1.x client has to be told of by a stream that it resumes by itself.
_LEGACY = """
import asyncio, sys
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

async def hear(message):
    root = getattr(message, "root", None)
    if root is not None:
        print(root.method, flush=True)

async def main():
    async with streamablehttp_client(sys.argv[1]) as (read, write, _):
        async with ClientSession(read, write, message_handler=hear) as session:
            print((await session.initialize()).protocolVersion, flush=True)
            await asyncio.to_thread(sys.stdin.readline)

asyncio.run(main())
"""


class Cutter:
    """A TCP proxy that can cut what is open, and let nobody through for a while.

    `streams` are the heads of the GETs whose first event has come back.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self.streams: asyncio.Queue[bytes] = asyncio.Queue()
        self.is_open = asyncio.Event()
        self.is_open.set()
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        for writer in tuple(self._writers):
            writer.transport.abort()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            self.is_open.set()
            self.cut()
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        await self.is_open.wait()
        their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers.add(their_writer)
        their_writer.write(head)
        is_stream = head.startswith(b"GET /mcp")

        async def back() -> None:
            while data := await their_reader.read(65_536):
                writer.write(data)
                if is_stream and b"id: c1." in data:
                    self.streams.put_nowait(head)

        async def forth() -> None:
            while data := await reader.read(65_536):
                their_writer.write(data)

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(back())
                group.create_task(forth())
        except* ConnectionError:
            pass
        finally:
            for each in (writer, their_writer):
                each.transport.abort()
                self._writers.discard(each)


async def test_a_legacy_client_that_lost_its_stream_is_told_what_it_missed(
    description: Path, gateway: GatewayProcess
) -> None:
    cutter = Cutter(int(gateway.url.rsplit(":", 1)[1]))
    async with asyncio.timeout(PATIENCE), cutter.running():
        child = await asyncio.create_subprocess_exec(
            _MCP1,
            "-c",
            _LEGACY,
            f"http://127.0.0.1:{cutter.port}/mcp",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        assert await child.stdout.readline() == b"2025-11-25\n"
        assert b"last-event-id" not in (await cutter.streams.get()).lower()

        cutter.is_open.clear()
        cutter.cut()
        describe(description, "buy", "sell")
        async with aiohttp.ClientSession() as http:
            await until_tools(http, gateway, {"buy", "sell"})
        cutter.is_open.set()

        assert await child.stdout.readline() == b"notifications/tools/list_changed\n"
        assert b"last-event-id: c1." in (await cutter.streams.get()).lower()
        describe(description, "buy")
        assert await child.stdout.readline() == b"notifications/tools/list_changed\n"
        child.stdin.close()
        await child.wait()


async def until_tools(
    http: aiohttp.ClientSession, gateway: GatewayProcess, names: set[str]
) -> None:
    while True:
        async with http.get(f"{gateway.url}/tools") as response:
            if {tool["name"] for tool in (await response.json())["tools"]} == names:
                return
        await asyncio.sleep(0.02)
