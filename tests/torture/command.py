"""The command line of the kill loops."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.torture.swarm import Siege


def run_command(
    run: Callable[[int, Path, Random], Awaitable[Siege]], about: str | None, *, default: int
) -> None:
    """Print what came of the run; exit 1 if anything is wrong with it."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--kills", type=int, default=default)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave stores and logs there")
    options = parser.parse_args()
    random = Random(options.seed)  # noqa: S311 - to be repeated, not to be secret

    async def attempt() -> Siege:
        if options.keep is not None:
            return await run(options.kills, options.keep.absolute(), random)
        with TemporaryDirectory() as directory:
            return await run(options.kills, Path(directory), random)

    siege = asyncio.run(attempt())
    print(siege)
    sys.exit(1 if siege.faults else 0)
