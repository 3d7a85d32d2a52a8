"""`GET /admin/debug`: what the process is doing, for admins."""

from collections.abc import Callable, Mapping

from aiohttp import web

from gateway.errors import NotFound
from gateway.mcp import encode_json
from gateway.server.callers import caller_of


class DebugEndpoint:
    """`report` says what is going on: names, numbers and places in our own code."""

    def __init__(self, report: Callable[[], Mapping[str, object]]) -> None:
        self._report = report

    async def show(self, request: web.Request) -> web.Response:
        """Raises NotFound for everybody else, as for every path that is not there."""
        if not caller_of(request).admin:
            raise NotFound("Not found.")
        return web.Response(
            body=encode_json(self._report()),
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )
