"""What changes in the heads of a proxied exchange; bodies never pass through here."""

import re
from collections.abc import Iterable

from gateway.context import is_ocp_header
from gateway.errors import BadRequest, LoopDetected
from gateway.messages import (
    Headers,
    RequestHead,
    ResponseHead,
    end_to_end,
    has_dot_segment,
    header_values,
)
from gateway.upstreams import Upstream

# Claims about the client and its request that only a trusted proxy may make; none is trusted yet.
_UNTRUSTED = frozenset(
    {"forwarded", "x-real-ip", "x-original-url", "x-rewrite-url", "x-original-host", "via"}
)
# Host belongs to the connection that the client makes; its length to the framing.
_OWNED = frozenset({"host", "expect"})
_SANDBOX = (("Content-Security-Policy", "sandbox"), ("X-Content-Type-Options", "nosniff"))
_REPLACED = frozenset({"x-content-type-options", "service-worker-allowed"})
_COOKIE_SCOPE = re.compile(r";\s*(path|domain)\s*(=[^;]*)?(?=;|$)", re.IGNORECASE)


def check_path(path: str) -> None:
    """Refuse a raw path in which some server would see a dot segment (BadRequest)."""
    if has_dot_segment(path):
        raise BadRequest("the path has a dot segment")


def outbound_head(
    head: RequestHead, upstream: Upstream, ocp_headers: Headers, *, via: str
) -> RequestHead:
    """The head for the upstream of a caller's head whose target is below the API's base URL.

    What belongs to one connection is dropped first, what the gateway owns is added after, so that
    no `Connection` header can remove it (CVE-2021-32813, CVE-2024-45410). Raises LoopDetected.
    """
    if any(via in value for value in header_values(head.headers, "via")):
        raise LoopDetected("the request has been here before")
    kept = (pair for pair in end_to_end(head.headers) if not _is_owned(pair[0]))
    previous = header_values(head.headers, "via")
    return RequestHead(
        method=head.method,
        target=upstream.base_path + head.target,
        headers=(
            *_without(kept, (name for name, _ in upstream.headers)),
            *upstream.headers,
            ("Via", ", ".join((*previous, f"1.1 {via}"))),
            *ocp_headers,
        ),
    )


def inbound_head(head: ResponseHead, upstream: Upstream, context: Headers) -> ResponseHead:
    """The head for the caller: cookies confined to the API, pages sandboxed, context named."""
    kept = [
        (name, _confined(value, upstream.name) if name.lower() == "set-cookie" else value)
        for name, value in end_to_end(head.headers)
        if name.lower() not in _REPLACED and not is_ocp_header(name)
    ]
    return ResponseHead(status=head.status, headers=(*kept, *_SANDBOX, *context))


def passed_on(headers: Headers, upstream: Upstream) -> Headers:
    """Of a tool caller's headers those that the API's `forward_headers` names."""
    return tuple(
        (name, value)
        for name, value in end_to_end(headers)
        if name.lower() in upstream.forward_headers and not _is_owned(name)
    )


def _is_owned(name: str) -> bool:
    """Whether `name`, or an underscore twin that some servers fold into it, is not the caller's."""
    folded = name.lower().replace("_", "-")
    if folded.startswith("x-forwarded-") or is_ocp_header(folded):
        return True
    twin = folded != name.lower()
    return folded in _UNTRUSTED or folded in _OWNED or (twin and folded in _CREDENTIALS)


_CREDENTIALS = frozenset({"authorization", "cookie", "x-api-key", "content-length"})


def _without(headers: Iterable[tuple[str, str]], names: Iterable[str]) -> Headers:
    dropped = {name.lower() for name in names}
    return tuple(pair for pair in headers if pair[0].lower() not in dropped)


def _confined(cookie: str, api: str) -> str:
    return f"{_COOKIE_SCOPE.sub('', cookie)}; Path=/apis/{api}"
