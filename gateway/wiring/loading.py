"""From the configured APIs to their catalogs and upstreams."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.catalog import ApiCatalog, Catalog, Placement, read_catalog
from gateway.config import ApiConfig, Config, name_apis
from gateway.errors import DescriptionError
from gateway.messages import Headers, as_utf8
from gateway.openapi import read_description
from gateway.sources import LastGood, Opened, Snapshot, Source, shown
from gateway.upstreams import Upstream
from gateway.wiring.addressing import find_upstream, place_api

_LOG = logging.getLogger("gateway")
_LEVELS = {"error": logging.ERROR, "warning": logging.WARNING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One API as far as it could be loaded.

    `fault` says what is wrong with its source. `catalog` and `upstream` are then those of the last
    good copy, or None. `digest` is that of the text they were made of.
    """

    config: ApiConfig
    source: Source
    last_good: LastGood | None = None
    catalog: ApiCatalog | None = None
    upstream: Upstream | None = None
    digest: str = ""
    fault: DescriptionError | None = None

    @property
    def name(self) -> str:
        return self.config.name or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an API's source holds at start: texts and a document, or a fault. `title` may be ""."""

    source: Source
    last_good: LastGood | None
    snapshot: Snapshot | None = None
    opened: Opened | None = None
    title: str = ""
    fault: DescriptionError | None = None


async def load_catalog(config: Config) -> Catalog:
    """The catalog of every API. Raises DescriptionError when one of them is unusable."""
    named, found = await find_all(config, cache=None)
    return Catalog(await asyncio.gather(*map(_catalog_or_fault, named.apis, found)))


async def load_apis(config: Config) -> Sequence[Loaded]:
    """Every API with its catalog and upstream; one that fails does not stop the others."""
    named, found = await find_all(config, config.cache)
    return await asyncio.gather(*map(_load_api, named.apis, found))


async def build_api(
    api: ApiConfig, opened: Opened, running: Upstream | None = None
) -> tuple[ApiCatalog, Upstream]:
    """What a named API's description gives. Raises DescriptionError.

    Where the API is served already, `running` keeps its origins: a description may change what is
    called there, never who is called.
    """
    _warn_of_overlays(api, opened)
    catalog, placement = await asyncio.to_thread(_catalog_of, api, opened)
    for problem in catalog.unapplied:
        _LOG.log(_LEVELS[problem.severity], "%s: %s", problem.api, problem.message)
    return catalog, await find_upstream(api, placement, running)


async def keep_copy(api: ApiConfig, last_good: LastGood | None, snapshot: Snapshot) -> None:
    """Keeps a text that proved good; a disk that takes none costs a line in the log."""
    if last_good is None:
        return
    try:
        await asyncio.to_thread(last_good.keep, snapshot)
    except OSError as error:
        _LOG.warning("no copy of the description of %s is kept: %s", api.name, error)


def located(api: ApiConfig, fault: object) -> str:
    """A fault for the operator, who may know where the description is."""
    return f"{shown(api.spec)}: {fault}"


async def find_all(config: Config, cache: Path | None) -> tuple[Config, Sequence[Found]]:
    """Every API with its name, and what its source holds."""
    found = await asyncio.gather(*(_find(api, cache) for api in config.apis))
    pairs = zip(config.apis, found, strict=True)
    return name_apis(config, {api.spec: it.title for api, it in pairs if api.name is None}), found


async def _find(api: ApiConfig, cache: Path | None) -> Found:
    source = Source(api.spec, headers=lambda: _spec_headers(api), overlays=api.overlays)
    last_good = None
    if cache:
        last_good = LastGood(cache, api=api.name or "", location=api.spec, place=source.place)
    try:
        snapshot = await source.read()
        opened = await _opened(snapshot)
    except DescriptionError as fault:
        title = "" if api.name else await _title_of_copy(last_good)
        if not api.name and not title:  # without a title it has not even a name
            raise DescriptionError(located(api, fault)) from fault
        return Found(source=source, last_good=last_good, title=title, fault=fault)
    return Found(
        source=source,
        last_good=last_good,
        snapshot=snapshot,
        opened=opened,
        title=_title(opened),
    )


def _spec_headers(api: ApiConfig) -> Headers:
    return tuple((name, as_utf8(secret.reveal())) for name, secret in api.spec_headers)


async def _opened(snapshot: Snapshot | None) -> Opened | None:
    return await asyncio.to_thread(snapshot.open) if snapshot else None


def _warn_of_overlays(api: ApiConfig, opened: Opened) -> None:
    for overlay, findings in zip(api.overlays, opened.overlaid, strict=True):
        for found in findings:
            _LOG.warning("%s: %s: %s", shown(overlay), found.pointer, found.message)


async def _copy(last_good: LastGood | None) -> Snapshot | None:
    return await asyncio.to_thread(last_good.find) if last_good else None


async def _title_of_copy(last_good: LastGood | None) -> str:
    try:
        return _title(await _opened(await _copy(last_good)))
    except DescriptionError:  # what another version took for good
        return ""


def _title(opened: Opened | None) -> str:
    info = opened.document.root.get("info") if opened else None
    title = info.get("title") if isinstance(info, dict) else None
    return title if isinstance(title, str) else ""


def opened_or_fault(found: Found) -> tuple[Snapshot, Opened]:
    """What was found. Raises DescriptionError when that is nothing."""
    if found.snapshot is None or found.opened is None:
        raise found.fault or DescriptionError("there is no description")
    return found.snapshot, found.opened


async def _catalog_or_fault(api: ApiConfig, found: Found) -> ApiCatalog:
    try:
        _, opened = opened_or_fault(found)
        catalog, _ = await asyncio.to_thread(_catalog_of, api, opened)
    except DescriptionError as fault:
        raise DescriptionError(located(api, fault)) from fault
    return catalog


def describe_api(api: ApiConfig, opened: Opened) -> tuple[ApiCatalog, Placement]:
    """The tools that an API's configuration leaves of its description, and where they are."""
    takes = None if api.selection.takes_all else api.selection.takes
    description = read_description(opened.document, api=api.name or "", takes=takes)
    placement = place_api(api, description)
    catalog = read_catalog(placement.description, selection=api.selection, overrides=api.tools)
    return catalog, placement


def _catalog_of(api: ApiConfig, opened: Opened) -> tuple[ApiCatalog, Placement]:
    catalog, placement = describe_api(api, opened)
    # Digests and schemas are made here, in a thread, not by the first caller.
    for tool in catalog.tools.values():
        _ = tool.digest
    return catalog, placement


async def _load_api(api: ApiConfig, found: Found) -> Loaded:
    if found.snapshot is None or found.opened is None:
        return await _load_copy(api, found, found.fault)
    try:
        catalog, upstream = await build_api(api, found.opened)
    except DescriptionError as fault:
        return await _load_copy(api, found, fault)
    await keep_copy(api, found.last_good, found.snapshot)
    return Loaded(
        config=api,
        source=found.source,
        last_good=found.last_good,
        catalog=catalog,
        upstream=upstream,
        digest=found.snapshot.digest,
    )


async def _load_copy(api: ApiConfig, found: Found, fault: DescriptionError | None) -> Loaded:
    nothing = Loaded(config=api, source=found.source, last_good=found.last_good, fault=fault)
    snapshot = await _copy(found.last_good)
    if snapshot is None:
        return nothing
    try:
        opened = await asyncio.to_thread(snapshot.open)
        catalog, upstream = await build_api(api, opened)
    except DescriptionError:  # what another version or configuration took for good
        return nothing
    return replace(nothing, catalog=catalog, upstream=upstream, digest=snapshot.digest)
