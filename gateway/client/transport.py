"""The seam between what is done about failures and what talks HTTP."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from gateway.messages import Request, Response
from gateway.upstreams import Upstream


class Transport(Protocol):
    """Sends one request, once.

    Times out connecting and nothing else: whoever waits for a head or a chunk ends the wait by
    cancelling it. Raises BadRequest for what cannot be sent, UpstreamRefused and the other
    children of UpstreamUnreachable while nothing was sent, UpstreamLost when the connection ended
    before any byte of an answer, UpstreamError for anything else, and what a streamed body raises.
    Leaving the context manager before the body's end drops the connection.
    """

    def exchange(
        self, request: Request, upstream: Upstream
    ) -> AbstractAsyncContextManager[Response]: ...

    async def aclose(self) -> None: ...
