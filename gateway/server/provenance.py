"""Where a request comes from: judged when somebody first wants to know, then kept with it."""

from aiohttp import web

from gateway import forwarding
from gateway.forwarding import Front, Provenance
from gateway.server.heads import headers_of

FRONT = web.AppKey("front", Front)
"""Where the application holds what stands in front of it."""
_PROVENANCE = web.RequestKey("provenance", Provenance)
_NOTHING_IN_FRONT = Front()


def provenance_of(request: web.Request) -> Provenance:
    """For logs and for APIs; nobody is let in for it."""
    provenance = request.get(_PROVENANCE)
    if provenance is None:
        front = request.app.get(FRONT, _NOTHING_IN_FRONT)
        peer = request.remote or ""
        host = (("Host", request.headers.get("Host", "")),)
        provenance = front.judge(headers_of(request) if front.trusts(peer) else host, peer)
        request[_PROVENANCE] = provenance
    return provenance


def own_url(request: web.Request) -> str:
    """The URL by which this caller reaches the root of the gateway; the guard has judged it."""
    found = provenance_of(request)
    return f"{found.scheme}://{found.host}{found.prefix}"


def is_forwarded(request: web.Request) -> bool:
    """Whether the request says that it has come through a proxy, believed or not."""
    return forwarding.is_forwarded(headers_of(request))
