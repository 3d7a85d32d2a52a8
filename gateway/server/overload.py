"""Overload met at the door: a refusal that costs a small part of what it spares."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Final

from aiohttp import web

from gateway.errors import Overloaded
from gateway.policy import Admission
from gateway.server.early_refusal import EXEMPT, RETRY_SECONDS, is_one_request, whole_refusal
from gateway.server.problems import Handler, problem_of

_REASON: Final = "the gateway has more to do than it can"
REFUSAL: Final = whole_refusal(Overloaded(_REASON))
"""The whole answer to a request that is refused unread."""


class Verdict(Enum):
    """What is to become of bytes that a connection at rest has received."""

    UNJUDGED = auto()
    ADMITTED = auto()
    REFUSED = auto()


class Overload:
    """One for each event loop. `refused` counts since the start.

    `clock`: seconds that never go back; `worked`: of processor time of this thread.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        worked: Callable[[], float] = time.thread_time,
    ) -> None:
        self.refused = 0
        self._admission = Admission()
        self._clock = clock
        self._worked = worked
        self._turn_began: float | None = None

    @property
    def is_limited(self) -> bool:
        """Whether requests may be refused now."""
        return self._admission.is_limited

    def judge(self, data: bytes) -> Verdict:
        """Judges one whole request that has come in one piece; all others go their usual way.

        A parser and a task for each refusal would cost so much that nothing was left for the
        others. Whoever refuses answers with REFUSAL, and the connection stays as it is.
        """
        if not self.is_limited or not is_one_request(data):
            return Verdict.UNJUDGED
        return Verdict.ADMITTED if self.admits() else Verdict.REFUSED

    def admits(self) -> bool:
        """As `judge`, for a request whose head is known."""
        if self._turn_began is None:
            self._turn_began = self._worked()
            # It runs in the next turn, after whatever this one has to do.
            asyncio.get_running_loop().call_soon(self._end_turn)
        admitted = self._admission.admits()
        self.refused += not admitted
        return admitted

    @contextmanager
    def serving(self) -> Iterator[None]:
        """A request that was admitted, until it is over."""
        turn = self._admission.turn
        try:
            yield
        finally:
            self._admission.finish(turn)

    def _end_turn(self) -> None:
        began, self._turn_began = self._turn_began, None
        if began is not None:
            self._admission.end_turn(self._worked() - began, self._clock())


def make_overload_middleware(overload: Overload) -> Callable[..., object]:
    """Refuse some requests while there are too many, unless they have been judged already."""

    @web.middleware
    async def shed(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(EXEMPT):
            return await handler(request)
        if not getattr(request.protocol, "is_admitted", False) and not overload.admits():
            return _refusal(request)
        with overload.serving():
            return await handler(request)

    return shed


def _refusal(request: web.Request) -> web.Response:
    response = problem_of(Overloaded(_REASON))
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    if request.can_read_body:
        # Reading what nobody will look at would be work, too.
        response.force_close()
    return response
