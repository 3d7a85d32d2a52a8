"""HTTP+SSE over a real server: a stream for the answers, POSTs for the requests."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from urllib.parse import urljoin

import aiohttp
import pytest
from aiohttp import web

from gateway.engine import LogLine, Progress, ToolCall
from gateway.errors import InputRequest, InputRequired
from gateway.mcp import Server
from gateway.policy import ANONYMOUS, Principal
from gateway.server import sse
from gateway.server.app import _name_server
from gateway.server.mcp_http import McpEndpoint
from gateway.server.mcp_parts import McpSettings
from gateway.server.sse import SseEndpoint
from gateway.stores import MemoryBoard
from tests.support.fake_gateway import FakeGateway, as_gateway
from tests.support.mcp_core import KEY, LEGACY, NOW, SERVER, encoded, message
from tests.support.unknown_apis import answer_unknown_apis

PATIENCE = 20
HEAD = {"Content-Type": "application/json"}


@dataclass(slots=True, kw_only=True)
class Stream:
    """One client: its open stream, and where it posts to."""

    client: aiohttp.ClientSession
    response: aiohttp.ClientResponse
    url: str = ""
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    async def event(self) -> tuple[str, str]:
        """The next event's name and data; comments come as `("", comment)`."""
        name, data = "", ""
        while line := (await self.response.content.readline()).decode():
            text = line.rstrip("\n")
            if text.startswith("event: "):
                name = text.removeprefix("event: ")
            elif text.startswith("data: "):
                data = text.removeprefix("data: ")
            elif text.startswith(":"):
                data = text
            elif not text:
                return name, data
        raise EOFError

    async def message(self) -> dict[str, object]:
        name, data = await self.event()
        assert name == "message"
        value = json.loads(data)
        assert isinstance(value, dict)
        return value

    async def post(self, body: object, **headers: str) -> tuple[int, bytes]:
        data = body if isinstance(body, bytes) else encoded(body)
        async with self.client.post(self.url, data=data, headers={**HEAD, **headers}) as answer:
            return answer.status, await answer.read()

    async def ask(self, method: str, params: object = None) -> dict[str, object]:
        """The answer to a request."""
        request_id = next(self.ids)
        assert await self.post(message(method, params, request_id=request_id)) == (202, b"")
        answer = await self.message()
        assert answer["id"] == request_id
        return answer

    async def initialize(self, revision: str = "2024-11-05", **capabilities: object) -> None:
        params = {
            "protocolVersion": revision,
            "capabilities": capabilities,
            "clientInfo": {"name": "tester"},
        }
        answer = await self.ask("initialize", params)
        assert isinstance(answer["result"], dict)
        assert answer["result"]["protocolVersion"] == revision
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        assert await self.post(note) == (202, b"")


@dataclass(slots=True, kw_only=True)
class Door:
    """A server with the transport, and whom it takes its callers for."""

    fake: FakeGateway
    url: str
    client: aiohttp.ClientSession
    endpoint: SseEndpoint
    runner: web.AppRunner

    @asynccontextmanager
    async def stream(self, path: str = "/sse", **headers: str) -> AsyncIterator[Stream]:
        async with self.client.get(self.url + path, headers=headers) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "text/event-stream"
            stream = Stream(client=self.client, response=response)
            name, data = await stream.event()
            assert name == "endpoint"
            stream.url = urljoin(self.url + path, data)
            yield stream


