"""One timer for all who wait equally long: a timer each would cost a call more than its work."""

import asyncio
from collections import deque
from typing import Protocol, TypeVar

from gateway.errors import StoreUnavailable

Answer = TypeVar("Answer")


class _Waiting(Protocol):
    def done(self) -> bool: ...

    def set_exception(self, exception: type[BaseException] | BaseException, /) -> None: ...


class Deadlines:
    """Waits for futures, but for none longer than `seconds`. In one event loop at a time."""

    def __init__(self, seconds: float, message: str) -> None:
        """`message` is that of the StoreUnavailable which ends the waiting."""
        self._seconds = seconds
        self._message = message
        self._waiting: deque[tuple[float, _Waiting]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, future: "asyncio.Future[Answer]") -> Answer:
        """The future's result. Whoever is cancelled here cancels the future."""
        loop = asyncio.get_running_loop()
        self._drop_done()
        self._waiting.append((loop.time() + self._seconds, future))
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._tick)
        return await future

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        now = loop.time()
        while self._waiting and (self._waiting[0][0] <= now or self._waiting[0][1].done()):
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_exception(StoreUnavailable(self._message))
        if self._waiting:
            self._timer = loop.call_at(self._waiting[0][0], self._tick)

    def _drop_done(self) -> None:
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()
