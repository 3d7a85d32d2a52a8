"""MCP over a real HTTP server, with a gateway that does as it is told."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web

from gateway.catalog import NO_ADDITIONS, Additions, View
from gateway.engine import LogLine, Progress, ToolCall
from gateway.errors import Fault, InvalidArguments
from gateway.mcp import LARGE, Revision, ToolPages, parse_json
from gateway.policy import ANONYMOUS
from gateway.server.mcp_http import McpEndpoint
from gateway.server.mcp_parts import McpSettings
from gateway.stores import MemoryBoard
from tests.support.fake_gateway import FakeGateway, as_gateway
from tests.support.mcp_core import (
    KEY,
    META,
    NOW,
    SERVER,
    encoded,
    message,
    modern_head,
    modern_message,
)
from tests.support.unknown_apis import answer_unknown_apis

PATIENCE = 10
JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One running endpoint and a client in front of it."""

    fake: FakeGateway
    url: str
    client: aiohttp.ClientSession
    stop: Callable[[], Awaitable[None]]

    def post(
        self, body: object, head: Mapping[str, str] | None = None, path: str = "/mcp"
    ) -> aiohttp.client._RequestContextManager:
        data = body if isinstance(body, bytes) else encoded(body)
        return self.client.post(self.url + path, data=data, headers={**JSON, **(head or {})})

    async def open_session(
        self, revision: str = "2025-11-25", path: str = "/mcp"
    ) -> dict[str, str]:
        async with self.post(message("initialize", {"protocolVersion": revision}), path=path) as r:
            assert r.status == 200
            return {"Mcp-Session-Id": r.headers["Mcp-Session-Id"]}


@asynccontextmanager
async def open_door(
    fake: FakeGateway,
    *,
    ping_seconds: float = 15.0,
    max_body_bytes: int = 100_000,
    additions: Additions = NO_ADDITIONS,
) -> AsyncIterator[Door]:
    settings = McpSettings(
        server=SERVER,
        session_keys=(KEY,),
        ping_seconds=ping_seconds,
        max_body_bytes=max_body_bytes,
        additions=additions,
    )
    endpoint = McpEndpoint(
        as_gateway(fake),
        settings=settings,
        principal_of=lambda _: ANONYMOUS,
        clock=lambda: NOW,
        new_bytes=lambda size: b"n" * size,
        board=MemoryBoard(),
    )
    app = web.Application(middlewares=[answer_unknown_apis])
    app.router.add_route("*", "/mcp", endpoint.answer)
    app.router.add_route("*", "/mcp/{api}", endpoint.answer)
    app.on_shutdown.append(endpoint.close_streams)
    app.on_cleanup.append(endpoint.end_calls)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=PATIENCE)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        try:
            yield Door(fake=fake, url=url, client=client, stop=runner.cleanup)
        finally:
            await runner.cleanup()


def modern_call(
    name: str = "listPets", arguments: object = None
) -> tuple[dict[str, object], dict[str, str]]:
    params = {"name": name, "arguments": arguments}
    return modern_message("tools/call", params), dict(modern_head("tools/call", name))


def legacy_call(name: str = "listPets", request_id: object = 1) -> dict[str, object]:
    return message("tools/call", {"name": name}, request_id=request_id)


async def wait_for(event: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE):
        await event.wait()


def staged() -> tuple[asyncio.Event, asyncio.Event, Callable[[ToolCall], Awaitable[str]]]:
    """A call that says when it started and waits until it may end."""
    started, may_end = asyncio.Event(), asyncio.Event()

    async def behave(_: ToolCall) -> str:
        started.set()
        await may_end.wait()
        return "done"

    return started, may_end, behave


async def test_a_modern_call_goes_through() -> None:
    async with open_door(FakeGateway()) as door:
        body, head = modern_call("setPet", {"id": "7"})
        async with door.post(body, {**head, "OCP-Context-ID": "mine", "X-Mine": "\u00e9"}) as r:
            answer = await r.json()
        assert r.status == 200
        assert r.headers["OCP-Context-ID"] == "mine"
        assert r.content_type == "application/json"
        assert answer["result"]["content"][0]["text"] == "{'id': '7'}"
        (call,) = door.fake.calls
        assert (call.principal, call.api, call.claim.inbound.context_id) == (
            ANONYMOUS,
            None,
            "mine",
        )
        assert "X-Mine" in dict(call.headers)


