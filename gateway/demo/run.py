"""The demo API on a free loopback port, and the gateway in front of it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from gateway import wiring
from gateway.config import Overrides, load_config
from gateway.demo.api import DESCRIPTION, make_app

API_NAME = "library"
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A running demo: both URLs, and where its contexts are kept."""

    gateway_url: str
    api_url: str
    store: Path


async def run_demo(directory: Path, *, announce: Callable[[Demo], None]) -> None:
    """Serves until cancelled or signalled; contexts are kept in `directory`/.ocp-gateway."""
    async with _serve_api() as api_url:
        config = load_config(
            None,
            overrides=Overrides(
                specs=(f"{API_NAME}={DESCRIPTION}",),
                base_urls=(f"{API_NAME}={api_url}",),
                port=0,
            ),
            # The demo is the same on every machine, whatever is set there.
            environ={},
            cwd=directory,
        )
        store = directory / ".ocp-gateway" / "contexts.db"

        def ready(gateway_url: str) -> None:
            announce(Demo(gateway_url=gateway_url, api_url=api_url, store=store))

        await wiring.serve(config, announce=ready)


@asynccontextmanager
async def _serve_api() -> AsyncIterator[str]:
    runner = web.AppRunner(make_app(), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, _HOST, 0)
        await site.start()
        yield f"http://{_HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
