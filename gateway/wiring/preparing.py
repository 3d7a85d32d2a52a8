"""Starts that neither parse a description nor read its operations: what the last one kept.

Catalogs are the same, however they were made; what is kept serves only where everything that they
are made of is as it was: the texts, the API's settings, and the program.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TypedDict, cast

import jsonschema_rs
import orjson
import yaml
import yaml_rs

import gateway
from gateway.catalog import ApiCatalog, CatalogSummary, Places, recall, summarise
from gateway.config import ApiConfig
from gateway.errors import DescriptionError
from gateway.sources import LastGood, Prepared, PreparedFile, Snapshot, Source

# What descriptions are parsed, read, judged and published with.
_ROOMS = ("catalog", "dialects", "mcp", "openapi", "server", "sources", "wiring")
_LIBRARIES = (jsonschema_rs, orjson, yaml, yaml_rs)


class _Summary(TypedDict):
    settings: str
    base_url: str | None
    elsewhere: Sequence[tuple[str, str, str]]
    catalog: CatalogSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where one API's description is kept on disk."""

    last_good: LastGood
    prepared: PreparedFile


def shelf_of(cache: Path, api: ApiConfig, source: Source) -> Shelf:
    """The place of one API and its description in the directory `cache`."""
    name, place = api.name or "", source.place
    names = (name, api.spec, *api.overlays)
    return Shelf(
        last_good=LastGood(cache, api=name, location=api.spec, place=place),
        prepared=PreparedFile(cache, names=names, place=place, program=_program()),
    )


def origin_of(api: ApiConfig, digest: str) -> str:
    """What tells this API's catalog from others, if it is made of the texts of this digest."""
    return f"{digest} {_settings(api)} {_program()}"


def summary_of(api: ApiConfig, catalog: ApiCatalog, places: Places) -> dict[str, object]:
    """What `recalled` needs beside the document, as JSON."""
    summary = _Summary(
        settings=_settings(api),
        base_url=places.base_url,
        elsewhere=[(method, path, url) for (method, path), url in places.elsewhere.items()],
        catalog=summarise(catalog),
    )
    return {**summary}


Recalled = tuple[ApiCatalog, Places, Mapping[str, object]]
"""A catalog, where its operations are, and the summary of both."""


def recalled(api: ApiConfig, prepared: Prepared) -> Recalled | None:
    """The catalog that was kept for a named API; None if its settings were others."""
    summary = cast("_Summary", prepared.summary)
    if summary["settings"] != _settings(api):
        return None
    try:
        catalog = recall(
            summary["catalog"],
            prepared.opened.document,
            api=api.name or "",
            overrides=api.tools,
        )
    except (DescriptionError, KeyError, TypeError, ValueError):
        return None
    elsewhere = {(method, path): url for method, path, url in summary["elsewhere"]}
    return catalog, Places(base_url=summary["base_url"], elsewhere=elsewhere), prepared.summary


async def read_source(
    source: Source, prepared: Prepared | None, shelf: Shelf | None
) -> tuple[Snapshot | None, bool]:
    """What the source holds, and whether `prepared` was made of just that.

    Nothing is read of files that look as they did. Raises DescriptionError.
    """
    if prepared is None or shelf is None:
        return await source.read(), False
    seen = prepared.seen
    # Of several texts a server says one by one that they are as they were: they have to be there.
    copy = None if seen.are_one else await asyncio.to_thread(shelf.last_good.find)
    if seen.are_one or (copy is not None and copy.digest == seen.digest):
        source.resume(seen, copy.texts if copy else None)
    if await source.is_as(seen):
        return None, True
    try:
        snapshot = await source.read()
    except DescriptionError:
        # What serves instead may be another text than the one that was seen.
        source.forget()
        raise
    return snapshot, snapshot is None or snapshot.digest == seen.digest


def for_next_start(
    shelf: Shelf | None, last: Prepared | None, now: Prepared
) -> Callable[[], None] | None:
    """What is to be written where `last` is kept and `now` is to be found; None for nothing.

    It takes its time, and raises OSError or ValueError.
    """
    if shelf is None:
        return None
    if last is None or last.summary != now.summary:
        return partial(shelf.prepared.keep, now)
    return partial(shelf.prepared.see, now.seen) if last.seen != now.seen else None


def _settings(api: ApiConfig) -> str:
    """A digest of an API's settings, but for those that only say what is sent with requests.

    Most of them do not matter here, but a new one that does cannot be forgotten.
    """
    shaping = replace(api, headers=(), spec_headers=(), forward_headers=frozenset())
    return sha256(repr(shaping).encode(errors="surrogateescape")).hexdigest()


@cache
def _program() -> str:
    """A digest of what makes catalogs here: the gateway's own files, its Python, its parsers.

    By size and time, which costs a millisecond; a version number says nothing in a checkout.
    """
    home = Path(gateway.__file__).parent
    files = sorted(file for room in _ROOMS for file in (home / room).rglob("*.py"))
    files += [Path(library.__file__ or "") for library in _LIBRARIES]
    whole = sha256(f"{gateway.__version__} {sys.version}".encode())
    for file in files:
        found = file.stat()
        whole.update(f"{str(file)!r} {found.st_size} {found.st_mtime_ns}\n".encode())
    return whole.hexdigest()
