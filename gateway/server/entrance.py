"""All connections of one server: how many there may be, who is refused, whose time is up."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.web_protocol import RequestHandler

from gateway.errors import GatewayError, TooManyConnections
from gateway.server.connections import Connection
from gateway.server.door import REFUSED, Door
from gateway.server.framing import ALLOWED
from gateway.server.overload import Overload
from gateway.server.pace import PATIENCE, Patience
from gateway.server.parse_log import RefusalLog
from gateway.server.problems import problem_of

ANSWERED_ABOVE: Final = 32
"""Connections above the bound that are told so; those above these are just cut."""
_NEARLY: Final = 0.9


class Entrance(web.Server):
    """`server` is aiohttp's for the application; `settings` are those of its connections.

    `refused` counts by code what never reached the application, `late` by phase of `pace`.
    """

    def __init__(
        self,
        server: web.Server,
        *,
        max_connections: int,
        max_body: Callable[[], int],
        refusals: RefusalLog,
        patience: Patience = PATIENCE,
        overload: Overload | None = None,
        **settings: object,
    ) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            self._answer, request_factory=self._make, handler_cancellation=True, loop=loop
        )
        self.max_connections: Final = max_connections
        self._handle = server.request_handler
        self._make_inner = server.request_factory
        self._max_body = max_body
        self._patience = patience
        self._overload = overload
        self._refusals = refusals
        self._settings = settings
        self._open: dict[Connection, asyncio.Transport] = {}
        self._late: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._looking: asyncio.TimerHandle | None = None

    @property
    def refused(self) -> Mapping[str, int]:
        return MappingProxyType(self._refused)

    @property
    def late(self) -> Mapping[str, int]:
        return MappingProxyType(self._late)

    def __call__(self) -> RequestHandler:
        loop = asyncio.get_running_loop()
        return Connection(
            self,
            loop=loop,
            door=lambda connection: Door(connection, loop=loop, max_body=self._max_body()),
            patience=self._patience,
            count_late=self._count_late,
            overload=self._overload,
            **self._settings,
        )

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        connection = _ours(handler)
        self._open[connection] = transport
        above = len(self._open) - self.max_connections
        if above > ANSWERED_ABOVE:
            self._refused[TooManyConnections.code] += 1
            transport.abort()
        elif above > 0:
            error = TooManyConnections("as many connections are open as there may be")
            # Once aiohttp has set up its own side of the connection.
            asyncio.get_running_loop().call_soon(connection.refuse, error)
        if self._looking is None:
            self._look_later()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._open.pop(_ours(handler), None)

    def _make(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        _ours(protocol).begin(is_refused=message is REFUSED)
        return self._make_inner(message, payload, protocol, writer, task)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = _ours(request.protocol)
        fault = connection.door.refusal if connection.is_refused else request.content.exception()
        if isinstance(fault, GatewayError):
            return self._refuse(fault)
        if request.raw_path == "*":
            return web.Response(status=204, headers={"Allow": ", ".join(ALLOWED), **_NAME})
        return await self._handle(request)

    def _refuse(self, error: GatewayError) -> web.Response:
        self._refused[error.code] += 1
        self._refusals.note(error)
        response = problem_of(error)
        response.headers.update(_NAME)
        response.force_close()
        return response

    def _count_late(self, phase: str) -> None:
        self._late[phase] += 1

    def _look_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._looking = loop.call_later(self._patience.look, self._look, loop.time)

    def _look(self, clock: Callable[[], float]) -> None:
        """One look at every connection is far cheaper than a timer for each of its phases."""
        self._looking = None
        now = clock()
        is_crowded = len(self._open) > _NEARLY * self.max_connections
        for connection, transport in tuple(self._open.items()):
            connection.look(now, transport)
            since = connection.idle_since
            if is_crowded and since is not None and now - since > self._patience.crowded_idle:
                connection.force_close()
        if self._open:
            self._look_later()


_NAME: Final = {"Server": "ocp-gateway"}


def _ours(connection: RequestHandler | None) -> Connection:
    if not isinstance(connection, Connection):
        raise TypeError("aiohttp has made a connection by itself")
    return connection


class Runner(web.AppRunner):
    """An AppRunner whose server is an Entrance; `make` makes it of aiohttp's own."""

    def __init__(
        self,
        app: web.Application,
        *,
        make: Callable[[web.Server], Entrance],
        shutdown_timeout: float,
    ) -> None:
        super().__init__(app, shutdown_timeout=shutdown_timeout)
        self._make_entrance = make

    async def _make_server(self) -> web.Server:
        return self._make_entrance(await super()._make_server())
