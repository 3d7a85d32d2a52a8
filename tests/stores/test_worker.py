"""The thread behind a store: batches, patience, what must be tried again."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from gateway.errors import StoreUnavailable
from gateway.stores.worker import Job, Worker

PATIENCE = 2.0


@dataclass(frozen=True)
class Task:
    name: str
    writes: bool


class Bench:
    """A Worker whose clock stands still. While `busy`, what writes is postponed."""

    def __init__(self) -> None:
        self.now = 0.0
        self.tried: list[str] = []
        self.busy = False
        self.before: Callable[[], object] = lambda: None
        self.worker: Worker[Task] = Worker(
            self.run_batch, lambda: None, name="bench", patience=PATIENCE, clock=lambda: self.now
        )

    def run_batch(self, jobs: list[Job[Task]]) -> None:
        self.before()
        for job in jobs:
            self.tried.append(job.task.name)
            if self.busy and job.task.writes:
                job.postpone(StoreUnavailable("busy"))
            else:
                job.settle(job.task.name)

    def submit(self, name: str, *, writes: bool = True) -> "asyncio.Future[object]":
        return asyncio.ensure_future(self.worker.run(Task(name, writes)))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    made.busy = False
    await made.worker.aclose()


async def test_a_job_whose_time_is_over_fails_untried(bench: Bench) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        go_on.wait()

    bench.before = hold
    first = bench.submit("first")
    await asyncio.to_thread(entered.wait)
    second = bench.submit("second")
    await asyncio.sleep(0)
    bench.now = PATIENCE
    go_on.set()
    assert await first == "first"
    with pytest.raises(StoreUnavailable, match="too slow"):
        await second
    assert bench.tried == ["first"]


async def test_a_postponed_job_does_not_hold_up_the_others(bench: Bench) -> None:
    bench.busy = True
    write = bench.submit("write")
    for number in range(5):
        assert await bench.submit(f"read {number}", writes=False) == f"read {number}"
    assert not write.done()
    bench.busy = False
    assert await write == "write"


async def test_postponed_jobs_keep_their_turn(bench: Bench) -> None:
    bench.busy = True
    first = bench.submit("first")
    assert await bench.submit("read", writes=False)
    second = bench.submit("second")
    assert await bench.submit("read", writes=False)
    bench.busy = False
    assert (await first, await second) == ("first", "second")
    assert bench.tried[-2:] == ["first", "second"]


async def test_each_postponed_job_has_its_own_time_and_the_last_reason(bench: Bench) -> None:
    bench.busy = True
    early = bench.submit("early")
    assert await bench.submit("read", writes=False)
    bench.now = PATIENCE - 1
    late = bench.submit("late")
    assert await bench.submit("read", writes=False)
    bench.now = PATIENCE
    with pytest.raises(StoreUnavailable, match="busy"):
        await early
    assert not late.done()
    bench.now = PATIENCE + 1
    with pytest.raises(StoreUnavailable, match="busy"):
        await late


async def test_closing_lets_what_waits_have_its_time(bench: Bench) -> None:
    bench.busy = True
    write = bench.submit("write")
    assert await bench.submit("read", writes=False)
    closing = asyncio.ensure_future(bench.worker.aclose())
    await asyncio.sleep(0)
    assert not write.done()
    bench.busy = False
    await closing
    assert await write == "write"


async def test_what_its_caller_has_given_up_is_not_tried_again(bench: Bench) -> None:
    tried = threading.Event()
    bench.before, bench.busy = tried.set, True
    given_up, waiting = bench.submit("given up"), bench.submit("waiting")
    await asyncio.to_thread(tried.wait)
    given_up.cancel()
    await asyncio.wait((given_up,))
    await bench.worker.run(Task("look", writes=False))
    bench.tried.clear()
    bench.busy = False
    assert await waiting == "waiting"
    assert "given up" not in bench.tried
