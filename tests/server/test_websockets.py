"""WebSockets through `/apis`, between aiohttp's client and server and between bare sockets."""

import asyncio
import base64
import hashlib
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gateway.config import ApiConfig
from gateway.messages import RequestHead
from gateway.server import websockets
from gateway.server.websockets import is_handshake
from tests.support.serving import Served, serving, write_spec

KEY = base64.b64encode(b"0123456789abcdef").decode()
ACCEPT = base64.b64encode(
    hashlib.sha1(
        f"{KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False
    ).digest()
).decode()
HANDSHAKE = (
    "GET /apis/chat/room HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\n"
    f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
).encode()
SWITCHED = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
).encode()
PATHS = {"/room": {"get": {"operationId": "enterRoom", "responses": {}}}}

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def fronted(
    tmp_path: Path, base_url: str, *, websocket: bool = True
) -> AsyncIterator[Served]:
    api = ApiConfig(
        name="chat",
        spec=write_spec(tmp_path, PATHS, name="chat"),
        base_url=base_url,
        websocket=websocket,
    )
    async with serving(api) as served:
        yield served


@asynccontextmanager
async def raw_upstream(behave: Behave) -> AsyncIterator[str]:
    """`behave` gets each connection once its request's head has been read."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await behave(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@asynccontextmanager
async def connection_to(url: str) -> AsyncIterator[Streams]:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A WebSocket server that says what it hears, and the handshakes it has seen."""
    seen: list[web.Request] = []

    async def talk(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        socket = web.WebSocketResponse(protocols=["chat.v2"], max_msg_size=0)
        await socket.prepare(request)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await socket.send_str(message.data)
            else:
                await socket.send_bytes(message.data)
        return socket

    app = web.Application()
    app.router.add_get("/room", talk)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    await runner.cleanup()


async def test_messages_pass_both_ways_as_they_are(
    tmp_path: Path, echo: tuple[str, list[web.Request]]
) -> None:
    url, seen = echo
    async with (
        fronted(tmp_path, url) as served,
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"{served.url}/apis/chat/room?q=1",
            protocols=["chat.v2"],
            compress=15,
            max_msg_size=0,
            headers={"OCP-Context-ID": "ocp-00000000000000aa"},
        ) as socket,
    ):
        assert socket.protocol == "chat.v2"
        assert socket.compress == 15
        for text in ("", "héllo", "x" * 3_000_000):
            await socket.send_str(text)
            assert await socket.receive_str() == text
        await socket.send_bytes(bytes(range(256)))
        assert await socket.receive_bytes() == bytes(range(256))
        await socket.ping()
        await socket.close(code=4001, message=b"enough")
    (request,) = seen
    assert request.path_qs == "/room?q=1"
    assert request.headers["OCP-Context-ID"] == "ocp-00000000000000aa"
    assert request.headers.getall("Connection") == ["Upgrade"]


async def test_an_api_that_has_not_asked_for_them_gets_a_plain_request(
    tmp_path: Path, echo: tuple[str, list[web.Request]]
) -> None:
    url, seen = echo
    async with (
        fronted(tmp_path, url, websocket=False) as served,
        aiohttp.ClientSession() as session,
    ):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{served.url}/apis/chat/room")
    assert refused.value.status == 400
    assert seen
    assert not any("Upgrade" in request.headers for request in seen)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"Content-Length: 5\r\n\r\nhello", id="a length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", id="chunks"),
    ],
)
async def test_s51_a_handshake_with_a_body_is_a_plain_request(tmp_path: Path, body: bytes) -> None:
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"hello"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with fronted(tmp_path, url) as served, connection_to(served.url) as (reader, writer):
        writer.write(HANDSHAKE.removesuffix(b"\r\n") + body)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
    server.close()
    assert b"upgrade" not in heads[0].lower()


async def test_a_page_of_another_origin_is_refused(
    tmp_path: Path, echo: tuple[str, list[web.Request]]
) -> None:
    url, seen = echo
    async with fronted(tmp_path, url) as served, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{served.url}/apis/chat/room", origin="https://evil.example")
    assert refused.value.status == 403
    assert not seen


async def test_the_upstreams_refusal_is_the_answer(tmp_path: Path) -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 418 No\r\nContent-Length: 3\r\n\r\nno!")
        await writer.drain()

    async with (
        raw_upstream(refuse) as url,
        fronted(tmp_path, url) as served,
        connection_to(served.url) as (reader, writer),
    ):
        writer.write(HANDSHAKE)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 418")
        assert await reader.readexactly(3) == b"no!"


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(SWITCHED.replace(ACCEPT.encode(), b"wrong"), id="an accept of nothing"),
        pytest.param(
            SWITCHED.replace(b"Upgrade: websocket", b"Upgrade: h2c"), id="another protocol"
        ),
        pytest.param(
            SWITCHED.replace(f"Sec-WebSocket-Accept: {ACCEPT}\r\n".encode(), b""), id="no accept"
        ),
    ],
)
async def test_s51_a_switch_that_is_no_websocket_is_a_failure(tmp_path: Path, head: bytes) -> None:
    async def switch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert not await reader.read()  # the gateway hangs up

    async with (
        raw_upstream(switch) as url,
        fronted(tmp_path, url) as served,
        connection_to(served.url) as (reader, writer),
    ):
        writer.write(HANDSHAKE)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 502")