@asynccontextmanager
async def open_door(
    fake: FakeGateway,
    *,
    ping_seconds: float = 15.0,
    public_url: str | None = None,
    server: Server = SERVER,
) -> AsyncIterator[Door]:
    def principal_of(request: web.Request) -> Principal:
        name = request.headers.get("X-Name")
        return ANONYMOUS if name is None else Principal(name=name)

    numbers = count(1)
    settings = McpSettings(
        server=server, session_keys=(KEY,), ping_seconds=ping_seconds, max_body_bytes=100_000
    )
    mcp = McpEndpoint(
        as_gateway(fake),
        settings=settings,
        principal_of=principal_of,
        clock=lambda: NOW,
        new_bytes=lambda size: next(numbers).to_bytes(size, "big"),
        board=MemoryBoard(),
    )
    endpoint = SseEndpoint(mcp.parts, principal_of=principal_of, public_url=public_url)
    app = web.Application(middlewares=[answer_unknown_apis])
    for path in ("/sse", "/sse/{api}"):
        app.router.add_get(path, endpoint.open, allow_head=False)
    app.router.add_post("/messages", endpoint.hear)
    app.on_response_prepare.append(_name_server)
    app.on_shutdown.append(mcp.close_streams)
    app.on_cleanup.extend((mcp.end_calls, endpoint.end_calls))
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=PATIENCE)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        try:
            yield Door(fake=fake, url=url, client=client, endpoint=endpoint, runner=runner)
        finally:
            await runner.cleanup()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door(FakeGateway()) as opened:
        yield opened


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize("path", ["/sse", "/sse/pets"])
async def test_a_conversation_from_its_handshake_to_a_call(
    door: Door, revision: str, path: str
) -> None:
    async with door.stream(path) as stream:
        await stream.initialize(revision)
        assert (await stream.ask("ping"))["result"] == {}
        listed = (await stream.ask("tools/list"))["result"]
        assert isinstance(listed, dict)
        assert listed["tools"]
        called = (await stream.ask("tools/call", {"name": "listPets", "arguments": {"a": 1}}))[
            "result"
        ]
        assert isinstance(called, dict)
        assert called["content"] == [{"type": "text", "text": "{'a': 1}"}]
    [call] = door.fake.calls
    assert call.api == (None if path == "/sse" else "pets")


async def test_calls_of_one_stream_share_a_context_and_streams_do_not(door: Door) -> None:
    async with door.stream() as one, door.stream() as other:
        for stream in (one, one, other):
            await stream.ask("tools/call", {"name": "listPets"})
    first, second, third = (call.claim.ambient_id for call in door.fake.calls)
    assert first == second != third
    assert first is not None
    assert first.startswith("ocp-")


async def test_an_answer_goes_to_the_stream_of_its_request(door: Door) -> None:
    async with door.stream() as one, door.stream() as other:
        assert (await other.post(message("ping", request_id="o")))[0] == 202
        assert (await one.post(message("ping", request_id="i")))[0] == 202
        assert (await one.message())["id"] == "i"
        assert (await other.message())["id"] == "o"


async def test_the_address_for_posts_cannot_be_guessed_and_is_the_caller_s_own(door: Door) -> None:
    async with door.stream(**{"X-Name": "key:alice"}) as stream:
        body = message("ping")
        assert (await stream.post(body, **{"X-Name": "key:alice"}))[0] == 202
        assert (await stream.post(body, **{"X-Name": "key:thief"}))[0] == 404
        assert (await stream.post(body))[0] == 404
        good = stream.url
        assert len(good.partition("=")[2]) == 32
        for url in (good[:-1] + "x", good.partition("?")[0], good + "&session_id=x"):
            stream.url = url
            status, _ = await stream.post(body, **{"X-Name": "key:alice"})
            assert status == (202 if url.startswith(good + "&") else 404)
    stream.url = good
    status, answer = await stream.post(body, **{"X-Name": "key:alice"})
    assert status == 404
    assert json.loads(answer)["error"]["message"] == "No such session"


async def test_a_path_in_the_public_address_is_part_of_the_one_for_posts() -> None:
    async with (
        open_door(FakeGateway(), public_url="https://example.org/gw/") as door,
        door.stream() as stream,
    ):
        assert stream.url.startswith(f"{door.url}/gw/messages?session_id=")


@pytest.mark.parametrize(
    ("path", "head", "status"),
    [
        ("/sse/nowhere", {}, 404),
        ("/sse", {"Accept": "application/json"}, 406),
        ("/sse", {"Accept": "text/html"}, 406),
    ],
)
async def test_a_stream_that_cannot_be(
    door: Door, path: str, head: dict[str, str], status: int
) -> None:
    async with door.client.get(door.url + path, headers=head) as response:
        assert response.status == status


async def test_an_api_that_is_still_loading_can_be_talked_to(door: Door) -> None:
    async with door.stream("/sse/loading") as stream:
        await stream.initialize()
        assert "error" in await stream.ask("tools/list")


async def test_nobody_waits_for_the_head_of_a_stream(door: Door) -> None:
    async with door.client.head(door.url + "/sse") as response:
        assert response.status == 405


