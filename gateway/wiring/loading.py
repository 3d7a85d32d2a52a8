"""From the configured APIs to their catalogs and upstreams."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.catalog import ApiCatalog, Catalog, read_catalog
from gateway.config import ApiConfig, Config, name_apis
from gateway.errors import DescriptionError
from gateway.messages import Headers, as_utf8
from gateway.openapi import read_description
from gateway.sources import LastGood, Snapshot, Source, parse, shown
from gateway.upstreams import Upstream
from gateway.wiring.addressing import find_upstream

_LOG = logging.getLogger("gateway")


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
class _Found:
    """What an API's source holds at start: a text and its value, or a fault. `title` may be ""."""

    source: Source
    last_good: LastGood | None
    snapshot: Snapshot | None = None
    document: object = None
    title: str = ""
    fault: DescriptionError | None = None


async def load_catalog(config: Config) -> Catalog:
    """The catalog of every API. Raises DescriptionError when one of them is unusable."""
    named, found = await _find_all(config, cache=None)
    return Catalog(await asyncio.gather(*map(_catalog_or_fault, named.apis, found)))


async def load_apis(config: Config) -> Sequence[Loaded]:
    """Every API with its catalog and upstream; one that fails does not stop the others."""
    named, found = await _find_all(config, config.cache)
    return await asyncio.gather(*map(_load_api, named.apis, found))


async def build_api(
    api: ApiConfig, document: object, running: Upstream | None = None
) -> tuple[ApiCatalog, Upstream]:
    """What a named API's parsed description gives. Raises DescriptionError.

    Where the API is served already, `running` keeps its origin: a description may change what is
    called there, never who is called.
    """
    catalog = await asyncio.to_thread(_catalog_of, api, document)
    return catalog, await find_upstream(api, document, running)


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


async def _find_all(config: Config, cache: Path | None) -> tuple[Config, Sequence[_Found]]:
    found = await asyncio.gather(*(_find(api, cache) for api in config.apis))
    pairs = zip(config.apis, found, strict=True)
    return name_apis(config, {api.spec: it.title for api, it in pairs if api.name is None}), found


async def _find(api: ApiConfig, cache: Path | None) -> _Found:
    source = Source(api.spec, headers=lambda: _spec_headers(api))
    last_good = LastGood(cache, api=api.name or "", location=api.spec) if cache else None
    try:
        snapshot = await source.read()
        document = await _parsed(snapshot)
    except DescriptionError as fault:
        title = "" if api.name else await _title_of_copy(last_good)
        if not api.name and not title:  # without a title it has not even a name
            raise DescriptionError(located(api, fault)) from fault
        return _Found(source=source, last_good=last_good, title=title, fault=fault)
    return _Found(
        source=source,
        last_good=last_good,
        snapshot=snapshot,
        document=document,
        title=_title(document),
    )


def _spec_headers(api: ApiConfig) -> Headers:
    return tuple((name, as_utf8(secret.reveal())) for name, secret in api.spec_headers)


async def _parsed(snapshot: Snapshot | None) -> object:
    return await asyncio.to_thread(parse, snapshot.data) if snapshot else None


async def _copy(last_good: LastGood | None) -> Snapshot | None:
    return await asyncio.to_thread(last_good.find) if last_good else None


async def _title_of_copy(last_good: LastGood | None) -> str:
    return _title(await _parsed(await _copy(last_good)))


def _title(document: object) -> str:
    info = document.get("info") if isinstance(document, dict) else None
    title = info.get("title") if isinstance(info, dict) else None
    return title if isinstance(title, str) else ""


async def _catalog_or_fault(api: ApiConfig, found: _Found) -> ApiCatalog:
    try:
        if found.fault is not None:
            raise found.fault
        return await asyncio.to_thread(_catalog_of, api, found.document)
    except DescriptionError as fault:
        raise DescriptionError(located(api, fault)) from fault


def _catalog_of(api: ApiConfig, document: object) -> ApiCatalog:
    catalog = read_catalog(read_description(document, api=api.name or ""))
    # Digests and schemas are made here, in a thread, not by the first caller.
    for tool in catalog.tools.values():
        _ = tool.digest
    return catalog


async def _load_api(api: ApiConfig, found: _Found) -> Loaded:
    if found.fault is not None or found.snapshot is None:
        return await _load_copy(api, found, found.fault)
    try:
        catalog, upstream = await build_api(api, found.document)
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


async def _load_copy(api: ApiConfig, found: _Found, fault: DescriptionError | None) -> Loaded:
    nothing = Loaded(config=api, source=found.source, last_good=found.last_good, fault=fault)
    snapshot = await _copy(found.last_good)
    if snapshot is None:
        return nothing
    try:
        catalog, upstream = await build_api(api, await _parsed(snapshot))
    except DescriptionError:  # what another version or configuration took for good
        return nothing
    return replace(nothing, catalog=catalog, upstream=upstream, digest=snapshot.digest)
