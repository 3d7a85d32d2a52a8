"""Who may talk to us at all: Host and Origin, judged before anything else.

A page in some browser may resolve its own name to our loopback address (DNS rebinding); the Host
header then still carries that name, and the Origin header says whose page it is.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlsplit

from aiohttp import web

from gateway.server.problems import problem
from gateway.server.provenance import provenance_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_OPEN_PATHS = frozenset({"/healthz", "/readyz"})
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::([0-9]{1,5}))?")
_REFUSED_METHODS = frozenset({"CONNECT", "TRACE"})
_ALLOW = {"Allow": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"}


class Guard:
    """The names under which this server may be addressed."""

    def __init__(
        self, *, names: Iterable[str], public_url: str | None, origins: Iterable[str] = ()
    ) -> None:
        """`names`: host names with or without a port; with one, that port only.

        `origins`: of pages that may call besides those on loopback.
        """
        self._names = _LOOPBACK | {_bracketed(name.lower()) for name in names}
        self._listed = frozenset(origin.lower() for origin in origins)
        self._origins = self._listed
        if public_url:
            public = urlsplit(public_url)
            self._names |= {public.netloc.lower()}
            self._origins |= {f"{public.scheme}://{public.netloc}".lower()}

    def adopt(self, other: "Guard") -> None:
        """From now on judges as `other` does."""
        # Another of its kind: what is private is private to the class.
        self._names, self._listed = other._names, other._listed  # noqa: SLF001
        self._origins = other._origins  # noqa: SLF001

    def accepts_host(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None or int(match[2] or 0) > 65_535:
            return False
        return match[1].lower() in self._names or host.lower() in self._names

    def accepts_origin(self, origin: str) -> bool:
        """A page's origin (RFC 6454): ours, one of the operator's, or any on loopback."""
        if origin.lower() in self._origins:
            return True
        scheme, separator, host = origin.partition("://")
        match = _HOST.fullmatch(host)
        is_http = separator and scheme.lower() in ("http", "https")
        return bool(is_http and match and match[1].lower() in _LOOPBACK)

    @property
    def lists_origins(self) -> bool:
        """Whether the operator has named any."""
        return bool(self._listed)

    def lists_origin(self, origin: str) -> bool:
        """Whether the operator has named the origin: its pages are more than tolerated."""
        return origin.lower() in self._listed


def _bracketed(name: str) -> str:
    """An IPv6 address as the Host header writes it (RFC 3986 section 3.2.2)."""
    return f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name


def make_guard_middleware(guard: Guard) -> Callable[..., object]:
    """Refuse foreign Host (421) and Origin (403), and CONNECT and TRACE (405)."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method in _REFUSED_METHODS:
            return problem(
                status=405,
                code="method_not_allowed",
                title="Method not allowed",
                detail=f"{request.method} is never served.",
                headers=_ALLOW,
            )
        # As it was sent: yarl would resolve dots, and `/healthz/../mcp` is no probe.
        if request.raw_path.partition("?")[0] not in _OPEN_PATHS:
            refusal = _refuse(guard, request)
            if refusal is not None:
                return refusal
        return await handler(request)

    return check


def _refuse(guard: Guard, request: web.Request) -> web.Response | None:
    hosts = request.headers.getall("Host", [])
    # A proxy that we trust names the client's own, which gets no further than any other.
    asked = provenance_of(request).host
    if len(hosts) != 1 or not all(map(guard.accepts_host, {hosts[0], asked})):
        return problem(
            status=421,
            code="misdirected_request",
            title="Misdirected request",
            detail="This server does not answer to that Host.",
        )
    origins = request.headers.getall("Origin", [])
    if origins and (len(origins) > 1 or not guard.accepts_origin(origins[0])):
        return problem(
            status=403,
            code="origin_not_allowed",
            title="Origin not allowed",
            detail="Pages of that origin may not call this server.",
        )
    return None
