"""What changes in the head of an API's answer on its way to the caller."""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from functools import lru_cache

from gateway.context import is_ocp_header
from gateway.forwarding.provenance import Provenance
from gateway.forwarding.references import Place, place_of
from gateway.forwarding.requests import mount_of
from gateway.messages import Headers, RequestHead, ResponseHead, end_to_end
from gateway.upstreams import Upstream

_SANDBOX = (("Content-Security-Policy", "sandbox"), ("X-Content-Type-Options", "nosniff"))
# With these an API would speak for the whole origin that it shares with the gateway and with the
# APIs beside it.
_SPEAKS_FOR_ALL = frozenset(
    {"service-worker-allowed", "clear-site-data", "strict-transport-security", "public-key-pins"}
    | {"nel", "report-to", "reporting-endpoints", "x-content-type-options"}
)
# Orders to a proxy in front of us: to serve its own files, or to go elsewhere (RFC 7838).
_ORDERS = frozenset(
    {"x-accel-redirect", "x-accel-limit-rate", "x-accel-charset", "x-accel-expires"}
    | {"x-sendfile", "x-lighttpd-send-file", "x-reproxy-url", "alt-svc"}
)
_COOKIE_SCOPE = re.compile(r";\s*(path|domain)\s*(=[^;]*)?(?=;|$)", re.IGNORECASE)
_REFERENCES: Mapping[str, Callable[[Place, str], str]] = {
    "location": Place.translate,
    "content-location": Place.translate,
    "refresh": Place.translate_refresh,
    "link": Place.translate_links,
}
_COOKIE = "set-cookie"
_BUFFERING = "X-Accel-Buffering"
_EVENTS = "text/event-stream"
_LONGEST_KEPT = 64


class _Fate(IntEnum):
    PASSES = 0
    STOPS = 1
    STOPS_UNLESS_TRUSTED = 2
    IS_MOVED = 3


def inbound_head(
    head: ResponseHead,
    upstream: Upstream,
    context: Headers,
    *,
    request: RequestHead,
    provenance: Provenance,
) -> ResponseHead:
    """The head for the caller of an answer to `request`, as it was sent to the upstream.

    Cookies are confined to the API, references lead back here, pages are sandboxed.
    """
    pages = () if upstream.allow_html else _SANDBOX
    mount = provenance.prefix + mount_of(upstream)
    kept = []
    for pair in end_to_end(head.headers):
        fate = _fate_of(pair[0])
        if fate is _Fate.IS_MOVED:
            asked, gateway = upstream.origin + request.target, provenance.host.lower()
            place = place_of(upstream, asked, mount=mount, gateway=gateway)
            kept.append((pair[0], _moved(pair[0].lower(), pair[1], place)))
        elif fate is _Fate.PASSES or (fate is not _Fate.STOPS and upstream.allow_html):
            kept.append(pair)
    return ResponseHead(status=head.status, headers=(*kept, *pages, *_unbuffered(kept), *context))


def _moved(name: str, value: str, place: Place) -> str:
    """The value as it has to be where callers see it; `name` is lower-case."""
    if name == _COOKIE:
        return f"{_COOKIE_SCOPE.sub('', value)}; Path={place.mount}"
    return _REFERENCES[name](place, value)


def _unbuffered(headers: Iterable[tuple[str, str]]) -> Headers:
    """Events are worth nothing once a proxy in front has gathered a buffer full of them."""
    types = [value for name, value in headers if name.lower() == "content-type"]
    if not types or not types[0].lower().startswith(_EVENTS):
        return ()
    is_said = any(name.lower() == _BUFFERING.lower() for name, _ in headers)
    return () if is_said else ((_BUFFERING, "no"),)


def _fate_of(name: str) -> _Fate:
    return _kept_fate_of(name) if len(name) <= _LONGEST_KEPT else _judge(name)


def _judge(name: str) -> _Fate:
    """Which pages may read answers (`Access-Control-*`) is the gateway's own rule."""
    name = name.lower()
    if is_ocp_header(name) or name in _ORDERS or name.startswith("access-control-"):
        return _Fate.STOPS
    if name in _SPEAKS_FOR_ALL:
        return _Fate.STOPS_UNLESS_TRUSTED
    return _Fate.IS_MOVED if name == _COOKIE or name in _REFERENCES else _Fate.PASSES


_kept_fate_of = lru_cache(maxsize=1_024)(_judge)
