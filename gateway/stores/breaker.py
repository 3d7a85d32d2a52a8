"""A context store that is down costs nothing: a breaker around any other store."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.errors import StoreBusy, StoreUnavailable, UnreadableRecord
from gateway.interfaces import Change, ContextStore, Page, Stored
from gateway.policy import Principal
from gateway.policy.breaker import Attempt, Breaker

Answer = TypeVar("Answer")

PATIENCE_SECONDS = 4.0
"""More than any store takes to fail by itself; a disk or a driver that hangs does not fail."""
PING_SECONDS = 0.5
"""A kubelet waits for a second, and is to hear `degraded` in it."""
_TOO_SLOW = "the context store does not answer in time"


@dataclass(slots=True)
class _Lane:
    """Reading or writing. `reason` is what the last failure said."""

    breaker: Breaker = field(default_factory=lambda: Breaker(patience=PATIENCE_SECONDS))
    reason: str = _TOO_SLOW


class _SharedLimit:
    """Ends what takes longer than PATIENCE_SECONDS, with one timer for all of it.

    A timer for each operation would cost more than most operations take.
    """

    def __init__(self) -> None:
        # With the loop's time at which each is to end, the nearest first.
        self._ends: dict[asyncio.Timeout, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        limit = asyncio.timeout(None)
        self._ends[limit] = end = loop.time() + PATIENCE_SECONDS
        if self._timer is None:
            self._timer = loop.call_at(end, self._end_due, loop)
        try:
            async with limit:
                return await work()
        finally:
            self._ends.pop(limit, None)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _end_due(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for limit in [limit for limit, end in self._ends.items() if end <= now]:
            del self._ends[limit]
            limit.reschedule(now)
        nearest = next(iter(self._ends.values()), None)
        self._timer = None if nearest is None else loop.call_at(nearest, self._end_due, loop)


class GuardedStore:
    """A ContextStore that fails at once while the one behind it is down.

    Reading and writing have a breaker each: a full disk or a file that another process keeps
    locked can still be read. Nothing is queued. What is said to have failed may have been stored
    nevertheless, as after any answer that was lost.
    """

    def __init__(self, store: ContextStore, *, monotonic: Callable[[], float]) -> None:
        """`monotonic` counts seconds."""
        self._store = store
        self._monotonic = monotonic
        self._reads = _Lane()
        self._writes = _Lane()
        self._limit = _SharedLimit()
        self._look: asyncio.Task[StoreUnavailable | None] | None = None

    async def get(
        self, principal: Principal, context_id: str, *, newest: bool = False
    ) -> Stored | None:
        return await self._try(
            self._reads, lambda: self._store.get(principal, context_id, newest=newest)
        )

    async def update(
        self,
        principal: Principal,
        context_id: str,
        change: Change,
        *,
        expected: int | None = None,
    ) -> Stored | None:
        return await self._try(
            self._writes,
            lambda: self._store.update(principal, context_id, change, expected=expected),
        )

    async def list(self, principal: Principal, cursor: str | None, limit: int) -> Page:
        # How long a list takes and whether it ends says little about calls.
        return await self._try(
            self._reads, lambda: self._store.list(principal, cursor, limit), counts=False
        )

    async def look_beside(self, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """What else is read at the place of the store: it is down when the store is."""
        return await self._try(self._reads, work)

    async def write_beside(self, work: Callable[[], Awaitable[Answer]]) -> Answer:
        return await self._try(self._writes, work)

    async def ping(self) -> None:
        """Asks the store, however often it has failed, but one question at a time."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._reach()
        except TimeoutError:
            raise StoreUnavailable(_TOO_SLOW) from None

    async def aclose(self) -> None:
        self._limit.close()
        if self._look is not None:
            self._look.cancel()
            await asyncio.wait((self._look,))
        await self._store.aclose()

    async def _try(
        self, lane: _Lane, work: Callable[[], Awaitable[Answer]], *, counts: bool = True
    ) -> Answer:
        breaker = lane.breaker
        attempt = breaker.admit(self._monotonic())
        if attempt is None:
            raise StoreUnavailable(lane.reason)
        if counts or attempt.trial:
            return await self._judged(lane, attempt, work)
        breaker.end(attempt)
        try:
            return await self._in_time(attempt, work)
        except TimeoutError:
            raise StoreUnavailable(_TOO_SLOW) from None

    async def _judged(
        self, lane: _Lane, attempt: Attempt, work: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        breaker = lane.breaker
        try:
            answer = await self._in_time(attempt, work)
        except TimeoutError:
            breaker.give_up(attempt, self._monotonic())
            raise StoreUnavailable(_TOO_SLOW) from None
        except (UnreadableRecord, StoreBusy):
            raise  # one context's own trouble
        except StoreUnavailable as error:
            breaker.fail(self._monotonic())
            self._other(lane).breaker.doubt(self._monotonic())
            lane.reason = str(error)
            raise
        else:
            breaker.succeed(attempt, self._monotonic())
            return answer
        finally:
            breaker.end(attempt)

    def _other(self, lane: _Lane) -> _Lane:
        return self._writes if lane is self._reads else self._reads

    async def _in_time(self, attempt: Attempt, work: Callable[[], Awaitable[Answer]]) -> Answer:
        if attempt.patience >= PATIENCE_SECONDS and not attempt.trial:
            return await self._limit.run(work)
        async with asyncio.timeout(attempt.patience):
            if attempt.trial:
                await self._reach()
            return await work()

    async def _reach(self) -> None:
        """Waits for an answer to a ping, which goes on when those who wait for it give up.

        A new connection may take longer than they may wait, and each of them would begin anew.
        """
        if self._look is None or self._look.done():
            # Kept, shared by those who wait for it, and ended by `aclose`.
            self._look = asyncio.get_running_loop().create_task(self._ask())
        error = await asyncio.shield(self._look)
        if error is not None:
            raise StoreUnavailable(str(error)) from error

    async def _ask(self) -> StoreUnavailable | None:
        started = self._monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._store.ping()
        except TimeoutError:
            return StoreUnavailable(_TOO_SLOW)
        except StoreUnavailable as error:
            return error
        for lane in (self._reads, self._writes):
            lane.breaker.expect(self._monotonic() - started)
        return None