@pytest.mark.parametrize(
    ("body", "head", "status"),
    [
        pytest.param(b"{", {}, 400, id="no JSON"),
        pytest.param(b"[]", {}, 400, id="empty batch"),
        pytest.param(b"{}", {"Content-Type": "text/plain"}, 415, id="no JSON by its type"),
        pytest.param(b"x" * 100_001, {}, 413, id="too long"),
    ],
)
async def test_what_is_no_message_is_refused_by_the_post(
    door: Door, body: bytes, head: dict[str, str], status: int
) -> None:
    async with door.stream() as stream:
        assert (await stream.post(body, **head))[0] == status
        assert (await stream.ask("ping"))["result"] == {}


async def test_an_error_is_an_answer_on_the_stream(door: Door) -> None:
    async with door.stream() as stream:
        answer = await stream.ask("no/such")
        assert isinstance(answer["error"], dict)
        assert answer["error"]["code"] == -32601


async def test_a_batch_is_answered_as_one(door: Door) -> None:
    async with door.stream() as stream:
        await stream.initialize("2025-03-26")
        batch = [message("ping", request_id=1), message("tools/call", {"name": "listPets"})]
        assert (await stream.post(batch))[0] == 202
        name, data = await stream.event()
        assert name == "message"
        assert len(json.loads(data)) == 2


async def test_what_a_call_says_meanwhile_comes_before_its_answer() -> None:
    async def talk(call: ToolCall) -> str:
        assert call.listener is not None
        await call.listener.progress(Progress(progress=1))
        await call.listener.log(LogLine(level="debug", data="too quiet", logger=None))
        await call.listener.log(LogLine(level="warning", data="heard", logger=None))
        return "done"

    async with open_door(FakeGateway(listPets=talk)) as door, door.stream() as stream:
        await stream.initialize()
        params = {"name": "listPets", "_meta": {"progressToken": 7}}
        assert (await stream.post(message("tools/call", params)))[0] == 202
        methods = [(await stream.message()).get("method") for _ in range(3)]
        assert methods == ["notifications/progress", "notifications/message", None]
        assert (await stream.ask("logging/setLevel", {"level": "debug"}))["result"] == {}
        assert (await stream.post(message("tools/call", {"name": "listPets"})))[0] == 202
        levels = [(await stream.message()).get("params") for _ in range(2)]
        assert [level["level"] for level in levels if isinstance(level, dict)] == [
            "debug",
            "warning",
        ]


async def test_a_client_is_asked_on_its_stream_and_answers_by_a_post() -> None:
    async def ask(call: ToolCall) -> str:
        if call.continuation is None:
            raise InputRequired({"roots": InputRequest(method="roots/list", params={})}, state=None)
        return json.dumps(call.continuation.responses["roots"])

    async with open_door(FakeGateway(listPets=ask)) as door, door.stream() as stream:
        await stream.initialize("2025-06-18", roots={})
        assert (await stream.post(message("tools/call", {"name": "listPets"})))[0] == 202
        question = await stream.message()
        assert question["method"] == "roots/list"
        answer = {"jsonrpc": "2.0", "id": question["id"], "result": {"roots": []}}
        assert (await stream.post(answer))[0] == 202
        result = (await stream.message())["result"]
        assert isinstance(result, dict)
        assert result["content"] == [{"type": "text", "text": '{"roots": []}'}]


async def test_a_call_can_be_cancelled() -> None:
    started = asyncio.Event()

    async def hang(_: ToolCall) -> str:
        started.set()
        await asyncio.Event().wait()
        return ""

    async with open_door(FakeGateway(listPets=hang)) as door, door.stream() as stream:
        call = message("tools/call", {"name": "listPets"}, request_id="c")
        assert (await stream.post(call))[0] == 202
        await started.wait()
        note = {"method": "notifications/cancelled", "params": {"requestId": "c"}}
        assert (await stream.post({"jsonrpc": "2.0", **note}))[0] == 202
        async with asyncio.timeout(PATIENCE):
            await door.fake.cancelled.wait()
        assert (await stream.ask("ping"))["result"] == {}


