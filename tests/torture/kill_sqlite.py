"""`kill -9` of one of two gateways on one SQLite file, again and again, while twelve write."""

from pathlib import Path
from random import Random

from tests.torture.command import run_command
from tests.torture.swarm import Siege, besiege, killing_gateways

GATEWAYS = 2


async def run(kills: int, directory: Path, random: Random) -> Siege:
    return await besiege(
        killing_gateways(kills),
        url=f"sqlite:///{directory}/contexts.db",
        gateways=GATEWAYS,
        directory=directory,
        random=random,
    )


if __name__ == "__main__":
    run_command(run, __doc__, default=20)
