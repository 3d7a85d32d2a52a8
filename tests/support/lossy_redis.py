"""A TCP proxy before Redis that loses answers: the command arrives, its caller hears nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass
class LossyRedis:
    """`lose` counts the script calls whose connection is cut before the answer.

    With `silent` the connection stays open and nothing is ever answered.
    """

    port: int = 0
    lose: int = 0
    silent: bool = False
    lost: int = 0


@asynccontextmanager
async def lossy_redis(target: int) -> AsyncIterator[LossyRedis]:
    faults = LossyRedis()

    async def relay(client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        server, commands = await asyncio.open_connection("127.0.0.1", target)
        try:
            while words := await client.read(65_536):
                if faults.silent:
                    continue
                commands.write(words)
                answer = await server.read(65_536)
                if faults.lose and b"EVAL" in words and not answer.startswith(b"-NOSCRIPT"):
                    faults.lose -= 1
                    faults.lost += 1
                    return
                answers.write(answer)
        except ConnectionError:
            return
        finally:
            commands.close()
            answers.close()

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    faults.port = server.sockets[0].getsockname()[1]
    try:
        yield faults
    finally:
        server.close()
        await server.wait_closed()
