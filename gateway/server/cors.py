"""What pages of accepted origins may do (Fetch, "CORS protocol").

The guard has judged the origin before; without these headers the page's own browser would keep the
answer, and an MCP session's id in it, from the page. Pages on loopback get them at the MCP
endpoints, those that the operator has named (`server.allowed_origins`) elsewhere, too. None of
them may send cookies along: whoever calls says so in a header.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from aiohttp import web

from gateway.server.guard import Guard

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_AGE_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a page may do at some endpoints; values of the headers that say so."""

    methods: str
    headers: str
    exposed: str
    parameters: bool = False


_MCP = Grant(
    methods="POST, GET, DELETE",
    headers=(
        "content-type, accept, authorization, x-api-key, mcp-session-id, mcp-protocol-version,"
        " mcp-method, mcp-name, last-event-id, ocp-context-id"
    ),
    exposed="mcp-session-id, www-authenticate, ocp-context-id",
    parameters=True,
)
_OWN = Grant(
    methods="GET, HEAD, POST, PATCH, DELETE",
    headers=(
        "content-type, accept, authorization, x-api-key, if-match, if-none-match, range,"
        " ocp-context-id, ocp-session, ocp-agent-type, ocp-current-goal, ocp-user, ocp-workspace,"
        " ocp-version, x-request-id, traceparent, tracestate"
    ),
    exposed=(
        "etag, location, retry-after, www-authenticate, content-range, accept-ranges,"
        " ocp-context-id, x-request-id"
    ),
)
# Only the API knows what it reads and says. `*` covers all but Authorization.
_APIS = Grant(
    methods="GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", headers="authorization, *", exposed="*"
)
_TOLERATED = {"/mcp": _MCP, "/sse": _MCP, "/messages": _MCP}
_LISTED = {"/tools": _OWN, "/results": _OWN, "/contexts": _OWN, "/apis": _APIS}

_ORIGIN = web.RequestKey("origin", str)
_GRANT = web.RequestKey("grant", Grant)
_VARIES = web.RequestKey("varies", bool)
_PARAMETER = "mcp-param-"


def make_page_middleware(guard: Guard) -> Callable[..., object]:
    """Answers the browser that asks first. Goes inside the guard, together with `let_read`."""

    @web.middleware
    async def serve_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
        place = "/" + request.path[1:].partition("/")[0]
        # A cache must not hand an answer without these headers to a page that may have them.
        request[_VARIES] = guard.lists_origins and place in _LISTED
        origin = request.headers.get("Origin", "")
        grant = _grant(guard, origin, place) if origin else None
        if grant is None:
            return await handler(request)
        request[_ORIGIN], request[_GRANT] = origin, grant
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return _preflight(request, grant)
        return await handler(request)

    return serve_pages


async def let_read(request: web.Request, response: web.StreamResponse) -> None:
    """Lets the page read what it is answered: a signal of `on_response_prepare`."""
    grant = request.get(_GRANT)
    if grant is not None:
        response.headers["Access-Control-Allow-Origin"] = request[_ORIGIN]
        response.headers["Access-Control-Expose-Headers"] = grant.exposed
    if grant is not None or request.get(_VARIES):
        response.headers.add("Vary", "Origin")


def _grant(guard: Guard, origin: str, place: str) -> Grant | None:
    if place in _TOLERATED:
        return _TOLERATED[place]
    return _LISTED.get(place) if guard.lists_origin(origin) else None


def _preflight(request: web.Request, grant: Grant) -> web.Response:
    asked = tuple(_parameters(request)) if grant.parameters else ()
    headers = {
        "Access-Control-Allow-Methods": grant.methods,
        "Access-Control-Allow-Headers": ", ".join((grant.headers, *asked)),
        "Access-Control-Max-Age": str(MAX_AGE_SECONDS),
    }
    # A public page that calls a gateway on the user's own network (Private Network Access).
    if request.headers.get("Access-Control-Request-Private-Network") == "true":
        headers["Access-Control-Allow-Private-Network"] = "true"
    return web.Response(status=204, headers=headers)


def _parameters(request: web.Request) -> Iterator[str]:
    """The headers of tool arguments: their names are the tools' own, so granted as asked for."""
    for part in request.headers.get("Access-Control-Request-Headers", "").lower().split(","):
        name = part.strip()
        if name.startswith(_PARAMETER) and name.replace("-", "").replace("_", "").isalnum():
            yield name
