"""`kill -9` of redis-server, again and again, while twelve writers write through three gateways."""

import asyncio
from pathlib import Path
from random import Random

from tests.support.redis_server import RedisServer, start_redis
from tests.torture.command import run_command
from tests.torture.swarm import Siege, Swarm, besiege

GATEWAYS = 3


async def run(kills: int, directory: Path, random: Random) -> Siege:
    with start_redis(directory / "redis") as server:

        async def kill(swarm: Swarm) -> int:
            for _ in range(kills):
                await swarm.moment_for(swarm.doors)
                server.kill()
                await asyncio.to_thread(server.start)
            await swarm.progress(5)
            return kills

        return await besiege(
            kill,
            url=server.url,
            gateways=GATEWAYS,
            directory=directory,
            random=random,
            afterwards=lambda: _restart(server),
        )


def _restart(server: RedisServer) -> None:
    """What was acknowledged last is judged by what the disk holds, too."""
    server.kill()
    server.start()


if __name__ == "__main__":
    run_command(run, __doc__, default=50)
