"""Upstreams that cannot take `OCP-Session`: found out once, remembered, spared from then on.

A server may bound its header lines far below 8 KB (nginx: large_client_header_buffers) and then
answers 400 or 431. One more attempt without the session tells whether that was the reason.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from gateway.context import without_session
from gateway.interfaces import UpstreamClient
from gateway.messages import Headers, Request, Response, header
from gateway.upstreams import Upstream

_LOG = logging.getLogger(__name__)

_BAD_REQUEST, _FIELDS_TOO_LARGE = 400, 431
_REFUSALS = frozenset({_BAD_REQUEST, _FIELDS_TOO_LARGE})
# RFC 9110 section 9.2.2.
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})


class SessionRefusals:
    """What each API has shown of how it takes the header, since the process has started."""

    def __init__(self, client: UpstreamClient) -> None:
        self._client = client
        self._refusing: set[str] = set()
        # The longest session that an API has answered well: one so long needs no second attempt.
        self._taken: dict[str, int] = {}

    def spare(self, upstream: Upstream, headers: Headers) -> Headers:
        """The context's headers as this API can take them."""
        return without_session(headers) if upstream.name in self._refusing else headers

    @asynccontextmanager
    async def exchange(
        self, request: Request, upstream: Upstream, *, deadline: float | None
    ) -> AsyncIterator[Response]:
        """As UpstreamClient.send; a refusal of the session is answered by doing without."""
        session = header(request.head.headers, "ocp-session")
        if session is None:
            async with self._client.send(request, upstream, deadline=deadline) as response:
                yield response
            return
        async with self._client.send(request, upstream, deadline=deadline) as response:
            status = response.head.status
            if not self._is_suspect(status, upstream, len(session)):
                yield response
                return
            if status == _FIELDS_TOO_LARGE:
                self._remember(upstream)
            if not _may_repeat(request):
                yield response
                return
        bare = replace(request.head, headers=without_session(request.head.headers))
        again = replace(request, head=bare)
        async with self._client.send(again, upstream, deadline=deadline) as response:
            if response.head.status not in _REFUSALS:
                self._remember(upstream)
            yield response

    def _is_suspect(self, status: int, upstream: Upstream, length: int) -> bool:
        """Whether the session may be why the API answers this."""
        known = self._taken.get(upstream.name, 0)
        if status in _REFUSALS:
            return length > known
        self._taken[upstream.name] = max(known, length)
        return False

    def _remember(self, upstream: Upstream) -> None:
        if upstream.name not in self._refusing:
            self._refusing.add(upstream.name)
            _LOG.warning(
                "%s refuses OCP-Session; from now on it is called without (ocp_headers: ids says"
                " so for good)",
                upstream.name,
            )


def _may_repeat(request: Request) -> bool:
    return request.head.method in _IDEMPOTENT and isinstance(request.body, bytes | None)
