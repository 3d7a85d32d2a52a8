"""From the configured APIs to their catalogs and upstreams."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.catalog import ApiCatalog, Catalog, Placement, read_catalog
from gateway.config import ApiConfig, Config, name_apis
from gateway.errors import DescriptionError
from gateway.messages import Headers, as_utf8
from gateway.openapi import read_description
from gateway.sources import Opened, Prepared, Seen, Snapshot, Source, shown
from gateway.upstreams import Upstream
from gateway.wiring.addressing import find_upstream, place_api
from gateway.wiring.preparing import (
    Recalled,
    Shelf,
    for_next_start,
    origin_of,
    read_source,
    recalled,
    shelf_of,
    summary_of,
)

_LOG = logging.getLogger("gateway")
_LEVELS = {"error": logging.ERROR, "warning": logging.WARNING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a description gives. `summary` is what has to be kept to have the catalog again."""

    catalog: ApiCatalog
    upstream: Upstream
    summary: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One API as far as it could be loaded.

    `fault` says what is wrong with its source. `catalog` and `upstream` are then those of the last
    good copy, or None. `digest` is that of the text they were made of. `afterwards` is what to do,
    in a thread, for the next start; it raises OSError and ValueError.
    """

    config: ApiConfig
    source: Source
    shelf: Shelf | None = None
    catalog: ApiCatalog | None = None
    upstream: Upstream | None = None
    digest: str = ""
    fault: DescriptionError | None = None
    afterwards: Callable[[], None] | None = None

    @property
    def name(self) -> str:
        return self.config.name or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an API's source holds at start: a document, or a fault. `title` may be "".

    `snapshot` is None where the source did not have to be read. `prepared` is what the last start
    kept; `opened` is its own where the source holds the same.
    """

    source: Source
    shelf: Shelf | None
    snapshot: Snapshot | None = None
    prepared: Prepared | None = None
    seen: Seen | None = None
    opened: Opened | None = None
    title: str = ""
    fault: DescriptionError | None = None

    @property
    def is_prepared(self) -> bool:
        """Whether the source holds what `prepared` was made of."""
        return self.prepared is not None and self.opened is self.prepared.opened


async def load_catalog(config: Config) -> Catalog:
    """The catalog of every API. Raises DescriptionError when one of them is unusable."""
    named, found = await find_all(config, cache=None)
    return Catalog(await asyncio.gather(*map(_catalog_or_fault, named.apis, found)))


async def load_apis(config: Config) -> Sequence[Loaded]:
    """Every API with its catalog and upstream; one that fails does not stop the others."""
    named, found = await find_all(config, config.cache)
    return await asyncio.gather(*map(_load_api, named.apis, found))


async def build_api(
    api: ApiConfig,
    opened: Opened,
    digest: str,
    running: Upstream | None = None,
    prepared: Prepared | None = None,
) -> Built:
    """What a named API's description, texts of this `digest`, gives. Raises DescriptionError.

    Where the API is served already, `running` keeps its origins: a description may change what is
    called there, never who is called. `prepared` is what the same description gave before.
    """
    _warn_of_overlays(api, opened)
    catalog, places, summary = await asyncio.to_thread(_made, api, opened, prepared)
    for problem in catalog.unapplied:
        _LOG.log(_LEVELS[problem.severity], "%s: %s", problem.api, problem.message)
    upstream = await find_upstream(api, places, running)
    catalog = replace(catalog, origin=origin_of(api, digest))
    return Built(catalog=catalog, upstream=upstream, summary=summary)


async def keep_copy(api: ApiConfig, shelf: Shelf | None, snapshot: Snapshot) -> None:
    """Keeps a text that proved good; a disk that takes none costs a line in the log."""
    if shelf is None:
        return
    try:
        await asyncio.to_thread(shelf.last_good.keep, snapshot)
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
    shelf = shelf_of(cache, api, source) if cache else None
    prepared = await asyncio.to_thread(shelf.prepared.find) if shelf else None
    try:
        snapshot, is_known = await read_source(source, prepared, shelf)
        opened = prepared.opened if prepared and is_known else await _opened(snapshot)
        seen = source.seen(snapshot) if snapshot else prepared.seen if prepared else None
    except DescriptionError as fault:
        found = Found(source=source, shelf=shelf, prepared=prepared, fault=fault)
        title = "" if api.name else await _title_of_copy(found)
        if not api.name and not title:  # without a title it has not even a name
            raise DescriptionError(located(api, fault)) from fault
        return replace(found, title=title)
    return Found(
        source=source,
        shelf=shelf,
        snapshot=snapshot,
        prepared=prepared,
        seen=seen,
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


async def _copy(found: Found) -> tuple[str, Opened] | None:
    """The last good description with its digest. Raises DescriptionError."""
    snapshot = await asyncio.to_thread(found.shelf.last_good.find) if found.shelf else None
    prepared = found.prepared
    # A process that ended early may have kept the text, and not yet what it came to.
    if prepared and (snapshot is None or snapshot.digest == prepared.seen.digest):
        return prepared.seen.digest, prepared.opened
    opened = await _opened(snapshot)
    return (snapshot.digest, opened) if snapshot and opened else None


async def _title_of_copy(found: Found) -> str:
    try:
        copy = await _copy(found)
    except DescriptionError:  # what another version took for good
        return ""
    return _title(copy[1]) if copy else ""


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
        catalog, _, _ = await asyncio.to_thread(_made, api, opened)
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


def _made(api: ApiConfig, opened: Opened, prepared: Prepared | None = None) -> Recalled:
    """To be called in a thread: it takes its time, and makes all digests."""
    if prepared is not None and (known := recalled(api, prepared)) is not None:
        return known
    catalog, places = describe_api(api, opened)
    return catalog, places, summary_of(api, catalog, places)


async def _load_api(api: ApiConfig, found: Found) -> Loaded:
    if found.opened is None or found.seen is None:
        return await _load_copy(api, found, found.fault)
    known = found.prepared if found.is_prepared else None
    try:
        built = await build_api(api, found.opened, found.seen.digest, prepared=known)
    except DescriptionError as fault:
        return await _load_copy(api, found, fault)
    if found.snapshot is not None and known is None:
        await keep_copy(api, found.shelf, found.snapshot)
    now = Prepared(seen=found.seen, opened=found.opened, summary=built.summary)
    return Loaded(
        config=api,
        source=found.source,
        shelf=found.shelf,
        catalog=built.catalog,
        upstream=built.upstream,
        digest=found.seen.digest,
        afterwards=for_next_start(found.shelf, known, now),
    )


async def _load_copy(api: ApiConfig, found: Found, fault: DescriptionError | None) -> Loaded:
    nothing = Loaded(config=api, source=found.source, shelf=found.shelf, fault=fault)
    try:
        copy = await _copy(found)
        if copy is None:
            return nothing
        digest, opened = copy
        known = found.prepared if found.prepared and opened is found.prepared.opened else None
        built = await build_api(api, opened, digest, prepared=known)
    except DescriptionError:  # what another version or configuration took for good
        return nothing
    return replace(nothing, catalog=built.catalog, upstream=built.upstream, digest=digest)
