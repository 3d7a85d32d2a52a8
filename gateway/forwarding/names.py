"""Whose a header of a proxied exchange is, judged by its name alone."""

from enum import IntEnum
from functools import lru_cache

from gateway.context import is_ocp_header


class Owner(IntEnum):
    """Who may say what a request's header says."""

    CALLER = 0
    GATEWAY = 1  # or nobody: what the caller says of it stops here
    NAMED = 2  # the caller, where the operator has named it in `forward_headers`
    CREDENTIAL = 3  # the caller, as far as docs/proxy.md says


# RFC 9110 section 7.6.1, and what older intermediaries treat alike.
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"}
    | {"te", "trailer", "transfer-encoding", "upgrade", "http2-settings"}
)
# Host belongs to the connection that the client makes; `Proxy` becomes HTTP_PROXY in CGI
# (CVE-2016-5385).
_OURS = _HOP_BY_HOP | {"host", "expect", "via", "proxy"}
# Claims about the caller and its request that only what stands in front of an API may make. Of a
# trusted proxy's those of `Provenance` are believed, and leave as the gateway's own.
_CLAIMS = frozenset(
    {"forwarded", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip"}
    | {"cf-connecting-ip", "fastly-client-ip", "x-original-for", "x-envoy-external-address"}
    | {"x-original-url", "x-original-uri", "x-original-host", "x-original-proto"}
    | {"x-rewrite-url", "x-envoy-original-path", "x-http-host-override", "x-host"}
    | {"x-azure-clientip", "x-azure-socketip", "x-appengine-user-ip", "do-connecting-ip"}
    # Rack does with them as a server in front bids (CVE-2025-61780).
    | {"x-sendfile-type", "x-accel-mapping"}
)
# RFC 8586 section 2: `CDN-Loop` is passed on by everybody, or CDNs do not find their loops.
_TRACES = frozenset({"via", "cdn-loop"})
# What was judged as one method is carried out as another.
_METHODS = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
_CREDENTIALS = frozenset({"authorization", "cookie", "x-api-key", "content-length"})
_LONGEST_KEPT = 64


def fold(name: str) -> str:
    """The name that servers know which cannot tell `_` and `.` from `-` (CGI, WSGI, PHP)."""
    return name.lower().replace("_", "-").replace(".", "-")


def owner_of(name: str) -> Owner:
    """Whose a request's header is; a twin of a reserved name (`X_Forwarded_For`) is nobody's."""
    # The caller chooses the names: what is kept of them has to be small.
    return _kept_owner_of(name) if len(name) <= _LONGEST_KEPT else _judge(name)


def is_claim(name: str) -> bool:
    """Whether a header claims to know who sent the request, and to whom."""
    folded = fold(name)
    return folded in _CLAIMS or folded.startswith("x-forwarded")


def is_trace(name: str) -> bool:
    """Whether a header tells that the request has come through somebody."""
    return is_claim(name) or fold(name) in _TRACES


def _judge(name: str) -> Owner:
    folded = fold(name)
    if folded in _OURS or is_ocp_header(folded) or is_claim(folded):
        return Owner.GATEWAY
    if folded in _METHODS:
        return Owner.NAMED
    if folded != name.lower() and folded in _CREDENTIALS:
        return Owner.GATEWAY
    return Owner.CREDENTIAL if folded == "authorization" else Owner.CALLER


_kept_owner_of = lru_cache(maxsize=1_024)(_judge)
