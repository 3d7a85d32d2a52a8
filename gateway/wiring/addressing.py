"""Where an API is, and how much of the context may go there."""

import asyncio
import ipaddress
import socket

from gateway.config import ApiConfig
from gateway.errors import DescriptionError
from gateway.openapi import first_server
from gateway.sources import is_url
from gateway.upstreams import OcpHeaders, Upstream, split_base_url


async def find_upstream(
    api: ApiConfig, document: object, running: Upstream | None = None
) -> Upstream:
    """Where a named API is: its `base_url`, or what its parsed description says.

    `running` is the one that serves now. Raises DescriptionError where there is no address, or one
    of another origin than that of `running`.
    """
    origin, base_path = split_base_url(api.base_url or _described_server(api, document))
    if running is not None and origin != running.origin:
        raise DescriptionError(
            f"its servers lead elsewhere now; restart, or set base_url for {api.name}"
        )
    reach = running.ocp_headers if running else api.ocp_headers or await _reach(origin)
    return Upstream(
        name=api.name or "",
        origin=origin,
        base_path=base_path,
        headers=api.headers,
        forward_headers=api.forward_headers,
        ocp_headers=reach,
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
        raise DescriptionError(f"names no absolute server; set base_url for {api.name}")
    return found


async def _reach(origin: str) -> OcpHeaders:
    """`auto`: the whole context to loopback and private addresses, ids to public ones."""
    _, base = origin.split("://", 1)
    host = base.rsplit("@", 1)[-1]
    name = host[1 : host.index("]")] if host.startswith("[") else host.partition(":")[0]
    try:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # unknown, or no host name at all
        return OcpHeaders.IDS
    private = (ipaddress.ip_address(str(item[4][0]).partition("%")[0]).is_private for item in found)
    return OcpHeaders.FULL if all(private) else OcpHeaders.IDS
