"""What changes in the head of a request on its way to an API."""

from gateway.errors import BadRequest, LoopDetected
from gateway.forwarding.names import Owner, fold, owner_of
from gateway.forwarding.provenance import Provenance
from gateway.messages import (
    Headers,
    RequestHead,
    end_to_end,
    has_dot_segment,
    header_values,
)
from gateway.upstreams import ProxyReach, Upstream

MARK = "ocp-gateway-"
"""What the names of gateways in `Via` begin with."""
MAX_GATEWAYS = 8
"""Gateways that one request may pass; a loop over many replicas meets each of them once."""


def check_path(path: str) -> None:
    """Refuse a raw path in which some server would see a dot segment (BadRequest)."""
    if has_dot_segment(path):
        raise BadRequest("the path has a dot segment")


def outbound_head(
    head: RequestHead,
    upstream: Upstream,
    ocp_headers: Headers,
    *,
    via: str,
    provenance: Provenance,
    is_open: bool,
) -> RequestHead:
    """The head for the upstream of a caller's head whose target is below the API's base URL.

    What belongs to one connection is dropped first, what the gateway owns is added after, so that
    no `Connection` header can remove it (CVE-2021-32813, CVE-2024-45410). `is_open`: callers do not
    have to say who they are, so what they say so with is meant for the API. Raises LoopDetected.
    """
    passed = header_values(head.headers, "via")
    _check_loop(passed, via)
    configured = frozenset([fold(name) for name, _ in upstream.headers])
    claims = provenance.claims(mount_of(upstream))
    return RequestHead(
        method=head.method,
        target=upstream.base_path + head.target,
        headers=(
            *_callers(head.headers, upstream, configured, is_open=is_open),
            *(pair for pair in claims if pair[0].lower() not in configured),
            *upstream.headers,
            ("Via", ", ".join((*passed, f"1.1 {via}"))),
            *ocp_headers,
        ),
    )


def mount_of(upstream: Upstream) -> str:
    """The path under which the API is proxied."""
    return f"/apis/{upstream.name}"


def passed_on(headers: Headers, upstream: Upstream) -> Headers:
    """Of a tool caller's headers those that the API's `forward_headers` names."""
    named = upstream.forward_headers
    if not named:
        return ()
    return tuple(
        (name, value)
        for name, value in end_to_end(headers)
        if name.lower() in named and owner_of(name) is not Owner.GATEWAY
    )


def _callers(
    headers: Headers, upstream: Upstream, configured: frozenset[str], *, is_open: bool
) -> list[tuple[str, str]]:
    """What is left of the caller's own headers."""
    free = {Owner.CALLER}
    if is_open:
        free.add(Owner.CREDENTIAL)
    if upstream.proxy is ProxyReach.ANY:
        free.add(Owner.NAMED)
    hops = _hops(headers)
    kept = []
    for pair in headers:
        owner = owner_of(pair[0])
        if owner is Owner.GATEWAY or (configured and fold(pair[0]) in configured):
            continue
        if owner not in free and pair[0].lower() not in upstream.forward_headers:
            continue
        if not hops or pair[0].lower() not in hops:
            kept.append(pair)
    return kept


def _hops(headers: Headers) -> frozenset[str]:
    """The headers that `Connection` names: they are for the next hop only."""
    values = header_values(headers, "connection")
    return frozenset([token.strip().lower() for value in values for token in value.split(",")])


def _check_loop(passed: tuple[str, ...], via: str) -> None:
    text = ",".join(passed)
    if via in text or text.count(MARK) >= MAX_GATEWAYS:
        raise LoopDetected("the request has been here before")