async def test_a_call_outlives_its_stream() -> None:
    started, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(_: ToolCall) -> str:
        started.set()
        await go_on.wait()
        done.set()
        return "late"

    async with open_door(FakeGateway(listPets=work)) as door:
        async with door.stream() as stream:
            assert (await stream.post(message("tools/call", {"name": "listPets"})))[0] == 202
            await started.wait()
        await _until(lambda: not door.endpoint._streams)
        go_on.set()
        async with asyncio.timeout(PATIENCE):
            await done.wait()
        assert not door.fake.cancelled.is_set()
        await _until(lambda: not door.endpoint._calls)


async def test_a_silent_stream_shows_signs_of_life() -> None:
    async with open_door(FakeGateway(), ping_seconds=0.01) as door, door.stream() as stream:
        assert await stream.event() == ("", ": ping")
        assert await stream.event() == ("", ": ping")


async def test_a_shutdown_ends_the_stream_after_what_is_under_way() -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def work(_: ToolCall) -> str:
        started.set()
        await go_on.wait()
        return "in time"

    async with open_door(FakeGateway(listPets=work)) as door:
        async with door.stream() as idle, door.stream() as busy:
            assert (await busy.post(message("tools/call", {"name": "listPets"})))[0] == 202
            await started.wait()
            async with asyncio.TaskGroup() as group:
                group.create_task(door.runner.cleanup())
                with pytest.raises(EOFError):
                    await idle.event()
                go_on.set()
                assert "result" in await busy.message()
                with pytest.raises(EOFError):
                    await busy.event()
        assert not door.fake.cancelled.is_set()


async def test_a_client_that_reads_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.server.event_streams.STALL_SECONDS", 0.05)

    async def large(_: ToolCall) -> str:
        return "x" * 1_000_000

    async with open_door(FakeGateway(listPets=large)) as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(door.url.split(":")[2]))
        writer.write(b"GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = await reader.readuntil(b"session_id=")
        assert head.startswith(b"HTTP/1.1 200")
        name = (await reader.readline()).decode().strip()
        url = f"{door.url}/messages?session_id={name}"
        body = encoded(message("tools/call", {"name": "listPets"}))
        async with asyncio.timeout(PATIENCE):
            status = 202
            while status == 202:
                async with door.client.post(url, data=body, headers=HEAD) as answer:
                    status = answer.status
        assert status == 404
        assert not door.endpoint._streams
        # What is on the way may still arrive; the connection is over all the same.
        with suppress(ConnectionResetError):
            async with asyncio.timeout(PATIENCE):
                await reader.read()
        writer.close()


async def test_only_so_many_calls_of_one_stream_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_RUNNING", 2)
    go_on = asyncio.Event()

    async def work(_: ToolCall) -> str:
        await go_on.wait()
        return ""

    async with open_door(FakeGateway(listPets=work)) as door, door.stream() as stream:
        call = message("tools/call", {"name": "listPets"})
        assert [(await stream.post(call))[0] for _ in range(2)] == [202, 202]
        async with asyncio.TaskGroup() as group:
            third = group.create_task(stream.post(call))
            # What is no call is heard all the same: an answer may be what the others wait for.
            for _ in range(20):
                assert (await stream.ask("ping"))["result"] == {}
            assert not third.done()
            assert len(door.fake.calls) == 2
            go_on.set()
        assert third.result() == (202, b"")
        for _ in range(3):
            assert "result" in await stream.message()


async def test_only_so_many_streams_are_open(monkeypatch: pytest.MonkeyPatch, door: Door) -> None:
    monkeypatch.setattr(sse, "MAX_STREAMS", 1)
    async with door.stream(), door.client.get(door.url + "/sse") as response:
        assert response.status == 503
    await _until(lambda: not door.endpoint._streams)
    async with door.stream() as stream:
        assert (await stream.ask("ping"))["result"] == {}


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)


@pytest.mark.parametrize(("path", "declared"), [("/sse", {}), ("/sse/pets", {"listChanged": True})])
async def test_prompts_may_change_in_the_view_of_one_api(
    path: str, declared: dict[str, object]
) -> None:
    server = replace(SERVER, prompts=True)
    async with open_door(FakeGateway(), server=server) as door, door.stream(path) as stream:
        answer = await stream.ask(
            "initialize", {"protocolVersion": "2024-11-05", "capabilities": {}}
        )
        assert isinstance(answer["result"], dict)
        assert answer["result"]["capabilities"]["prompts"] == declared
