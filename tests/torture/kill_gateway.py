"""`kill -9` of one of three gateways on one Redis, again and again, while twelve writers write."""

from pathlib import Path
from random import Random

from tests.support.redis_server import start_redis
from tests.torture.command import run_command
from tests.torture.swarm import Siege, besiege, killing_gateways

GATEWAYS = 3


async def run(kills: int, directory: Path, random: Random) -> Siege:
    with start_redis(directory / "redis") as server:
        return await besiege(
            killing_gateways(kills),
            url=server.url,
            gateways=GATEWAYS,
            directory=directory,
            random=random,
        )


if __name__ == "__main__":
    run_command(run, __doc__, default=20)