async def test_a_legacy_conversation_goes_through() -> None:
    async with open_door(FakeGateway()) as door:
        session = await door.open_session(path="/mcp/pets")
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        async with door.post(note, session, "/mcp/pets") as r:
            assert (r.status, await r.read()) == (202, b"")
        async with door.post(message("tools/list"), session, "/mcp/pets") as r:
            assert len((await r.json())["result"]["tools"]) == 4
        async with door.post(legacy_call(), session, "/mcp/pets") as r:
            first = r.headers["OCP-Context-ID"]
        async with door.post(legacy_call(), session, "/mcp/pets") as r:
            assert r.headers["OCP-Context-ID"] == first
        assert [call.api for call in door.fake.calls] == ["pets", "pets"]
        async with door.client.delete(door.url + "/mcp/pets", headers=session) as r:
            assert r.status == 204
        async with door.post(legacy_call(), session, "/mcp/pets") as r:
            assert r.status == 404


@pytest.mark.parametrize("method", [b'"tools/list"', b'"tools\\/list"'], ids=["", "escaped"])
async def test_who_asks_for_a_list_keeps_nobody_else_waiting(
    method: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    make = ToolPages.page

    def slow(pages: ToolPages, revision: Revision, view: View, cursor: object) -> bytes:
        assert free.wait(PATIENCE)
        return make(pages, revision, view, cursor)

    monkeypatch.setattr(ToolPages, "page", slow)
    async with open_door(FakeGateway()) as door:
        head = dict(modern_head("tools/list"))
        body = encoded(modern_message("tools/list")).replace(b'"tools/list"', method)
        listing = asyncio.ensure_future(door.post(body, head).__aenter__())
        head = dict(modern_head("server/discover"))
        async with door.post(modern_message("server/discover"), head) as answered:
            assert answered.status == 200
        # Nor does it keep those waiting who only speak of one.
        call, head = modern_call(arguments={"text": json.dumps({"method": "tools/list"})})
        async with door.post(call, head) as answered:
            assert answered.status == 200
        assert not listing.done()
        free.set()
        async with await listing as listed:
            assert "tools" in (await listed.json())["result"]


@pytest.mark.parametrize("size", [LARGE // 2, LARGE], ids=["small", "large"])
async def test_only_a_large_message_is_read_aside(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[int] = []

    def read(body: bytes) -> object:
        readers.append(threading.get_ident())
        return parse_json(body)

    monkeypatch.setattr("gateway.mcp.streamable_http.parse_json", read)
    call, head = modern_call(arguments={"text": "x" * size})
    async with (
        open_door(FakeGateway(), max_body_bytes=2 * LARGE) as door,
        door.post(call, head) as answer,
    ):
        assert answer.status == 200
    assert [reader == threading.get_ident() for reader in readers] == [size < LARGE]


async def test_a_batch_is_answered_in_one_array() -> None:
    async with open_door(FakeGateway()) as door:
        session = await door.open_session("2025-03-26")
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        batch = [message("ping", request_id="a"), note, legacy_call(request_id="b"), 5]
        async with door.post(batch, session) as r:
            answers = await r.json()
        assert r.status == 200
        assert [answer["id"] for answer in answers] == ["a", "b", None]
        async with door.post([note, note], session) as r:
            assert (r.status, await r.read()) == (202, b"")


@pytest.mark.parametrize(
    ("method", "head", "status"),
    [
        pytest.param("POST", {"Content-Type": "text/plain"}, 415, id="text"),
        pytest.param("POST", {"Content-Encoding": "gzip"}, 415, id="compressed"),
        pytest.param("POST", {"Accept": "text/html"}, 406, id="wants HTML"),
        pytest.param("GET", {}, 405, id="GET without a session"),
        pytest.param("DELETE", {}, 405, id="DELETE without a session"),
        pytest.param("PUT", {}, 405, id="PUT"),
        pytest.param("PATCH", {}, 405, id="PATCH"),
    ],
)
async def test_what_is_no_mcp_request_is_refused(
    method: str, head: dict[str, str], status: int
) -> None:
    async with open_door(FakeGateway()) as door:
        url, headers = door.url + "/mcp", {**JSON, **head}
        async with door.client.request(method, url, data=b"{}", headers=headers) as r:
            assert r.status == status
            assert r.headers.get("Allow") == ("POST" if status == 405 else None)
            assert (await r.json())["error"]["code"] == -32600


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_cap_is_refused_whatever_its_head_says(chunked: bool) -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b" " * 10_000

    async with open_door(FakeGateway(), max_body_bytes=100_000) as door:
        data = drip() if chunked else b" " * 100_001
        async with door.client.post(door.url + "/mcp", data=data, headers=JSON) as r:
            assert r.status == 413


async def test_an_api_that_does_not_exist_isanswer_unknown_apis() -> None:
    async with (
        open_door(FakeGateway()) as door,
        door.post(message("ping"), path="/mcp/nobody") as r,
    ):
        assert r.status == 404


async def test_an_api_that_still_loads_can_be_discovered_but_not_listed() -> None:
    async with open_door(FakeGateway()) as door:
        discover = modern_message("server/discover"), dict(modern_head("server/discover"))
        async with door.post(*discover, "/mcp/loading") as r:
            assert r.status == 200
        tools = modern_message("tools/list"), dict(modern_head("tools/list"))
        async with door.post(*tools, "/mcp/loading") as r:
            assert (await r.json())["error"]["code"] == -32603


async def test_bad_arguments_are_a_result() -> None:
    async def refuse(_: ToolCall) -> str:
        error = InvalidArguments(Fault(pointer="/id", message="is required"))
        error.context_id = "mine"
        raise error

    async with (
        open_door(FakeGateway(setPet=refuse)) as door,
        door.post(*modern_call("setPet")) as r,
    ):
        result = (await r.json())["result"]
        assert r.status == 200
        assert result["isError"] is True
        assert "/id: is required" in result["content"][0]["text"]
        assert r.headers["OCP-Context-ID"] == "mine"


async def test_an_unknown_tool_is_an_error() -> None:
    async with open_door(FakeGateway()) as door, door.post(*modern_call("nothing")) as r:
        assert r.status == 400
        assert (await r.json())["error"]["code"] == -32602


async def test_a_bug_is_answered_with_the_id_that_the_log_has(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def break_down(_: ToolCall) -> str:
        raise ZeroDivisionError("secret detail")

    async with open_door(FakeGateway(listPets=break_down)) as door:
        with caplog.at_level(logging.ERROR, logger="gateway.server.mcp_calls"):
            async with door.post(*modern_call()) as r:
                answer = await r.json()
    assert r.status == 200
    assert answer["error"]["code"] == -32603
    assert "secret" not in json.dumps(answer)
    assert answer["error"]["data"]["incident"] in caplog.text


async def test_a_bug_outside_of_calls_is_answered_the_same_way(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(FakeGateway):
        def view(self, api: str | None = None) -> View:
            raise ZeroDivisionError("secret detail")

    body, head = modern_message("tools/list"), dict(modern_head("tools/list"))
    with caplog.at_level(logging.ERROR, logger="gateway.server.mcp_calls"):
        async with open_door(Broken()) as door, door.post(body, head) as r:
            answer = await r.json()
    error = answer["error"]
    assert answer["id"] == body["id"]  # or the client would wait for its answer for ever
    assert error["code"] == -32603
    assert error["data"]["incident"] in caplog.text


@pytest.mark.parametrize("argument", [False, True], ids=["", "an argument may name it"])
@pytest.mark.parametrize("named_by", ["nobody", "_meta", "the header", "the session"])
async def test_the_head_of_an_event_stream_names_a_context_that_is_certain(
    named_by: str, *, argument: bool
) -> None:
    async def behave(call: ToolCall) -> str:
        assert call.listener
        await call.listener.progress(Progress(progress=1))
        return "done"

    additions = Additions(context_argument=argument)
    async with open_door(FakeGateway(listPets=behave), additions=additions) as door:
        meta: dict[str, object] = {**META, "progressToken": 1}
        meta |= {"io.opencontextprotocol/context-id": "mine"} if named_by == "_meta" else {}
        params = {"name": "listPets", "_meta": meta}
        body, head = (
            modern_message("tools/call", params),
            dict(modern_head("tools/call", "listPets")),
        )
        if named_by == "the session":
            head = await door.open_session()
            params["_meta"] = {"progressToken": 1}
            body = message("tools/call", params)
        head |= {"OCP-Context-ID": "mine"} if named_by == "the header" else {}
        async with door.post(body, head) as r:
            assert r.content_type == "text/event-stream"
            text, told = await r.text(), r.headers.get("OCP-Context-ID")
    last = json.loads(text.rsplit("data: ", 1)[1])["result"]["_meta"]
    certain = named_by != "nobody" and not argument
    assert told == (last["io.opencontextprotocol/context-id"] if certain else None)


async def test_a_client_that_takes_events_only_gets_one() -> None:
    async with open_door(FakeGateway()) as door:
        session = await door.open_session()
        async with door.post(legacy_call(), {**session, "Accept": "text/event-stream"}) as r:
            assert r.content_type == "text/event-stream"
            text = await r.text()
    head, data, *rest = text.split("\n")
    assert head == "event: message"
    assert json.loads(data.removeprefix("data: "))["id"] == 1
    assert rest == ["", ""]


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_slow_call_keeps_its_connection_alive_with_pings(era: str) -> None:
    _, may_end, behave = staged()
    async with open_door(FakeGateway(listPets=behave), ping_seconds=0.01) as door:
        body, head = (
            modern_call() if era == "modern" else (legacy_call(), await door.open_session())
        )
        async with door.post(body, head) as r:
            assert r.content_type == "text/event-stream"
            assert r.headers["Cache-Control"] == "no-cache, no-transform"
            assert await r.content.readline() == b": ping\n"
            assert await r.content.readline() == b"\n"
            may_end.set()
            rest = await r.text()
    (data,) = (line for line in rest.split("\n") if line.startswith("data: "))
    assert json.loads(data.removeprefix("data: "))["result"]["content"][0]["text"] == "done"


async def test_a_client_without_events_waits_for_its_json() -> None:
    started, may_end, behave = staged()
    async with open_door(FakeGateway(listPets=behave), ping_seconds=0.001) as door:
        body, head = modern_call()
        posted = asyncio.ensure_future(door.post(body, {**head, "Accept": "application/json"}))
        await wait_for(started)
        may_end.set()
        async with await posted as r:
            assert r.content_type == "application/json"


@pytest.mark.parametrize("streaming", [False, True])
async def test_r27_a_modern_client_cancels_by_leaving(streaming: bool) -> None:
    started, _, behave = staged()
    fake = FakeGateway(listPets=behave)
    async with open_door(fake, ping_seconds=0.01 if streaming else PATIENCE) as door:
        body, head = modern_call()
        posted = asyncio.ensure_future(door.post(body, head))
        await wait_for(started)
        if streaming:
            r = await posted
            r.close()
        else:
            posted.cancel()
        await wait_for(fake.cancelled)


async def log_for_ever(call: ToolCall) -> str:
    assert call.listener
    while True:
        await call.listener.log(LogLine(level="error", data="x" * 100_000))


async def test_a_client_that_reads_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.server.event_streams.STALL_SECONDS", 0.05)
    fake = FakeGateway(listPets=log_for_ever)
    async with open_door(fake) as door:
        params = {
            "name": "listPets",
            "_meta": {**META, "io.modelcontextprotocol/logLevel": "error"},
        }
        body, head = (
            encoded(message("tools/call", params)),
            dict(modern_head("tools/call", "listPets")),
        )
        lines = {"Host": "localhost", "Content-Length": str(len(body)), **JSON, **head}
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        reader, writer = await asyncio.open_connection("127.0.0.1", int(door.url.split(":")[2]))
        writer.write(b"POST /mcp HTTP/1.1\r\n" + text.encode() + b"\r\n" + body)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        await wait_for(fake.cancelled)
        writer.close()


async def test_a_client_whose_connection_breaks_under_a_ping_has_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def write(_: web.StreamResponse, data: bytes) -> None:
        raise aiohttp.ClientConnectionResetError(data)

    _, _, behave = staged()
    fake = FakeGateway(listPets=behave)
    async with open_door(fake, ping_seconds=0.01) as door:
        monkeypatch.setattr(web.StreamResponse, "write", write)
        async with door.post(*modern_call()) as r:
            assert await r.read() == b""
        await wait_for(fake.cancelled)


async def test_a_legacy_client_that_leaves_does_not_cancel() -> None:
    started, may_end, behave = staged()
    finished = asyncio.Event()

    async def finish(call: ToolCall) -> str:
        text = await behave(call)
        finished.set()
        return text

    async with open_door(FakeGateway(listPets=finish)) as door:
        session = await door.open_session()
        posted = asyncio.ensure_future(door.post(legacy_call(), session))
        await wait_for(started)
        posted.cancel()
        # The server has seen the connection go when it answers on a later one.
        async with door.post(message("ping"), session) as r:
            assert r.status == 200
        may_end.set()
        await wait_for(finished)
        assert not door.fake.cancelled.is_set()


async def test_r27_a_legacy_client_cancels_by_saying_so() -> None:
    started, _, behave = staged()
    async with open_door(FakeGateway(listPets=behave)) as door:
        session = await door.open_session()
        posted = asyncio.ensure_future(door.post(legacy_call(request_id="slow"), session))
        await wait_for(started)
        cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
        async with door.post({**cancel, "params": {"requestId": "other"}}, session) as r:
            assert r.status == 202
        assert not door.fake.cancelled.is_set()
        async with door.post({**cancel, "params": {"requestId": "slow"}}, session) as r:
            assert r.status == 202
        await wait_for(door.fake.cancelled)
        async with await posted as r:
            assert (r.status, await r.read()) == (202, b"")


async def test_a_stream_pings_until_a_newer_one_takes_its_place() -> None:
    async with open_door(FakeGateway(), ping_seconds=0.01) as door:
        head = {**await door.open_session("2025-06-18"), "Accept": "text/event-stream"}
        async with door.client.get(door.url + "/mcp", headers=head) as older:
            assert older.content_type == "text/event-stream"
            assert await older.content.readline() == b": ping\n"
            async with door.client.get(door.url + "/mcp", headers=head) as newer:
                assert await newer.content.readline() == b": ping\n"
                await older.read()
                assert older.content.at_eof()
                assert await newer.content.readline() == b"\n"
                assert await newer.content.readline() == b": ping\n"


async def test_shutdown_ends_streams_and_calls_that_nobody_waits_for() -> None:
    started, _, behave = staged()
    async with open_door(FakeGateway(listPets=behave)) as door:
        session = await door.open_session("2025-06-18")
        posted = asyncio.ensure_future(door.post(legacy_call(), session))
        await wait_for(started)
        posted.cancel()
        head = {**session, "Accept": "text/event-stream"}
        async with door.client.get(door.url + "/mcp", headers=head) as stream:
            assert await stream.content.readline() == b": ping\n"
            async with asyncio.timeout(PATIENCE):
                await door.stop()
                await stream.read()
        assert door.fake.cancelled.is_set()


async def test_credentials_and_protocol_headers_of_the_caller_never_reach_the_engine() -> None:
    fake = FakeGateway()
    async with open_door(fake) as door:
        body = modern_message("tools/call", {"name": "listPets"})
        head = {
            **dict(modern_head("tools/call", "listPets")),
            "Authorization": "Bearer hunter2",
            "Cookie": "sid=hunter2",
            "Last-Event-ID": "c1.ours",
            "X-Trace": "t1",
        }
        async with door.post(body, head) as response:
            assert response.status == 200
    names = {name.lower() for name, _ in fake.calls[0].headers}
    assert "x-trace" in names
    kept = {"authorization", "cookie", "last-event-id", "mcp-method", "mcp-protocol-version"}
    assert not names & kept
