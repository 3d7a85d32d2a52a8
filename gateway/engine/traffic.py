"""Proxied traffic compared with the description of its operation, as far as the API asks for it."""

from gateway.catalog import Tool
from gateway.messages import Request, Response
from gateway.upstreams import Upstream


class Traffic:
    """Both directions of every proxied exchange pass here."""

    async def admit(self, request: Request, tool: Tool | None, upstream: Upstream) -> Request:
        """The request as it may be sent."""
        return request

    async def release(
        self, request: Request, response: Response, tool: Tool | None, upstream: Upstream
    ) -> Response:
        """The answer as the caller may have it."""
        return response
