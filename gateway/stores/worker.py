"""One thread that does a store's blocking work, in batches."""

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from gateway.errors import StoreUnavailable

Answer = TypeVar("Answer")

MAX_BATCH = 256


@dataclass(slots=True, kw_only=True)
class Job:
    """A piece of blocking work and the caller that waits for it."""

    work: Callable[[], object]
    writes: bool
    future: asyncio.Future[object]
    answer: object = None
    error: Exception | None = None
    done: bool = False

    def settle(self, answer: object) -> None:
        self.done, self.answer = True, answer

    def fail(self, error: Exception) -> None:
        self.done, self.error = True, error

    def deliver(self) -> None:
        """Wakes the caller, in its event loop; a caller that was cancelled is gone."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.answer)


class Worker:
    """Hands whatever has been submitted meanwhile to `run_batch`, in a thread of its own.

    `run_batch` marks every job done and never raises; `close` runs last. Work whose caller is
    cancelled is done all the same. The thread starts with the first job.
    """

    def __init__(
        self, run_batch: Callable[[list[Job]], None], close: Callable[[], None], *, name: str
    ) -> None:
        self._run_batch = run_batch
        self._close = close
        # Daemon: an interpreter that goes down without aclose() must not wait here for ever.
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closed = False

    async def run(self, work: Callable[[], Answer], *, writes: bool) -> Answer:
        """The answer of `work`, or what it raised."""
        if self._closed:
            raise StoreUnavailable("the context store is closed")
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._queue.put(Job(work=work, writes=writes, future=future))
        if self._thread.ident is None:
            self._thread.start()
        return cast("Answer", await future)

    async def aclose(self) -> None:
        """Finishes what has been submitted, then ends the thread."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join)

    def _live(self) -> None:
        going_on = True
        while going_on:
            jobs, going_on = self._next_batch()
            if jobs:
                self._run_batch(jobs)
                _deliver(jobs)
        self._close()

    def _next_batch(self) -> tuple[list[Job], bool]:
        jobs: list[Job] = []
        item = self._queue.get()
        while item is not None:
            jobs.append(item)
            if len(jobs) == MAX_BATCH:
                break
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
        return jobs, item is not None


def _deliver(jobs: list[Job]) -> None:
    # One wake-up for each event loop rather than one for each job.
    loops = {job.future.get_loop() for job in jobs}
    for loop in loops:
        mine = [job for job in jobs if job.future.get_loop() is loop]
        try:
            loop.call_soon_threadsafe(_deliver_each, mine)
        except RuntimeError:
            continue  # that loop is closed, so nobody waits


def _deliver_each(jobs: list[Job]) -> None:
    for job in jobs:
        job.deliver()
