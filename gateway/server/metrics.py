"""`GET /metrics`: what Prometheus reads."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from aiohttp import web

from gateway.errors import NotFound
from gateway.server.callers import caller_of
from gateway.server.provenance import is_forwarded

Render = Callable[[], Awaitable[bytes]]


class MetricsEndpoint:
    """`render` makes the text. Unless `is_public`, it is for admins and this machine alone."""

    def __init__(self, render: Render, *, content_type: str, is_public: bool) -> None:
        self._render = render
        self._headers = {"Content-Type": content_type, "Cache-Control": "no-store"}
        self._is_public = is_public

    async def show(self, request: web.Request) -> web.Response:
        """Raises NotFound for whom it is not for, as for every path that is not there."""
        if not (self._is_public or caller_of(request).admin or _is_near(request)):
            raise NotFound("Not found.")
        return web.Response(body=await self._render(), headers=self._headers)


def _is_near(request: web.Request) -> bool:
    """Whether the request comes from this machine itself, not through a proxy on it."""
    try:
        peer = ip_address(request.remote or "")
    except ValueError:
        return False
    return peer.is_loopback and not is_forwarded(request)
