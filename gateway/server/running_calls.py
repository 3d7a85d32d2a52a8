"""Calls that can still be cancelled, by whichever process hears that they shall be."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from gateway.errors import StoreUnavailable
from gateway.interfaces import SessionBoard
from gateway.mcp import ACCEPTED, Cancel, Reply, RequestId, Work, encode_json

LOOK_SECONDS = 2.0
"""A call that takes longer asks this often whether it was cancelled elsewhere."""
KEPT_SECONDS = 60.0
MAX_NOTED = 256
"""Cancellations of one session that are noted at a time: a call may be over long since."""

_Key = tuple[bytes, RequestId]


class RunningCalls:
    """Remembers which task carries out which request of which session.

    Without a `board`, a cancellation that reaches another process is lost, as any may be
    (2025-11-25, cancellation: "MAY ignore").
    """

    def __init__(self, board: SessionBoard | None = None) -> None:
        self._board = board
        self._tasks: dict[_Key, asyncio.Task[object]] = {}
        self._withdrawn: set[asyncio.Task[object]] = set()

    def __len__(self) -> int:
        return len(self._tasks) + len(self._withdrawn)

    async def run(self, work: Work, call: Coroutine[object, object, Reply]) -> Reply:
        """What `call` comes to; when it is withdrawn, nothing that is said."""
        task = asyncio.current_task()
        if task is None or work.cancel_scope is None:
            return await call
        key = (work.cancel_scope, work.id)
        self._tasks[key] = task
        try:
            with self._watching(key):
                return await call
        except asyncio.CancelledError:
            if task not in self._withdrawn:
                raise
            # The client asked for it, so its message gets no answer (every revision, cancellation).
            task.uncancel()
            return ACCEPTED
        finally:
            self._withdrawn.discard(task)
            if self._tasks.get(key) is task:
                del self._tasks[key]

    async def withdraw(self, cancel: Cancel) -> None:
        """Stops the call, here or, in a while, where it runs; one that is over is no fault."""
        key = (cancel.scope, cancel.request_id)
        if self._stop(key) or self._board is None:
            return
        page, name = _place(key)
        with suppress(StoreUnavailable):
            if len(await self._board.notes(page)) < MAX_NOTED:
                await self._board.note(page, name, b"1", seconds=KEPT_SECONDS)

    def _stop(self, key: _Key) -> bool:
        task = self._tasks.get(key)
        if task is not None:
            self._withdrawn.add(task)
            task.cancel()
        return task is not None

    @contextmanager
    def _watching(self, key: _Key) -> Iterator[None]:
        if self._board is None:
            yield
            return
        watch = _Repeated(LOOK_SECONDS, partial(self._look, self._board, key))
        try:
            yield
        finally:
            watch.end()

    async def _look(self, board: SessionBoard, key: _Key) -> None:
        page, name = _place(key)
        with suppress(StoreUnavailable):
            if name in await board.notes(page):
                self._stop(key)


class _Repeated:
    """Does something every so many seconds. Most of those who ask for it end before the first."""

    def __init__(self, seconds: float, work: Callable[[], Coroutine[object, object, None]]) -> None:
        self._seconds = seconds
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(seconds, self._start)

    def end(self) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _start(self) -> None:
        # Ended with the call that it watches; a group would wait for it.
        self._task = asyncio.create_task(self._repeat())  # noqa: TID251

    async def _repeat(self) -> None:
        while True:
            await self._work()
            await asyncio.sleep(self._seconds)


def _place(key: _Key) -> tuple[str, str]:
    """Page and name of the note: an id of any length, a number never the same as a text."""
    scope, request_id = key
    return f"{scope.hex()}.cancelled", hashlib.sha256(encode_json(request_id)).hexdigest()
