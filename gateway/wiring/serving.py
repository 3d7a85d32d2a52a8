"""The gateway as a server: parts put together, started, drained."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, closing, suppress

from aiohttp import web

from gateway.config import Config
from gateway.engine import Gateway
from gateway.server.draining import Draining
from gateway.server.health import Readiness, StatusEndpoint
from gateway.server.metrics import MetricsEndpoint
from gateway.server.probes import make_probe_app
from gateway.server.problems import make_error_middleware
from gateway.stores import ResultFiles, SharedResults
from gateway.wiring.collecting import collector_at_rest
from gateway.wiring.crew import ALONE, Place
from gateway.wiring.doors import Doors, listening_on, open_doors, url_of
from gateway.wiring.draining import drain, prompt, unhurried
from gateway.wiring.http import make_runner, put_behind_door
from gateway.wiring.listening import BACKLOG
from gateway.wiring.live_settings import LiveSettings
from gateway.wiring.loading import load_apis
from gateway.wiring.observing import metrics_of, observing, traced_observatory
from gateway.wiring.parts import (
    at_once,
    have_threads,
    kept_current,
    make_lists,
    open_gateway,
    unless,
)
from gateway.wiring.reconfiguring import ConfigSource, Reconfiguring
from gateway.wiring.signals import Hurried, Wishes
from gateway.wiring.storing import make_guarded_stores


async def serve(
    config: Config,
    *,
    announce: Callable[[str], None],
    source: ConfigSource | None = None,
    doors: Doors | None = None,
    place: Place = ALONE,
    end_within: Callable[[float], None] = lambda _: None,
) -> None:
    """Run the HTTP server until SIGTERM or SIGINT; `announce` gets its URL once it accepts.

    A second signal ends it at once. SIGHUP has everything read again, the configuration from
    `source`. `doors` are closed in the end; without them those of `config` are opened. `place` is
    this process's among several. `end_within` is told, once it has to end, in how many seconds.
    Raises CannotListen when the address is taken.
    """
    wishes = Wishes()
    have_threads()
    place.heed(wishes)
    with (
        suppress(Hurried),
        wishes.granted(),
        closing(doors or open_doors(config.server)) as opened,
    ):
        with collector_at_rest():
            loaded = await unless(wishes.stop, load_apis(config))
        if loaded is None:
            end_within(0.0)
            return
        lists = make_lists(config)
        store, board = make_guarded_stores(config.store)
        descriptions = asyncio.Event()
        async with (
            aclosing(board),
            traced_observatory(place.metrics) as observatory,
            open_gateway(config, loaded, store, observatory, is_patient=True) as gateway,
            kept_current(gateway, loaded, descriptions, lists) as reloading,
        ):
            draining, live = Draining(), LiveSettings(config)
            readiness = Readiness(
                gateway,
                needs_all=config.server.ready_when == "all",
                draining=draining,
                others_ready=place.others_ready,
            )
            keeper = Reconfiguring(
                config,
                loaded,
                source or ConfigSource(read=lambda: config),
                reloading=reloading,
                settings=(live, readiness),
            )
            runner = make_runner(
                config,
                gateway,
                board,
                lists.recall,
                readiness=readiness,
                observatory=observatory,
                live=live,
                results=_results(place),
            )
            runner.app.on_response_prepare.append(draining.tell)
            async with (
                observing(observatory, gateway, runner),
                _probes(gateway, readiness, opened, metrics_of(observatory)),
            ):
                await _listen(runner, opened.main)
                announce(url_of(opened.main, config.server.host))
                async with (
                    place.reporting(lambda: readiness.is_loaded),
                    at_once(keeper.run(wishes.reload, descriptions)),
                ):
                    await wishes.stop.wait()
                    seconds = keeper.config.server.drain_seconds
                    end_within(seconds)
                pace = prompt if wishes.is_prompt else unhurried
                await drain(
                    runner,
                    opened.main,
                    draining,
                    pace(seconds),
                    is_for_all=lambda: place.ends_for_all,
                )


def _results(place: Place) -> ResultFiles:
    return ResultFiles(shared=SharedResults(place.results) if place.results else None)


async def _listen(runner: web.AppRunner, doors: Sequence[socket.socket]) -> None:
    await runner.setup()
    for door in doors:
        # Two may be bound to one address, and only one of them can listen.
        with listening_on(*door.getsockname()[:2]):
            await web.SockSite(runner, door, backlog=BACKLOG).start()


@asynccontextmanager
async def _probes(
    gateway: Gateway, readiness: Readiness, doors: Doors, metrics: MetricsEndpoint
) -> AsyncIterator[None]:
    """Answers probes until the very end."""
    if not doors.probes:
        yield
        return
    status = StatusEndpoint(gateway, readiness=readiness)
    app = make_probe_app(status, make_error_middleware(secrets.token_bytes), metrics=metrics.show)
    runner = put_behind_door(app, max_body=lambda: 0, shutdown_timeout=0.1)
    try:
        await _listen(runner, doors.probes)
        yield
    finally:
        await runner.cleanup()
