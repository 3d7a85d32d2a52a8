"""The end of a gateway as its callers see it: no request is lost on the way."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import GatewayProcess, wait_until
from tests.support.listening import METHOD, Ear
from tests.support.mcp_core import encoded, modern_head, modern_message
from tests.support.serving import write_spec
from tests.support.tools import DONE

PATIENCE = 30


def start(
    directory: Path, echo: EchoUpstream, drain_seconds: float = 2, workers: int = 1
) -> GatewayProcess:
    spec = write_spec(directory, {"/x": {"get": {"operationId": "getX", "responses": DONE}}})
    (directory / "gateway.yaml").write_text(
        f"server: {{drain_seconds: {drain_seconds}, workers: {workers}}}\n"
        f"apis: [{{name: shop, spec: '{spec}', base_url: '{echo.url}', timeout_seconds: 60}}]\n"
    )
    return GatewayProcess("gateway.yaml", directory=directory)


class Kept:
    """A connection that its client keeps open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.body = b""

    async def get(self, path: str = "/apis/shop/x") -> tuple[int, bool]:
        """The status, and whether the server says that it was the connection's last request."""
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        _, found, rest = head.partition("content-length: ")
        if found:
            self.body = await self.reader.readexactly(int(rest.split()[0]))
        else:
            while await self.reader.readline() != b"0\r\n":
                pass
            await self.reader.readline()
        return int(head.split()[1]), "connection: close" in head


@asynccontextmanager
async def connected(gateway: GatewayProcess) -> AsyncIterator[Kept]:
    parts = urlsplit(gateway.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield Kept(reader, writer)
    finally:
        writer.close()


async def test_r31_it_says_so_accepts_for_a_moment_and_is_gone(
    tmp_path: Path, echo: EchoUpstream
) -> None:
    with start(tmp_path, echo) as gateway:
        async with (
            asyncio.timeout(PATIENCE),
            connected(gateway) as busy,
            connected(gateway) as idle,
        ):
            assert await busy.get() == (200, False)
            assert await idle.get() == (200, False)
            gateway.process.send_signal(signal.SIGTERM)
            while not (await busy.get())[1]:
                pass
            assert await busy.reader.read() == b""
            for path, status in (("/readyz", 503), ("/healthz", 200), ("/apis/shop/x", 200)):
                async with connected(gateway) as late:
                    assert await late.get(path) == (status, True)
            # Who kept still is let go without an answer to wait for.
            assert await idle.reader.read() == b""
            assert await asyncio.to_thread(gateway.process.wait) == 0
    assert "Traceback" not in gateway.log


@pytest.mark.parametrize("workers", [1, 2])
async def test_r31_no_request_of_busy_clients_is_lost(
    tmp_path: Path, echo: EchoUpstream, workers: int
) -> None:
    """Clients keep their connections while they may, and stop when nobody listens any more."""
    answered: list[int] = []
    lost: list[BaseException] = []

    async def keep_asking(gateway: GatewayProcess) -> None:
        while True:
            try:
                async with connected(gateway) as kept:
                    is_last = False
                    while not is_last:
                        try:
                            status, is_last = await kept.get()
                            # A machine that is busy with other tests may shed some.
                            is_shed = status == 503 and b'"overloaded"' in kept.body
                            answered.append(200 if is_shed else status)
                            await asyncio.sleep(0.005)
                        except (OSError, asyncio.IncompleteReadError) as error:
                            lost.append(error)
                            return
            except ConnectionRefusedError:
                return

    with start(tmp_path, echo, workers=workers) as gateway:
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as clients:
            for _ in range(20):
                clients.create_task(keep_asking(gateway))
            while len(answered) < 200:  # noqa: ASYNC110 - the clients' own pace
                await asyncio.sleep(0.01)
            gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(PATIENCE) == 0
    assert not lost
    assert set(answered) == {200}


async def test_requests_under_way_end_with_their_answers(
    tmp_path: Path, echo: EchoUpstream
) -> None:
    release = threading.Event()
    echo.answer = Answer(hold=release)
    with start(tmp_path, echo, drain_seconds=20) as gateway:
        async with asyncio.timeout(PATIENCE), connected(gateway) as kept:
            asking = asyncio.ensure_future(kept.get())
            await asyncio.to_thread(wait_until, lambda: bool(echo.seen), "the call to arrive")
            gateway.process.send_signal(signal.SIGINT)
            await asyncio.to_thread(wait_until, lambda: refuses(gateway), "the door to be shut")
            release.set()
            assert await asking == (200, True)
            assert await asyncio.to_thread(gateway.process.wait) == 0


def refuses(gateway: GatewayProcess) -> bool:
    parts = urlsplit(gateway.url)
    with socket.socket() as door:
        return door.connect_ex((parts.hostname, parts.port)) != 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_r31_f9_an_endless_stream_is_cut_so_that_the_end_is_in_time(
    tmp_path: Path, echo: EchoUpstream, workers: int
) -> None:
    def forever() -> Iterator[bytes]:
        yield b"data: 1\n\n"
        never.wait()

    never = threading.Event()
    echo.answer = Answer(headers=(("Content-Type", "text/event-stream"),), body=forever())
    try:
        with start(tmp_path, echo, drain_seconds=5, workers=workers) as gateway:
            async with asyncio.timeout(PATIENCE), connected(gateway) as kept:
                kept.writer.write(b"GET /apis/shop/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
                await kept.reader.readuntil(b"data: 1")
                gateway.process.send_signal(signal.SIGTERM)
                # Not the chunk that would say that this was all.
                with contextlib.suppress(ConnectionResetError):
                    assert not (await kept.reader.read()).endswith(b"0\r\n\r\n")
                assert await asyncio.to_thread(gateway.process.wait) == 0
        assert "1 connections are cut" in gateway.log
        # Neither its own clock nor the supervisor had to end it.
        assert "does not end" not in gateway.log
    finally:
        never.set()


async def test_r28_streams_end_with_their_result(tmp_path: Path, echo: EchoUpstream) -> None:
    head = {
        **dict(modern_head(METHOD)),
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
    }
    body = modern_message(METHOD, {"notifications": {"toolsListChanged": True}})
    with start(tmp_path, echo) as gateway:
        async with (
            asyncio.timeout(PATIENCE),
            aiohttp.ClientSession(headers=head) as http,
            http.post(f"{gateway.url}/mcp", data=encoded(body)) as response,
        ):
            ear = Ear(response)
            await ear.event()
            gateway.process.send_signal(signal.SIGTERM)
            assert (await ear.event()).message["result"] is not None
            assert await ear.is_over()
        assert gateway.process.wait(PATIENCE) == 0
