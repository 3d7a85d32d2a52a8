"""What the server makes of an API that it does not know, for endpoints that are tested alone."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from gateway.errors import UnknownApi


@web.middleware
async def answer_unknown_apis(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except UnknownApi:
        return web.Response(status=404)
