"""Where an API is, and how much of the context may go there."""

import asyncio
import ipaddress
import socket
from dataclasses import replace
from urllib.parse import urlsplit

from gateway.catalog import Placement, Places, described_scope, place_operations
from gateway.config import ApiConfig
from gateway.errors import DescriptionError
from gateway.openapi import Description
from gateway.sources import is_url
from gateway.upstreams import AddressScope, OcpHeaders, Upstream, split_base_url


def place_api(api: ApiConfig, description: Description) -> Placement:
    """Where the operations of a configured API are."""
    return place_operations(description, base_url=api.base_url, location=_location(api))


async def find_upstream(
    api: ApiConfig, places: Places, running: Upstream | None = None
) -> Upstream:
    """Where a named API is: its `base_url`, or what its description says.

    `running` is the one that serves now. Raises DescriptionError where there is no address, or one
    of an origin that `running` does not know.
    """
    if places.base_url is None:
        raise DescriptionError(f"names no absolute server to be used; set base_url for {api.name}")
    origin, base_path = split_base_url(places.base_url)
    near = await _is_near(origin)
    reach = running.ocp_headers if running else api.ocp_headers or _reach(near=near)
    upstream = Upstream(
        name=api.name or "",
        origin=origin,
        base_path=base_path,
        headers=api.headers,
        forward_headers=api.forward_headers,
        ocp_headers=reach,
        context_updates=api.context_updates,
        proxy=api.proxy,
        timeout_seconds=api.timeout_seconds,
        retries=api.retries,
        max_response_bytes=api.max_response_bytes,
        max_body_bytes=api.max_body_bytes,
        max_concurrency=api.max_concurrency,
        interaction=api.interaction,
        allow_html=api.allow_html,
        websocket=api.websocket,
        validates=api.validates,
        tls=api.tls,
        egress_proxy=api.egress_proxy.reveal() if api.egress_proxy else None,
        scope=await _scope(api, places.base_url),
    )
    others = AddressScope.NEAR if near else AddressScope.PUBLIC
    moved = {url: upstream.at(url, scope=others) for url in set(places.elsewhere.values())}
    found = replace(upstream, elsewhere={key: moved[url] for key, url in places.elsewhere.items()})
    _check_origins(found, running)
    return found


def _check_origins(upstream: Upstream, running: Upstream | None) -> None:
    """A reload may change what is called, and where on a server; never to whom calls go."""
    if running is None:
        return
    if upstream.origin != running.origin:
        raise DescriptionError(
            f"its servers lead elsewhere now; restart, or set base_url for {upstream.name}"
        )
    strange = sorted(upstream.origins - running.origins)
    if strange:
        raise DescriptionError(
            f"servers of its operations lead to {strange[0]}, which is new; "
            f"restart, or set base_url for {upstream.name}"
        )


def _location(api: ApiConfig) -> str | None:
    return api.spec if is_url(api.spec) else None


async def _scope(api: ApiConfig, base_url: str) -> AddressScope:
    """Where the API's own name may lead, each time that it is resolved."""
    if api.base_url is not None:
        return AddressScope.ANY
    location = _location(api)
    scope = described_scope(base_url, location)
    # A description from inside may name what is inside.
    if location and scope is AddressScope.PUBLIC and await _is_near(location):
        return AddressScope.NEAR
    return scope


def _reach(*, near: bool) -> OcpHeaders:
    """`auto`: the whole context to loopback and private addresses, ids to public ones."""
    return OcpHeaders.FULL if near else OcpHeaders.IDS


async def _is_near(url: str) -> bool:
    """Whether the URL's host is known, and at loopback and private addresses only."""
    try:
        name = urlsplit(url).hostname or ""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, ValueError):  # unknown, or no host name at all
        return False
    return all(ipaddress.ip_address(str(item[4][0]).partition("%")[0]).is_private for item in found)
