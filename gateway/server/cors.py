"""What pages of accepted origins may do at the MCP endpoints (Fetch, "CORS protocol").

The guard has judged the origin before; without these headers the page's own browser would keep the
answer, and the session id in it, from the page.
"""

from collections.abc import Awaitable, Callable, Iterator

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_PATHS = ("/mcp", "/sse", "/messages")
_ORIGIN = web.RequestKey("origin", str)
_EXPOSED = "mcp-session-id, www-authenticate, ocp-context-id"
_REQUEST_HEADERS = (
    *("content-type", "accept", "authorization", "x-api-key", "mcp-session-id"),
    *("mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id", "ocp-context-id"),
)
_PARAMETER = "mcp-param-"


@web.middleware
async def serve_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers the browser that asks first. Goes inside the guard, together with `let_read`."""
    origin = request.headers.get("Origin")
    if origin is None or not _is_ours(request.path):
        return await handler(request)
    request[_ORIGIN] = origin
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        return _preflight(request)
    return await handler(request)


async def let_read(request: web.Request, response: web.StreamResponse) -> None:
    """Lets the page read what it is answered: a signal of `on_response_prepare`."""
    origin = request.get(_ORIGIN)
    if origin is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        response.headers.add("Vary", "Origin")


def _preflight(request: web.Request) -> web.Response:
    granted = ", ".join((*_REQUEST_HEADERS, *_parameters(request)))
    return web.Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "POST, GET, DELETE",
            "Access-Control-Allow-Headers": granted,
            "Access-Control-Max-Age": "600",
        },
    )


def _parameters(request: web.Request) -> Iterator[str]:
    """The headers of tool arguments: their names are the tools' own, so granted as asked for."""
    for part in request.headers.get("Access-Control-Request-Headers", "").lower().split(","):
        name = part.strip()
        if name.startswith(_PARAMETER) and name.replace("-", "").replace("_", "").isalnum():
            yield name


def _is_ours(path: str) -> bool:
    return path in _PATHS or path.startswith(tuple(f"{own}/" for own in _PATHS))
