"""Upstreams that cannot take `OCP-Session`: found out once, remembered, spared for a while.

A server may bound its header lines far below 8 KB (nginx: large_client_header_buffers) and then
answers 400 or 431. One more attempt without the session tells whether that was the reason.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from gateway.context import without_session
from gateway.errors import UpstreamError
from gateway.interfaces import UpstreamClient
from gateway.messages import IDEMPOTENT, Headers, Request, Response, header
from gateway.upstreams import Upstream

_LOG = logging.getLogger(__name__)

REMEMBERED_SECONDS = 3_600.0
"""An API is redeployed now and then, and whoever is wrong about one is so for this long."""
_BAD_REQUEST, _FIELDS_TOO_LARGE = 400, 431
_REFUSALS = frozenset({_BAD_REQUEST, _FIELDS_TOO_LARGE})
_ORDINARY_BYTES = 4_096
# Of an attempt that got no further than this nothing is learnt.
_NO_VERDICT = frozenset({408, 425, 429})


class SessionRefusals:
    """What each API has shown lately of how it takes the header."""

    def __init__(self, client: UpstreamClient, monotonic: Callable[[], float]) -> None:
        """`monotonic` counts seconds, and deadlines are times by it."""
        self._client = client
        self._monotonic = monotonic
        self._spared_until: dict[str, float] = {}
        # The longest session that was not the reason for an answer, and until when that counts.
        self._taken: dict[str, tuple[int, float]] = {}

    def spare(self, upstream: Upstream, headers: Headers) -> Headers:
        """The context's headers as this API can take them."""
        spared = self._spared_until.get(upstream.name, float("-inf")) > self._monotonic()
        return without_session(headers) if spared else headers

    @asynccontextmanager
    async def exchange(
        self, request: Request, upstream: Upstream, *, deadline: float | None
    ) -> AsyncIterator[Response]:
        """As UpstreamClient.send; a refusal of the session is answered by doing without."""
        send = self._client.send
        async with AsyncExitStack() as refusal, AsyncExitStack() as answers:
            first = await refusal.enter_async_context(send(request, upstream, deadline=deadline))
            if not self._is_worth_another(request, first, upstream, deadline):
                yield first
                return
            bare = replace(request.head, headers=without_session(request.head.headers))
            again = send(replace(request, head=bare), upstream, deadline=deadline)
            try:
                second = await answers.enter_async_context(again)
            except UpstreamError:
                second = first  # which was an answer after all
            else:
                # Or its connection would be held for as long as the other's body streams.
                await refusal.aclose()
                self._learn(request, second.head.status, upstream)
            yield second

    def _is_worth_another(
        self, request: Request, response: Response, upstream: Upstream, deadline: float | None
    ) -> bool:
        session = header(request.head.headers, "ocp-session")
        if session is None:
            return False
        if response.head.status not in _REFUSALS:
            self._has_taken(session, upstream)
            return False
        if response.head.status == _BAD_REQUEST and len(session) <= self._longest(upstream):
            return False
        if _may_repeat(request):
            return deadline is None or deadline - self._monotonic() > upstream.timeout_seconds / 2
        if response.head.status == _FIELDS_TOO_LARGE and _is_ordinary(request):
            self._spare_from_now_on(upstream)
        return False

    def _learn(self, request: Request, status: int, upstream: Upstream) -> None:
        """What the answer to the attempt without the session says about the session."""
        session = header(request.head.headers, "ocp-session") or ""
        if status in _REFUSALS:
            self._has_taken(session, upstream)
        elif status < 500 and status not in _NO_VERDICT and _is_ordinary(request):
            self._spare_from_now_on(upstream)

    def _longest(self, upstream: Upstream) -> int:
        length, until = self._taken.get(upstream.name, (0, float("-inf")))
        return length if until > self._monotonic() else 0

    def _has_taken(self, session: str, upstream: Upstream) -> None:
        longest = max(len(session), self._longest(upstream))
        self._taken[upstream.name] = (longest, self._monotonic() + REMEMBERED_SECONDS)

    def _spare_from_now_on(self, upstream: Upstream) -> None:
        self._spared_until[upstream.name] = self._monotonic() + REMEMBERED_SECONDS
        _LOG.warning(
            "%s refuses OCP-Session; for an hour it is called without (ocp_headers: ids says so"
            " for good)",
            upstream.name,
        )


def _is_ordinary(request: Request) -> bool:
    """Whether the head is small but for the session: its caller has not made it too large."""
    headers = without_session(request.head.headers)
    return sum(len(name) + len(value) for name, value in headers) <= _ORDINARY_BYTES


def _may_repeat(request: Request) -> bool:
    return request.head.method in IDEMPOTENT and isinstance(request.body, bytes | None)
