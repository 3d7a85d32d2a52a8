"""The gateway as a server: parts put together, started, drained."""

import asyncio
import logging
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import TypeVar

from aiohttp import web

from gateway.catalog import Recall, make_anew
from gateway.config import Config
from gateway.engine import Gateway
from gateway.interfaces import SessionBoard
from gateway.policy import ANONYMOUS, Principal
from gateway.server.app import Endpoints, make_app
from gateway.server.contexts import ContextsEndpoint
from gateway.server.cors import serve_pages
from gateway.server.guard import Guard, make_guard_middleware
from gateway.server.health import StatusEndpoint
from gateway.server.mcp_http import McpEndpoint
from gateway.server.mcp_parts import McpSettings
from gateway.server.parse_log import http_logger
from gateway.server.problems import make_error_middleware
from gateway.server.proxy import ProxyEndpoint
from gateway.server.registry import RegistryEndpoint
from gateway.server.results import ResultsEndpoint
from gateway.server.sse import SseEndpoint
from gateway.server.tools import ToolsEndpoint
from gateway.stores import ResultFiles
from gateway.wiring.collecting import collector_at_rest
from gateway.wiring.loading import load_apis
from gateway.wiring.parts import (
    have_threads,
    kept_current,
    make_lists,
    make_server,
    open_gateway,
    unless,
)
from gateway.wiring.storing import make_guarded_stores

T = TypeVar("T")

_LOG = logging.getLogger("gateway")

# A legal OCP-Session has 8,192 characters, and a longer one is to be ignored, not refused.
MAX_FIELD_BYTES = 65_536
KEEPALIVE_SECONDS = 75.0
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
            runner = _runner(config, gateway, board, lists.recall)
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


def _runner(
    config: Config, gateway: Gateway, board: SessionBoard, recall: Recall = make_anew
) -> web.AppRunner:
    server = config.server
    # Over stdio nobody could read what is kept.
    gateway.keep_results(ResultFiles(), url=f"{server.public_url or ''}/results/")
    guard = Guard(names=(server.host, *server.allowed_hosts), public_url=server.public_url)
    app = make_app(
        _endpoints(config, gateway, board, recall),
        make_error_middleware(secrets.token_bytes),
        make_guard_middleware(guard),
        serve_pages,
    )
    return web.AppRunner(
        app,
        access_log=None,
        logger=http_logger(),
        # A compressed upload is passed on as it is; inflated, its head would be a lie.
        auto_decompress=False,
        # Without it a handler outlives its client, and so does the request to the upstream.
        handler_cancellation=True,
        keepalive_timeout=KEEPALIVE_SECONDS,
        max_line_size=MAX_FIELD_BYTES,
        max_field_size=MAX_FIELD_BYTES,
        shutdown_timeout=server.drain_seconds,
    )


def _endpoints(config: Config, gateway: Gateway, board: SessionBoard, recall: Recall) -> Endpoints:
    server = config.server
    settings = McpSettings(
        server=make_server(config),
        session_keys=config.mcp.state_keys() or (secrets.token_bytes(32),),
        additions=gateway.additions,
        page_size=config.mcp.page_size,
        recall=recall,
        max_body_bytes=server.max_body_bytes,
    )
    mcp = McpEndpoint(
        gateway,
        settings=settings,
        principal_of=_anonymous,
        clock=time.time,
        new_bytes=secrets.token_bytes,
        board=board,
    )
    return Endpoints(
        status=StatusEndpoint(
            gateway, needs_all=server.ready_when == "all", public_url=server.public_url
        ),
        tools=ToolsEndpoint(
            gateway,
            principal_of=_anonymous,
            max_body_bytes=server.max_body_bytes,
            recall=recall,
        ),
        results=ResultsEndpoint(gateway, principal_of=_anonymous),
        contexts=ContextsEndpoint(
            gateway.contexts,
            principal_of=_anonymous,
            max_body_bytes=server.max_body_bytes,
            # Everybody in reach is the one principal then, and its contexts are everybody's.
            may_list=not config.insecure_open,
            url=f"{server.public_url or ''}/contexts/",
        ),
        registry=RegistryEndpoint(gateway, public_url=server.public_url, recall=recall),
        proxy=ProxyEndpoint(gateway, principal_of=_anonymous),
        mcp=mcp,
        sse=SseEndpoint(mcp.parts, principal_of=_anonymous, public_url=server.public_url)
        if config.mcp.sse
        else None,
    )


def _anonymous(_: web.Request) -> Principal:
    return ANONYMOUS


def _url(config: Config, runner: web.AppRunner) -> str:
    host, port = config.server.host, config.server.port
    for address in runner.addresses:
        if isinstance(address, tuple):
            port = address[1]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
