"""The gateway as a server: parts put together, started, drained."""

import asyncio
import logging
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from typing import TypeVar

from aiohttp import web

from gateway import __version__
from gateway.catalog import Catalog, Recall, make_anew
from gateway.client import AiohttpClient
from gateway.config import Config, StoreConfig
from gateway.context import mint_id
from gateway.engine import Gateway
from gateway.errors import DescriptionError
from gateway.interfaces import ContextStore
from gateway.mcp import Server, StdioDialogue, ToolPages
from gateway.policy import ANONYMOUS, Principal
from gateway.server.app import Endpoints, make_app
from gateway.server.contexts import ContextsEndpoint
from gateway.server.guard import Guard, make_guard_middleware
from gateway.server.health import StatusEndpoint
from gateway.server.mcp_http import McpEndpoint, McpSettings
from gateway.server.mcp_stdio import serve_stdio
from gateway.server.parse_log import http_logger
from gateway.server.pipes import claim_stdout
from gateway.server.problems import make_error_middleware
from gateway.server.proxy import ProxyEndpoint
from gateway.server.registry import RegistryEndpoint
from gateway.server.results import ResultsEndpoint
from gateway.server.tools import ToolsEndpoint
from gateway.sources import ListFiles
from gateway.stores import GuardedStore, MemoryStore, ResultFiles
from gateway.wiring.collecting import collector_at_rest
from gateway.wiring.listing import Lists
from gateway.wiring.loading import Loaded, load_apis, located
from gateway.wiring.reloading import Reloading
from gateway.wiring.storing import make_store, make_surroundings

T = TypeVar("T")

_LOG = logging.getLogger("gateway")

# A legal OCP-Session has 8,192 characters, and a longer one is to be ignored, not refused.
MAX_FIELD_BYTES = 65_536
KEEPALIVE_SECONDS = 75.0
# What a second signal leaves for an orderly end.
HURRY_SECONDS = 2.0
# As many as asyncio has on a large machine. On two cores it would have six, and six large answers
# that are being decoded would hold up every name that is to be resolved and every file to be read.
THREADS = 32


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
            loaded = await _unless(stop, load_apis(config))
        if loaded is None:
            return
        lists = _lists(config)
        async with (
            _gateway(config, loaded) as gateway,
            _kept_current(gateway, loaded, asked, lists),
        ):
            await _serve_until(stop, _runner(config, gateway, lists.recall), config, announce)


def have_threads() -> None:
    """Let this loop wait for THREADS things at once that would block it."""
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="gateway")
    asyncio.get_running_loop().set_default_executor(threads)


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


async def _unless(stop: asyncio.Event, work: Coroutine[object, object, T]) -> T | None:
    """The result of `work`, or None if `stop` was set before there was one."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        return None if not working.done() else working.result()
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


async def stdio(config: Config, *, context_id: str | None) -> None:
    """Speak MCP over this process's standard input and output until the input ends."""
    have_threads()
    stdout = claim_stdout()
    loaded = await load_apis(config)
    never, lists = asyncio.Event(), _lists(config)
    async with _gateway(config, loaded) as gateway, _kept_current(gateway, loaded, never, lists):
        server = Server(version=__version__)
        dialogue = StdioDialogue(
            server=server,
            pages=ToolPages(server, additions=gateway.additions, recall=lists.recall),
            view=gateway.view,
            own_context=mint_id(secrets.token_bytes(16)),
            bound_context=context_id,
        )
        await serve_stdio(
            gateway, dialogue=dialogue, new_bytes=secrets.token_bytes, stdin=0, stdout=stdout
        )


@asynccontextmanager
async def _kept_current(
    gateway: Gateway, loaded: Sequence[Loaded], asked: asyncio.Event, lists: Lists
) -> AsyncIterator[None]:
    reloading = Reloading(
        gateway,
        loaded,
        now=lambda: datetime.now(UTC),
        fraction=secrets.SystemRandom().random,
        renew=lists.renew,
    )
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(reloading.run(asked)), group.create_task(lists.keep())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


def _lists(config: Config) -> Lists:
    return Lists(ListFiles(config.cache) if config.cache else None)


@asynccontextmanager
async def _gateway(config: Config, loaded: Sequence[Loaded]) -> AsyncIterator[Gateway]:
    faulty = [api for api in loaded if api.fault is not None]
    faults = [located(api.config, api.fault) for api in faulty]
    if faults and all(api.catalog is None for api in loaded):
        raise DescriptionError("\n".join(faults))
    for api, fault in zip(faulty, faults, strict=True):
        what = "its last good copy serves" if api.catalog else "its API answers 503"
        _LOG.error("description of %s not loaded, %s: %s", api.name, what, fault)
    gateway = Gateway(
        catalog=Catalog(api.catalog for api in loaded if api.catalog is not None),
        upstreams={api.upstream.name: api.upstream for api in loaded if api.upstream is not None},
        store=_store(config.store),
        client=AiohttpClient(),
        surroundings=make_surroundings(),
        max_history=config.store.max_history,
        context_argument=config.mcp.context_argument,
    )
    gateway.missing = frozenset(api.name for api in loaded if api.catalog is None)
    try:
        yield gateway
    finally:
        await gateway.aclose()


def _store(config: StoreConfig) -> ContextStore:
    store = make_store(config)
    # What is in this process's own memory is never down.
    if isinstance(store, MemoryStore):
        return store
    return GuardedStore(store, monotonic=time.monotonic)


def _runner(config: Config, gateway: Gateway, recall: Recall = make_anew) -> web.AppRunner:
    server = config.server
    # Over stdio nobody could read what is kept.
    gateway.keep_results(ResultFiles(), url=f"{server.public_url or ''}/results/")
    guard = Guard(names=(server.host, *server.allowed_hosts), public_url=server.public_url)
    app = make_app(
        _endpoints(config, gateway, recall),
        make_error_middleware(secrets.token_bytes),
        make_guard_middleware(guard),
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


def _endpoints(config: Config, gateway: Gateway, recall: Recall) -> Endpoints:
    server = config.server
    settings = McpSettings(
        server=Server(version=__version__),
        session_keys=config.mcp.state_keys() or (secrets.token_bytes(32),),
        additions=gateway.additions,
        max_body_bytes=server.max_body_bytes,
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
        mcp=McpEndpoint(
            gateway,
            settings=settings,
            principal_of=_anonymous,
            clock=time.time,
            new_bytes=secrets.token_bytes,
            recall=recall,
        ),
    )


def _anonymous(_: web.Request) -> Principal:
    return ANONYMOUS


def _url(config: Config, runner: web.AppRunner) -> str:
    host, port = config.server.host, config.server.port
    for address in runner.addresses:
        if isinstance(address, tuple):
            port = address[1]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
