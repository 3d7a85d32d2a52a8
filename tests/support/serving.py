"""The server with the parts that `serve` puts together, in the test's own event loop."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import web

from gateway.config import ApiConfig, Config, ServerConfig, StoreConfig
from gateway.config.secret import read_secret
from gateway.engine import Gateway
from gateway.wiring.http import make_runner
from gateway.wiring.loading import load_apis
from gateway.wiring.observing import observing, open_observatory
from gateway.wiring.parts import open_gateway
from gateway.wiring.storing import make_guarded_stores

MEMORY = StoreConfig(url=read_secret("memory://", {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    url: str
    gateway: Gateway
    runner: web.AppRunner


@asynccontextmanager
async def serving(
    *apis: ApiConfig, server: ServerConfig | None = None, **settings: object
) -> AsyncIterator[Served]:
    """These APIs behind a server on a free loopback port, with a store in memory.

    `settings` are further ones of Config.
    """
    config = replace(
        Config(apis=apis, server=server or ServerConfig(), store=MEMORY),
        **settings,  # type: ignore[arg-type]
    )
    store, board = make_guarded_stores(config.store)
    loaded, observatory = await load_apis(config), open_observatory()
    async with aclosing(board), open_gateway(config, loaded, store, observatory) as gateway:
        runner = make_runner(config, gateway, board, observatory=observatory)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            async with observing(observatory, gateway, runner):
                yield Served(url=url, gateway=gateway, runner=runner)
        finally:
            await runner.cleanup()


def write_spec(
    directory: Path, paths: Mapping[str, object], *, name: str = "shop", **rest: object
) -> str:
    """The path of a description with these Path Item Objects."""
    document = {
        "openapi": "3.1.0",
        "info": {"title": name, "version": "1"},
        "paths": paths,
        **rest,
    }
    path = directory / f"{name}.json"
    path.write_text(json.dumps(document))
    return str(path)
