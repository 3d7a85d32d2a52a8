"""The gateway put together: what serves over HTTP and over stdio alike."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

from gateway import __version__
from gateway.catalog import Additions, Catalog, review_declared
from gateway.client import AiohttpClient, Resilience
from gateway.config import Config
from gateway.engine import Gateway, make_additions
from gateway.errors import DescriptionError
from gateway.interfaces import ContextStore
from gateway.mcp import Server
from gateway.search import FullTextSearch
from gateway.sources import ListFiles, is_url
from gateway.telemetry import Observatory
from gateway.wiring.listing import Lists
from gateway.wiring.loading import Loaded, located
from gateway.wiring.reloading import Reloading
from gateway.wiring.storing import make_surroundings

T = TypeVar("T")

_LOG = logging.getLogger("gateway")

# As many as asyncio has on a large machine. On two cores it would have six, and six large answers
# that are being decoded would hold up every name that is to be resolved and every file to be read.
THREADS = 32


def have_threads() -> None:
    """Let this loop wait for THREADS things at once that would block it."""
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="gateway")
    asyncio.get_running_loop().set_default_executor(threads)


@asynccontextmanager
async def kept_current(
    gateway: Gateway, loaded: Sequence[Loaded], asked: asyncio.Event, lists: Lists
) -> AsyncIterator[Reloading]:
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
            yield reloading
        finally:
            for task in tasks:
                task.cancel()


def make_lists(config: Config) -> Lists:
    return Lists(ListFiles(config.cache) if config.cache else None)


@asynccontextmanager
async def open_gateway(
    config: Config,
    loaded: Sequence[Loaded],
    store: ContextStore,
    observatory: Observatory,
    *,
    is_patient: bool = False,
) -> AsyncIterator[Gateway]:
    """`is_patient`: a description at a URL may come later, even if there is no other one.

    Raises DescriptionError when there is nothing to serve.
    """
    faulty = [api for api in loaded if api.fault is not None]
    faults = [located(api.config, api.fault) for api in faulty]
    may_come = is_patient and any(is_url(api.config.spec) for api in loaded)
    if faults and not may_come and all(api.catalog is None for api in loaded):
        raise DescriptionError("\n".join(faults))
    for api, fault in zip(faulty, faults, strict=True):
        what = "its last good copy serves" if api.catalog else "its API answers 503"
        _LOG.error("description of %s not loaded, %s: %s", api.name, what, fault)
    client = Resilience(AiohttpClient(), fraction=secrets.SystemRandom().random)
    gateway = Gateway(
        catalog=Catalog(api.catalog for api in loaded if api.catalog is not None),
        upstreams={api.upstream.name: api.upstream for api in loaded if api.upstream is not None},
        store=observatory.around_store(store),
        client=observatory.around_client(client, lanes=lambda: client.conditions),
        telemetry=observatory.calls,
        surroundings=make_surroundings(),
        max_history=config.store.max_history,
        additions=additions_of(config),
        search=FullTextSearch() if config.mcp.searches else None,
        declared=config.mcp.declared,
        confirm_destructive=config.mcp.confirm_destructive,
    )
    for place, message in review_declared(config.mcp.declared, gateway.catalog):
        _LOG.warning("%s: %s", place, message)
    gateway.missing = frozenset(api.name for api in loaded if api.catalog is None)
    try:
        yield gateway
    finally:
        await gateway.aclose()


def additions_of(config: Config) -> Additions:
    """What is published beside the tools of descriptions, or in their place."""
    return make_additions(
        context_argument=config.mcp.context_argument,
        instead=config.mcp.searches,
        output_schemas=config.mcp.output_schemas,
    )


def make_server(config: Config) -> Server:
    return Server(
        version=__version__,
        output_schemas=config.mcp.output_schemas,
        prompts=bool(config.mcp.prompts),
    )


@asynccontextmanager
async def at_once(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """`work` goes on for as long as it is open, and its failure ends it."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        try:
            yield
        finally:
            task.cancel()


async def unless(stop: asyncio.Event, work: Coroutine[object, object, T]) -> T | None:
    """The result of `work`, or None if `stop` was set before there was one."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        return None if not working.done() else working.result()
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
