"""A server of one handler behind the gateway's own door, in the test's event loop."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from gateway.server.connections import Connection, close_early
from gateway.server.entrance import Entrance, Runner
from gateway.server.pace import PATIENCE, Patience
from gateway.server.parse_log import RefusalLog, http_logger
from gateway.server.problems import make_error_middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(kw_only=True)
class Standing:
    """`entrance` is the server at `url`."""

    entrance: Entrance
    host: str
    port: int
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def connection(self) -> Connection:
        """The only one that there is."""
        (connection,) = self.entrance.connections
        assert isinstance(connection, Connection)
        return connection

    async def connect(self, data: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        self.writers.append(writer)
        writer.write(data)
        await writer.drain()
        return reader, writer


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until `condition` holds; TimeoutError where it never does."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - of any kind, and there is nobody to tell
            await asyncio.sleep(0.001)


@asynccontextmanager
async def standing(
    handler: Handler,
    *,
    patience: Patience = PATIENCE,
    max_connections: int = 1_000,
    max_body: int = 1_000_000,
) -> AsyncIterator[Standing]:
    made: list[Entrance] = []

    def make(inner: web.Server) -> Entrance:
        made.append(
            Entrance(
                inner,
                max_connections=max_connections,
                max_body=lambda: max_body,
                refusals=RefusalLog(time.monotonic),
                patience=patience,
                access_log=None,
                logger=http_logger(),
            )
        )
        return made[0]

    app = web.Application(middlewares=[make_error_middleware(bytes)])  # type: ignore[list-item]
    app.router.add_route("*", "/{rest:.*}", handler)
    app.on_response_prepare.append(close_early)
    runner = Runner(app, make=make, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        stand = Standing(entrance=made[0], host=host, port=port)
        yield stand
        for writer in stand.writers:
            writer.close()
    finally:
        await runner.cleanup()
