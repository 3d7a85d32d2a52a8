"""One thread that does a store's blocking work, in batches."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.errors import StoreUnavailable

_LOG = logging.getLogger(__name__)

Task = TypeVar("Task")

MAX_BATCH = 256
RETRY_SECONDS = 0.01
"""Between two attempts at what was postponed, if nothing else comes."""


@dataclass(slots=True, kw_only=True)
class Job(Generic[Task]):
    """A piece of blocking work and the caller that waits for it until `deadline`."""

    task: Task
    future: asyncio.Future[object]
    deadline: float
    answer: object = None
    error: Exception | None = None
    done: bool = False

    def settle(self, answer: object) -> None:
        self.done, self.answer, self.error = True, answer, None

    def fail(self, error: Exception) -> None:
        self.done, self.error = True, error

    def conclude(self, outcome: object) -> None:
        """An exception as an outcome is raised in the caller."""
        if isinstance(outcome, Exception):
            self.fail(outcome)
        else:
            self.settle(outcome)

    def postpone(self, error: Exception) -> None:
        """To be tried again; `error` is the outcome if the deadline comes first."""
        self.error = error

    def expire(self) -> None:
        self.fail(self.error or StoreUnavailable("the context store failed: it is too slow"))

    def deliver(self) -> None:
        """Wakes the caller, in its event loop; a caller that was cancelled is gone."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.answer)


class Worker(Generic[Task]):
    """Hands whatever has been submitted meanwhile to `run_batch`, in a thread of its own.

    `run_batch` marks jobs done or postpones them; what it raises fails all of them. What is
    postponed comes again in front of what has been submitted since, so that nothing waits behind
    it. `close` runs last.
    Work whose caller has left before an attempt is not done. The thread starts with the first job.
    """

    def __init__(
        self,
        run_batch: Callable[[list[Job[Task]]], None],
        close: Callable[[], None],
        *,
        name: str,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A job that is not done after `patience` seconds by `clock` fails without an attempt."""
        self._run_batch = run_batch
        self._close = close
        self._patience = patience
        self._clock = clock
        # Daemon: an interpreter that goes down without aclose() must not wait here for ever.
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._queue: queue.SimpleQueue[Job[Task] | None] = queue.SimpleQueue()
        self._closed = False

    async def run(self, task: Task) -> object:
        """What `run_batch` made of the task; StoreUnavailable if its time is over."""
        if self._closed:
            raise StoreUnavailable("the context store is closed")
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._queue.put(Job(task=task, future=future, deadline=self._clock() + self._patience))
        if self._thread.ident is None:
            self._thread.start()
        return await future

    async def aclose(self) -> None:
        """Finishes what has been submitted, then ends the thread."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join)

    def _live(self) -> None:
        jobs: list[Job[Task]] = []
        going_on = True
        while going_on or jobs:
            going_on = self._gather(jobs) and going_on
            self._attempt(jobs)
            _deliver([job for job in jobs if job.done])
            jobs = [job for job in jobs if not job.done]
        self._close()

    def _gather(self, jobs: list[Job[Task]]) -> bool:
        """Adds what has been submitted to `jobs`, waiting for it; False once that was the last."""
        timeout = RETRY_SECONDS if jobs else None
        most = len(jobs) + MAX_BATCH
        try:
            while (item := self._queue.get(timeout=timeout)) is not None:
                jobs.append(item)
                if len(jobs) == most:
                    return True
                timeout = 0
        except queue.Empty:
            return True
        return False

    def _attempt(self, jobs: list[Job[Task]]) -> None:
        now = self._clock()
        for job in jobs:
            if job.future.done():
                # Its caller has left, and has been told that nothing was stored, or nothing at all.
                job.settle(None)
            elif job.deadline <= now:
                job.expire()
        due = [job for job in jobs if not job.done]
        if not due:
            return
        try:
            self._run_batch(due)
        except Exception as error:  # noqa: BLE001 - without this thread all others would wait for ever
            _LOG.exception("the context store's thread met an error that nobody foresaw")
            for job in due:
                job.fail(StoreUnavailable(f"the context store failed: {type(error).__name__}"))


def _deliver(jobs: list[Job[Task]]) -> None:
    # One wake-up for each event loop rather than one for each job.
    loops = {job.future.get_loop() for job in jobs}
    for loop in loops:
        mine = [job for job in jobs if job.future.get_loop() is loop]
        try:
            loop.call_soon_threadsafe(_deliver_each, mine)
        except RuntimeError:
            continue  # that loop is closed, so nobody waits


def _deliver_each(jobs: list[Job[Task]]) -> None:
    for job in jobs:
        job.deliver()
