"""A server before Redis that gives every command the same answer while it is told to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import hiredis

SILENCE: Final = b""
CLOSE: Final = b"close"
HANG_UP_WITHIN: Final = b"*2\r\n$3\r\nab"
"""The beginning of an answer, then the end of the connection."""

Words = list[bytes]


@dataclass
class FaultyRedis:
    """`fault`: the bytes that every command is answered with; None: what Redis answers.

    `played` names the commands that got `fault`.
    """

    port: int = 0
    fault: bytes | None = None
    connections: int = 0
    played: list[str] = field(default_factory=list)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def open_connections(self) -> int:
        return len(self._open)


@asynccontextmanager
async def faulty_redis(target: int) -> AsyncIterator[FaultyRedis]:
    faults = FaultyRedis()

    async def connected(commands: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        faults.connections += 1
        faults._open.add(answers)
        redis, redis_commands = await asyncio.open_connection("127.0.0.1", target)
        reader = hiredis.Reader()
        back = asyncio.ensure_future(_relay(redis, answers))
        try:
            while data := await commands.read(65_536):
                if faults.fault is None:
                    redis_commands.write(data)
                    continue
                reader.feed(data)
                while isinstance(words := reader.gets(), list):
                    faults.played.append(words[0].decode().upper())
                    if not _play(faults.fault, answers):
                        return
        except OSError:
            pass
        finally:
            back.cancel()
            redis_commands.close()
            answers.close()
            faults._open.discard(answers)

    async with _listening(connected) as faults.port:
        yield faults


def _play(fault: bytes, answers: asyncio.StreamWriter) -> bool:
    """False: the connection ends."""
    if fault == CLOSE:
        return False
    answers.write(fault)
    return fault != HANG_UP_WITHIN


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)


@asynccontextmanager
async def scripted_redis(answer: Callable[[Words], bytes]) -> AsyncIterator[int]:
    """A server that is nothing but `answer`; its port."""

    async def connected(commands: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        reader = hiredis.Reader()
        try:
            while data := await commands.read(65_536):
                reader.feed(data)
                while isinstance(words := reader.gets(), list):
                    answers.write(answer(words))
        except OSError:
            pass
        finally:
            answers.close()

    async with _listening(connected) as port:
        yield port


@asynccontextmanager
async def _listening(
    connected: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    running: dict[asyncio.Future[None], asyncio.StreamWriter] = {}

    def accept(commands: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        running[asyncio.ensure_future(connected(commands, answers))] = answers

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for answers in running.values():
            answers.close()
        await asyncio.gather(*running)
        await server.wait_closed()
