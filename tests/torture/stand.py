"""A gateway process in front of the tagged API, as all load programs have it."""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Protocol

import uvloop

from tests.support.gateway_process import GatewayProcess
from tests.torture import counting_gateway
from tests.torture.asks import API, write_description
from tests.torture.tagged_api import TaggedApi, tagged_api


class Outcome(Protocol):
    """What came of a run; `str()` are its figures."""

    @property
    def faults(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """`description` is the file of the one API that the gateway has."""

    api: TaggedApi
    gateway: GatewayProcess
    description: Path

    @property
    def pid(self) -> int:
        return self.gateway.process.pid

    async def start_again(self) -> None:
        """On the same port as before."""
        await asyncio.to_thread(self.gateway.start)


@asynccontextmanager
async def open_stand(
    directory: Path, *words: str, configuration: str = "", counts_to: Path | None = None
) -> AsyncIterator[Stand]:
    """`words` are further arguments of `serve`; `counts_to` is the REPORT of counting_gateway."""
    description = _prepare(directory, configuration)
    async with tagged_api() as api:
        gateway = GatewayProcess(
            "--spec", f"{API}={description}", "--base-url", f"{API}={api.url}",
            "gateway.yaml", "--store", "memory://", "--log-level", "warning", *words,
            directory=directory,
        )  # fmt: skip
        if counts_to is not None:
            gateway.command = (sys.executable, counting_gateway.__file__, str(counts_to))
        await asyncio.to_thread(gateway.start)
        # From now on it is always found where it was.
        gateway.arguments = (*gateway.arguments, "--port", gateway.url.rpartition(":")[2])
        stand = Stand(api=api, gateway=gateway, description=description)
        try:
            yield stand
        finally:
            await asyncio.to_thread(_end, gateway)


def _prepare(directory: Path, configuration: str) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "gateway.yaml").write_text(configuration or "{}\n")
    description = directory / "work.json"
    write_description(description)
    return description


def _end(gateway: GatewayProcess) -> None:
    if gateway.process.poll() is None:
        gateway.stop()


def run_command(
    run: Callable[[int, Path, Random], Awaitable[Outcome]],
    about: str | None,
    *,
    size: int,
    what: str,
) -> None:
    """Print what came of the run; exit 1 if anything is wrong with it."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--size", type=int, default=size, help=f"{what}; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the logs there")
    options = parser.parse_args()
    random = Random(options.seed)  # noqa: S311 - to be repeated, not to be secret

    async def attempt() -> Outcome:
        if options.keep is not None:
            options.keep.mkdir(parents=True, exist_ok=True)
            return await run(options.size, options.keep.absolute(), random)
        with TemporaryDirectory() as directory:
            return await run(options.size, Path(directory), random)

    started = time.monotonic()
    outcome = uvloop.run(attempt())
    print(outcome)
    print(f"{time.monotonic() - started:.0f} s, {len(outcome.faults):,} faults")
    sys.exit(1 if outcome.faults else 0)
