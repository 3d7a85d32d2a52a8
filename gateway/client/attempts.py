"""One request's attempts, each within its time, until one has an answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace

from gateway.client.transport import Transport
from gateway.client.way import Way
from gateway.errors import (
    RequestTimeout,
    UpstreamError,
    UpstreamLost,
    UpstreamRefused,
    UpstreamTimeout,
)
from gateway.messages import IDEMPOTENT, Request, Response
from gateway.policy.circuit import Leave
from gateway.upstreams import Upstream

BACKOFF_SECONDS = (0.05, 1.0)
"""At most so long before the second retry, twice as long before each one after, up to a bound. The
first comes at once: most often it is for a kept connection that has gone."""


@dataclass(slots=True, kw_only=True, eq=False)
class Attempts:
    """`deadline` is event loop time, `fraction` random, of 0 to 1."""

    transport: Transport
    way: Way
    request: Request
    upstream: Upstream
    deadline: float | None
    fraction: Callable[[], float]

    async def answer(self, held: AsyncExitStack) -> Response:
        """The answer, `held` until its end; what came of it is what the way learns."""
        streamed = isinstance(self.request.body, AsyncIterator)
        leave = self.way.ask(self.upstream, streamed=streamed)
        try:
            response = await self._first(held, leave)
        except UpstreamError as error:
            self.way.failed(leave, error)
            raise
        else:
            self.way.answered(leave, response.head.status)
        finally:
            self.way.done(leave)
        return replace(response, body=self._in_time(response))

    async def _first(self, held: AsyncExitStack, leave: Leave) -> Response:
        # A trial is one attempt: it is there to find out.
        for number in range(0 if leave.trial else self.upstream.retries):
            try:
                return await self._once(held, leave)
            except UpstreamError as error:
                if not _may_repeat(self.request, error) or not self.way.may_retry():
                    raise
            await self._pause(number)
        return await self._once(held, leave)

    async def _pause(self, number: int) -> None:
        if number > 0:
            least, most = BACKOFF_SECONDS
            await asyncio.sleep(self.fraction() * min(least * 2.0 ** (number - 1), most))

    async def _once(self, held: AsyncExitStack, leave: Leave) -> Response:
        try:
            async with asyncio.timeout_at(self._limit()) as timer:
                request = self.request
                if isinstance(request.body, AsyncIterator):
                    request = replace(request, body=self._paced(request.body, timer, leave))
                return await held.enter_async_context(
                    self.transport.exchange(request, self.upstream)
                )
        except TimeoutError as error:
            raise UpstreamTimeout(f"{self.upstream.name} did not answer in time") from error

    async def _paced(
        self, body: AsyncIterator[bytes], timer: asyncio.Timeout, leave: Leave
    ) -> AsyncIterator[bytes]:
        """An upload that goes on as long as it moves; the upstream's time starts with its end.

        While the next chunk is awaited it is the caller who keeps us waiting: RequestTimeout.
        """
        while True:
            # An upstream may answer before the upload's end: then its time is measured no more.
            with suppress(RuntimeError):
                timer.reschedule(None)
            try:
                async with asyncio.timeout(self.upstream.timeout_seconds):
                    chunk = await anext(body, None)
            except TimeoutError as error:
                raise RequestTimeout("the request's body stopped coming") from error
            with suppress(RuntimeError):
                timer.reschedule(self._limit())
            if chunk is None:
                self.way.sent(leave, self.upstream)
                return
            yield chunk

    async def _in_time(self, response: Response) -> AsyncIterator[bytes]:
        # A WebSocket may be silent for as long as it likes.
        patient = response.send is not None
        while True:
            try:
                async with asyncio.timeout_at(None if patient else self._limit()):
                    chunk = await anext(response.body, None)
            except TimeoutError as error:
                raise UpstreamTimeout(f"{self.upstream.name} stopped sending") from error
            if chunk is None:
                return
            yield chunk

    def _limit(self) -> float:
        step = asyncio.get_running_loop().time() + self.upstream.timeout_seconds
        return step if self.deadline is None else min(step, self.deadline)


def _may_repeat(request: Request, error: UpstreamError) -> bool:
    """Nothing was sent, or what was sent does no more when it comes twice."""
    if request.websocket:
        return False
    if isinstance(error, UpstreamRefused):
        return True
    streamed = isinstance(request.body, AsyncIterator)
    return isinstance(error, UpstreamLost) and request.head.method in IDEMPOTENT and not streamed
