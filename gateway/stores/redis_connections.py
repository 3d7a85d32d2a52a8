"""Connections to one Redis server, and the door behind which there may be many: `RedisServers.run`.

Connections are those of redis-py (RESP, TLS, authentication). Its clients and pools are not used:
they repeat writes whose answer was lost, and the store must decide that.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.stores.redis_urls import Address, Credentials, Tls

MAX_CONNECTIONS = 32
"""To one server."""
OPERATION_SECONDS = 1.0
"""To connect, for each answer and for a free connection, each."""

Words = tuple[str | bytes | int, ...]
"""One command."""


class RedisServers(Protocol):
    """One Redis or many. Nothing is connected before the first `run`."""

    async def run(self, commands: Sequence[Words]) -> list[object]:
        """The answers, in the order of the commands; a RedisError as a value is a command's fate.

        A ResponseError is a refusal. After any other error the command may have been executed.
        Nothing is sent twice unless a server said that it has not executed it. What goes to the
        same server goes over one connection and in one piece. Whoever cancels the call drops the
        connection, so no answer can meet another command.
        """
        ...

    async def aclose(self) -> None: ...


class RedisServer:
    """One server, and the connections to it: each carries one batch of commands at a time."""

    def __init__(
        self,
        make_connection: Callable[[], AbstractConnection],
        *,
        seconds: float,
        blocking_seconds: float = 0.0,
        connections: int | None = None,
    ) -> None:
        """`seconds`: to wait for a free connection, to connect, and for each answer.

        `blocking_seconds`: what the commands themselves may wait in the server besides.
        `connections`: at most so many at a time, None for MAX_CONNECTIONS.
        """
        self._make_connection = make_connection
        self._seconds = seconds
        self._blocking_seconds = blocking_seconds
        self._places = asyncio.Semaphore(MAX_CONNECTIONS if connections is None else connections)
        self._idle: list[AbstractConnection] = []
        self._closed = False

    async def run(self, commands: Sequence[Words]) -> list[object]:
        # A timer would cost more than a place that is free.
        if self._places.locked():
            try:
                async with asyncio.timeout(self._seconds):
                    await self._places.acquire()
            except TimeoutError:
                return [RedisConnectionError("no free connection")] * len(commands)
        else:
            await self._places.acquire()
        try:
            return await self._converse(commands)
        finally:
            self._places.release()

    async def aclose(self) -> None:
        """Closes what is idle now, and what is in use when its turn is over."""
        self._closed = True
        closing = [connection.disconnect() for connection in self._idle]
        self._idle.clear()
        # A peer that is gone does not take part in the end of TLS.
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                await asyncio.gather(*closing, return_exceptions=True)

    async def _converse(self, commands: Sequence[Words]) -> list[object]:
        if self._closed:
            return [RedisConnectionError("closed")] * len(commands)
        answers: list[object] = []
        connection = self._idle.pop() if self._idle else self._make_connection()
        try:
            await self._exchange(connection, commands, answers)
        except (RedisError, OSError, ValueError) as error:
            # The server has most likely ended: the other connections would fail one by one.
            await self._drop_idle()
            return answers + [_lost(error)] * (len(commands) - len(answers))
        finally:
            if len(answers) == len(commands) and not self._closed:
                self._idle.append(connection)
            else:
                await connection.disconnect(nowait=True)
        return answers

    async def _exchange(
        self, connection: AbstractConnection, commands: Sequence[Words], answers: list[object]
    ) -> None:
        """Appends to `answers` as they come, so that those before a failure count."""
        now = asyncio.get_running_loop().time
        async with asyncio.timeout(self._seconds) as patience:
            if not await _is_ready(connection):
                await connection.connect()  # type: ignore[no-untyped-call]
                patience.reschedule(now() + self._seconds)
            if self._blocking_seconds:
                patience.reschedule(now() + self._seconds + self._blocking_seconds)
            # The library's own packing takes ten times as long, more than all the rest here.
            packed = b"".join(map(pack_command, commands))  # type: ignore[arg-type] # its stub: 1-tuples
            await connection.send_packed_command([packed])
            for _ in commands:
                if answers:
                    patience.reschedule(now() + self._seconds)
                answers.append(await _answer(connection))

    async def _drop_idle(self) -> None:
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)


async def _is_ready(connection: AbstractConnection) -> bool:
    """Connected, and without an end or an answer that nobody waits for."""
    if not connection.is_connected:
        return False
    try:
        if not await connection.can_read():
            return True
    except RedisConnectionError:
        pass
    await connection.disconnect(nowait=True)
    return False


def _lost(error: Exception) -> RedisError:
    if isinstance(error, RedisError):
        return error
    kind = RedisTimeoutError if isinstance(error, TimeoutError) else RedisConnectionError
    return kind(str(error) or "no answer in time")


async def _answer(connection: AbstractConnection) -> object:
    try:
        answer: object = await connection.read_response()
    except ResponseError as refusal:
        return refusal
    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How servers are spoken to, whatever their addresses. For the times see RedisServer."""

    credentials: Credentials
    tls: Tls | None
    seconds: float
    blocking_seconds: float = 0.0
    connections: int | None = None
    database: int = 0

    def to(self, address: Address) -> RedisServer:
        host, port = address
        return RedisServer(
            lambda: self._connection(host, port),
            seconds=self.seconds,
            blocking_seconds=self.blocking_seconds,
            connections=self.connections,
        )

    def _connection(self, host: str, port: int) -> AbstractConnection:
        kind: Callable[..., AbstractConnection] = SSLConnection if self.tls else Connection
        return kind(
            host=host,
            port=port,
            db=self.database,
            username=self.credentials.user,
            password=self.credentials.password,
            protocol=2,
            # RedisServer keeps time: the library's own way loses cancellations (asyncio.wait_for
            # before Python 3.12), and with them the caller's deadline.
            socket_timeout=None,
            socket_connect_timeout=None,
            # A peer that vanished is noticed by the system; no PING is spent on it.
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
            # CLIENT SETINFO would need a permission of its own.
            driver_info=None,
            **(_verified(self.tls) if self.tls else {}),
        )


def _verified(tls: Tls) -> dict[str, object]:
    return {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_ca_certs": tls.ca,
        "ssl_certfile": tls.certificate,
        "ssl_keyfile": tls.key,
    }