async def test_not_a_byte_is_lost_around_the_handshake(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(SWITCHED + b"first")
        said = await reader.readexactly(5)
        writer.write(b"you said " + said)
        await writer.drain()

    async with (
        raw_upstream(talk) as url,
        fronted(tmp_path, url) as served,
        connection_to(served.url) as (reader, writer),
    ):
        writer.write(HANDSHAKE + b"hello")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        assert await reader.read() == b"firstyou said hello"


async def test_when_one_end_leaves_the_other_is_told(tmp_path: Path) -> None:
    left = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(SWITCHED)
        assert not await reader.read()
        left.set()

    async with raw_upstream(wait) as url, fronted(tmp_path, url) as served:
        async with connection_to(served.url) as (reader, writer):
            writer.write(HANDSHAKE)
            await reader.readuntil(b"\r\n\r\n")
        async with asyncio.timeout(30):
            await left.wait()


@pytest.fixture
async def told() -> AsyncIterator[asyncio.Queue[tuple[object, object]]]:
    """Status and outcome of each line of the access log."""
    lines: asyncio.Queue[tuple[object, object]] = asyncio.Queue()

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            event = record.__dict__["event"]
            lines.put_nowait((event["status"], event["outcome"]))

    log, handler = logging.getLogger("gateway.access"), Lines()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield lines
    log.setLevel(level)
    log.removeHandler(handler)


def reset(writer: asyncio.StreamWriter) -> None:
    at_once = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    writer.transport.abort()


@pytest.mark.parametrize(
    ("who", "leave", "outcome"),
    [
        pytest.param("api", asyncio.StreamWriter.close, "answered", id="the API leaves"),
        pytest.param("api", reset, "answered", id="the API resets"),
        pytest.param("caller", asyncio.StreamWriter.close, "answered", id="the caller leaves"),
        pytest.param("caller", reset, "answered", id="the caller resets"),
        pytest.param("nobody", reset, "aborted", id="nobody says anything"),
    ],
)
async def test_the_log_tells_a_pipe_that_was_left_from_one_that_was_cut(
    who: str,
    leave: Callable[[asyncio.StreamWriter], None],
    outcome: str,
    told: asyncio.Queue[tuple[object, object]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if who == "nobody":
        monkeypatch.setattr(websockets, "IDLE_SECONDS", 0.05)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(SWITCHED + b"first")
        await reader.readexactly(5)
        if who == "api":
            leave(writer)
        else:
            await reader.read()

    async with (
        raw_upstream(talk) as url,
        fronted(tmp_path, url) as served,
        connection_to(served.url) as (reader, writer),
    ):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"first")
        writer.write(b"hello")
        if who == "caller":
            leave(writer)
        async with asyncio.timeout(30):
            assert await told.get() == (101, outcome)


@pytest.mark.parametrize("slow", ["caller", "upstream"])
async def test_who_reads_nothing_is_sent_little(tmp_path: Path, slow: str) -> None:
    """Otherwise one slow end would have the gateway hold all that the other says."""
    stuck, chunk, written = asyncio.Event(), b"x" * 65_536, 0
    over = asyncio.Event()

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        while written < 200 * 2**20:
            writer.write(chunk)
            try:
                async with asyncio.timeout(1):
                    await writer.drain()
            except TimeoutError:
                break
            written += len(chunk)
        stuck.set()

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(SWITCHED)
        if slow == "caller":
            await flood(writer)
        await over.wait()

    async with (
        raw_upstream(behave) as url,
        fronted(tmp_path, url) as served,
        connection_to(served.url) as (reader, writer),
    ):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        if slow == "upstream":
            await flood(writer)
        await stuck.wait()
        # What is left lies in the kernel's buffers of four sockets.
        assert written < 32 * 2**20
        over.set()


ASKED = (
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "WebSocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", KEY),
)


def test_a_handshake() -> None:
    assert is_handshake(RequestHead(method="GET", target="/", headers=ASKED))


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        pytest.param("POST", ASKED, id="another method"),
        pytest.param("GET", ASKED[1:], id="no connection header"),
        pytest.param("GET", ASKED[:1] + ASKED[2:], id="no upgrade"),
        pytest.param("GET", (*ASKED, ("Upgrade", "h2c")), id="another upgrade, too"),
        pytest.param("GET", (ASKED[0], ("Upgrade", "h2c"), *ASKED[2:]), id="h2c"),
        pytest.param("GET", (*ASKED[:2], ("Sec-WebSocket-Version", "8"), ASKED[3]), id="version 8"),
        pytest.param("GET", ASKED[:3], id="no key"),
        pytest.param("GET", (*ASKED, ASKED[3]), id="two keys"),
        pytest.param("GET", (*ASKED[:3], ("Sec-WebSocket-Key", "short")), id="a short key"),
    ],
)
def test_s51_anything_else_is_no_handshake(
    method: str, headers: tuple[tuple[str, str], ...]
) -> None:
    assert not is_handshake(RequestHead(method=method, target="/", headers=headers))
