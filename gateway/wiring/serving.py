"""The gateway as a server: parts put together, started, drained."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import TypeVar

from aiohttp import web

from gateway.config import Config
from gateway.wiring.collecting import collector_at_rest
from gateway.wiring.http import make_runner
from gateway.wiring.loading import load_apis
from gateway.wiring.parts import (
    have_threads,
    kept_current,
    make_lists,
    open_gateway,
    unless,
)
from gateway.wiring.storing import make_guarded_stores

T = TypeVar("T")

_LOG = logging.getLogger("gateway")

# What a second signal leaves for an orderly end.
HURRY_SECONDS = 2.0


async def serve(config: Config, *, announce: Callable[[str], None]) -> None:
    """Run the HTTP server until SIGTERM or SIGINT; `announce` gets its URL once it accepts.

    A second signal ends it at once. SIGHUP has every description read again.
    Raises DescriptionError when no API at all can be loaded, OSError when the address is taken.
    """
    stop, asked = asyncio.Event(), asyncio.Event()
    have_threads()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked.set)
    with suppress(_Hurried), _ended_by_signals(stop):
        with collector_at_rest():
            loaded = await unless(stop, load_apis(config))
        if loaded is None:
            return
        lists = make_lists(config)
        store, board = make_guarded_stores(config.store)
        async with (
            aclosing(board),
            open_gateway(config, loaded, store) as gateway,
            kept_current(gateway, loaded, asked, lists),
        ):
            runner = make_runner(config, gateway, board, lists.recall)
            await _serve_until(stop, runner, config, announce)


async def _serve_until(
    stop: asyncio.Event, runner: web.AppRunner, config: Config, announce: Callable[[str], None]
) -> None:
    await runner.setup()
    try:
        site = web.TCPSite(runner, config.server.host, config.server.port)
        await site.start()
        announce(_url(config, runner))
        await stop.wait()
    finally:
        # aiohttp would spend its own time limit twice, and take 0 for none.
        with suppress(TimeoutError):
            async with asyncio.timeout(config.server.drain_seconds):
                await runner.cleanup()


class _Hurried(Exception):
    """A second signal came: whatever is still under way is given up."""


@contextmanager
def _ended_by_signals(stop: asyncio.Event) -> Iterator[None]:
    """The first SIGTERM or SIGINT sets `stop`, the next one raises _Hurried in this task."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def on_signal() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
            # A thread that reads or parses cannot be cancelled, and Python would wait for it.
            loop.call_later(HURRY_SECONDS, os._exit, 0)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    except asyncio.CancelledError as error:
        if not stop.is_set():
            raise
        raise _Hurried from error


def _url(config: Config, runner: web.AppRunner) -> str:
    host, port = config.server.host, config.server.port
    for address in runner.addresses:
        if isinstance(address, tuple):
            port = address[1]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
