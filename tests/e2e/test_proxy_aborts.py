"""Callers that leave in the middle, against the real process: nothing of them stays."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.dialogues import TRACKER
from tests.support.gateway_process import PATIENCE_SECONDS, GatewayProcess, wait_until

CALLERS = 200
CONFIG = """
apis:
  - {{name: wide, spec: {spec}, base_url: {url}, proxy: any, max_concurrency: 1000}}
"""
# Between the head and what is never said.
EVENT = b"7\r\ndata: 1\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass(slots=True)
class Silent:
    """An upstream that never ends an answer: connections that are open, and requests so far."""

    url: str = ""
    running: int = 0
    asked: int = 0
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, *, asked: int, running: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), self.moved:
            await self.moved.wait_for(lambda: (self.asked, self.running) == (asked, running))

    async def move(self, *, asked: int = 0, running: int = 0) -> None:
        async with self.moved:
            self.asked += asked
            self.running += running
            self.moved.notify_all()


@asynccontextmanager
async def silent_upstream() -> AsyncIterator[Silent]:
    state = Silent()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await state.move(running=1)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await state.move(asked=1)
            if head.startswith(b"GET /events"):
                writer.write(EVENTS + EVENT)
            while await reader.read(65_536):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            await state.move(running=-1)
            writer.close()

    async with await asyncio.start_server(converse, "127.0.0.1", 0, backlog=512) as server:
        state.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield state


@pytest.mark.parametrize(
    ("request_line", "rest", "answered"),
    [
        pytest.param("GET /apis/wide/x", "\r\n", b"", id="waiting"),
        pytest.param(
            "PUT /apis/wide/x", "Content-Length: 1000000\r\n\r\nfirst", b"", id="uploading"
        ),
        pytest.param("GET /apis/wide/events", "\r\n", EVENT, id="in an event stream"),
    ],
)
async def test_r08_callers_that_leave_take_the_upstream_along(
    tmp_path: Path, request_line: str, rest: str, answered: bytes
) -> None:
    config = tmp_path / "gateway.yaml"
    async with silent_upstream() as upstream:
        config.write_text(CONFIG.format(spec=TRACKER.description, url=upstream.url))
        with GatewayProcess(str(config), "--store", "memory://", directory=tmp_path) as gateway:
            place = urlsplit(gateway.url)
            message = f"{request_line} HTTP/1.1\r\nHost: {place.netloc}\r\n{rest}".encode()

            async def call() -> asyncio.StreamWriter:
                reader, writer = await asyncio.open_connection(place.hostname, place.port)
                writer.write(message)
                if answered:
                    await reader.readuntil(answered)
                return writer

            await leave([await call()], upstream, 1)
            before = descriptors(gateway)
            callers = await asyncio.gather(*(call() for _ in range(CALLERS)))
            await leave(callers, upstream, CALLERS + 1)
            await asyncio.to_thread(
                wait_until, lambda: descriptors(gateway) <= before, "descriptors to be closed"
            )
        assert "Traceback" not in gateway.log


async def leave(callers: list[asyncio.StreamWriter], upstream: Silent, asked: int) -> None:
    """Once all have been heard at the upstream; until none of them is any more."""
    await upstream.until(asked=asked, running=len(callers))
    for writer in callers:
        writer.transport.abort()
    await upstream.until(asked=asked, running=0)


def descriptors(gateway: GatewayProcess) -> int:
    return len(list(Path(f"/proc/{gateway.process.pid}/fd").iterdir()))
