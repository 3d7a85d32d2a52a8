"""From the configured APIs to their catalogs and upstreams."""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.catalog import ApiCatalog, Catalog, read_catalog
from gateway.config import ApiConfig, Config, name_apis
from gateway.errors import DescriptionError
from gateway.openapi import first_server, read_description
from gateway.sources import is_url, load_document, shown
from gateway.upstreams import OcpHeaders, Upstream, split_base_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One API as far as it could be loaded: `fault` says why there is no catalog."""

    config: ApiConfig
    catalog: ApiCatalog | None = None
    upstream: Upstream | None = None
    fault: DescriptionError | None = None


async def load_catalog(config: Config) -> Catalog:
    """The catalog of every API. Raises DescriptionError when one of them is unusable."""
    named, documents = await _load_documents(config)
    results = await asyncio.gather(
        *(asyncio.to_thread(_catalog_of, api, documents[api.spec]) for api in named.apis)
    )
    return Catalog(results)


async def load_apis(config: Config) -> Sequence[Loaded]:
    """Every API with its catalog and upstream; one that fails does not stop the others."""
    named, documents = await _load_documents(config)
    return await asyncio.gather(*(_load_api(api, documents[api.spec]) for api in named.apis))


async def reload_api(api: ApiConfig) -> Loaded:
    """One named API, read anew."""
    return await _load_api(api, await _try_document(api.spec))


async def _load_documents(
    config: Config,
) -> tuple[Config, Mapping[str, object | DescriptionError]]:
    specs = list(dict.fromkeys(api.spec for api in config.apis))
    found = dict(zip(specs, await asyncio.gather(*map(_try_document, specs)), strict=True))
    unnamed = [api.spec for api in config.apis if api.name is None]
    for spec in unnamed:
        fault = found[spec]
        if isinstance(fault, DescriptionError):  # without a title it has not even a name
            raise fault
    return name_apis(config, {spec: _title(found[spec]) for spec in unnamed}), found


async def _try_document(spec: str) -> object | DescriptionError:
    try:
        return await load_document(spec)
    except DescriptionError as error:
        return error


def _title(document: object) -> str:
    info = document.get("info") if isinstance(document, dict) else None
    title = info.get("title") if isinstance(info, dict) else None
    return title if isinstance(title, str) else ""


def _catalog_of(api: ApiConfig, document: object) -> ApiCatalog:
    if isinstance(document, DescriptionError):
        raise document
    try:
        catalog = read_catalog(read_description(document, api=api.name or ""))
    except DescriptionError as error:
        raise DescriptionError(f"{shown(api.spec)}: {error}") from error
    # Digests and schemas are made here, in a thread, not by the first caller.
    for tool in catalog.tools.values():
        _ = tool.digest
    return catalog


async def _load_api(api: ApiConfig, document: object) -> Loaded:
    try:
        catalog = await asyncio.to_thread(_catalog_of, api, document)
        upstream = await _upstream_of(api, document)
    except DescriptionError as error:
        return Loaded(config=api, fault=error)
    return Loaded(config=api, catalog=catalog, upstream=upstream)


async def _upstream_of(api: ApiConfig, document: object) -> Upstream:
    origin, base_path = split_base_url(api.base_url or _described_server(api, document))
    return Upstream(
        name=api.name or "",
        origin=origin,
        base_path=base_path,
        headers=api.headers,
        forward_headers=api.forward_headers,
        ocp_headers=api.ocp_headers or await _reach(origin),
        proxy=api.proxy,
        timeout_seconds=api.timeout_seconds,
        retries=api.retries,
        max_response_bytes=api.max_response_bytes,
        max_body_bytes=api.max_body_bytes,
    )


def _described_server(api: ApiConfig, document: object) -> str:
    servers = document.get("servers") if isinstance(document, dict) else None
    entries = [s for s in servers if isinstance(s, dict)] if isinstance(servers, list) else []
    # OpenAPI 3.1 section 4.8.1.1: no servers means one at `/`, relative to the description.
    location = api.spec if is_url(api.spec) else None
    found = first_server(entries or [{"url": "/"}], location=location)
    if found is None:
        raise DescriptionError(
            f"{shown(api.spec)}: names no absolute server; set base_url for {api.name}"
        )
    return found


async def _reach(origin: str) -> OcpHeaders:
    """`auto`: the whole context to loopback and private addresses, ids to public ones."""
    _, base = origin.split("://", 1)
    host = base.rsplit("@", 1)[-1]
    name = host[1 : host.index("]")] if host.startswith("[") else host.partition(":")[0]
    try:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return OcpHeaders.IDS
    private = (ipaddress.ip_address(str(item[4][0]).partition("%")[0]).is_private for item in found)
    return OcpHeaders.FULL if all(private) else OcpHeaders.IDS
