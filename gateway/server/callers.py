"""Each request's caller: judged once, then known to every handler."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from gateway.errors import Unauthorized
from gateway.messages import Headers
from gateway.policy import OPEN_CALLER, Caller, Principal
from gateway.server.heads import CALLER, headers_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Authenticate = Callable[[Headers], Caller | None]

# They hold no data of anybody's; /metrics has a rule of its own.
_OPEN_PATHS = frozenset({"/", "/healthz", "/readyz", "/metrics"})


def make_caller_middleware(authenticate: Authenticate | None) -> Callable[..., object]:
    """Refuses whom `authenticate` does not know, but for open paths; None lets in everybody."""

    @web.middleware
    async def judge(request: web.Request, handler: Handler) -> web.StreamResponse:
        if authenticate is not None:
            caller = authenticate(headers_of(request))
            if caller is not None:
                request[CALLER] = caller
            elif request.path not in _OPEN_PATHS:
                raise Unauthorized("a key is needed: Authorization: Bearer KEY, or X-API-Key: KEY")
        return await handler(request)

    return judge


def caller_of(request: web.Request) -> Caller:
    """Who sent it; everybody is OPEN_CALLER where nobody is asked."""
    return request.get(CALLER) or OPEN_CALLER


def principal_of(request: web.Request) -> Principal:
    return caller_of(request).principal
