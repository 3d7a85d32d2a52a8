"""A store that is down, hangs or refuses, behind its guard."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from gateway.errors import (
    BadRequest,
    GatewayError,
    PayloadTooLarge,
    StoreBusy,
    StoreUnavailable,
    UnreadableRecord,
    VersionConflict,
)
from gateway.interfaces import Change, Page, Stored
from gateway.policy import ANONYMOUS, Principal, breaker
from gateway.policy.breaker import FAILURES, PAUSE_SECONDS
from gateway.stores import GuardedStore, MemoryStore, StoreLimits
from gateway.stores import breaker as guard
from gateway.stores.breaker import PATIENCE_SECONDS
from tests.support.contexts import a_context_id, append

ID = a_context_id()
DOWN = StoreUnavailable("the context store failed: ConnectionError")


@dataclass(slots=True)
class Scripted:
    """A memory store whose reads, writes and pings fail with `reading` and its like.

    `hangs` is waited for by whatever does not fail, and then `waiting` is released. `asked` names
    what has been called.
    """

    inner: MemoryStore = field(default_factory=lambda: MemoryStore(StoreLimits()))
    reading: GatewayError | None = None
    writing: GatewayError | None = None
    pinging: GatewayError | None = None
    hangs: asyncio.Event | None = None
    waiting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    asked: list[str] = field(default_factory=list)

    def fail_with(self, error: GatewayError | None) -> None:
        self.reading = self.writing = self.pinging = error

    async def get(
        self, principal: Principal, context_id: str, *, newest: bool = False
    ) -> Stored | None:
        await self._step("get-newest" if newest else "get", self.reading)
        return await self.inner.get(principal, context_id)

    async def update(
        self,
        principal: Principal,
        context_id: str,
        change: Change,
        *,
        expected: int | None = None,
    ) -> Stored | None:
        await self._step("update", self.writing)
        return await self.inner.update(principal, context_id, change, expected=expected)

    async def list(self, principal: Principal, cursor: str | None, limit: int) -> Page:
        await self._step("list", self.reading)
        return await self.inner.list(principal, cursor, limit)

    async def ping(self) -> None:
        await self._step("ping", self.pinging)

    async def aclose(self) -> None:
        self.asked.append("aclose")

    async def _step(self, what: str, error: GatewayError | None) -> None:
        self.asked.append(what)
        if error is not None:
            raise error
        if self.hangs is not None:
            self.waiting.release()
            await self.hangs.wait()


@dataclass(slots=True)
class Guarded:
    """The guard, the store behind it, and the guard's clock."""

    behind: Scripted = field(default_factory=Scripted)
    now: float = 100.0
    store: GuardedStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = GuardedStore(self.behind, monotonic=lambda: self.now)

    async def get(self) -> Stored | None:
        return await self.store.get(ANONYMOUS, ID)

    async def update(self) -> Stored | None:
        return await self.store.update(ANONYMOUS, ID, append())

    async def list(self) -> Page:
        return await self.store.list(ANONYMOUS, None, 10)

    async def break_open(self) -> None:
        self.behind.fail_with(DOWN)
        for _ in range(FAILURES):
            await refused(self.get)
            await refused(self.update)
        self.behind.asked.clear()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short patience that no busy machine exceeds, for trials that are to succeed."""
    monkeypatch.setattr(breaker, "SHORT_PATIENCE", (PATIENCE_SECONDS, PATIENCE_SECONDS))


async def refused(work: Callable[[], Awaitable[object]]) -> str:
    with pytest.raises(StoreUnavailable) as caught:
        await work()
    return str(caught.value)


@pytest.fixture
async def guarded() -> AsyncIterator[Guarded]:
    it = Guarded()
    yield it
    await it.store.aclose()


@asynccontextmanager
async def hanging(guarded: Guarded) -> AsyncIterator[asyncio.TaskGroup]:
    """Everything hangs inside, and a read and a write have done so for a while."""
    guarded.behind.hangs = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for work in (guarded.get, guarded.update):
            group.create_task(_forget(work))
            await guarded.behind.waiting.acquire()
        guarded.now += 1
        guarded.behind.asked.clear()
        yield group
        guarded.behind.hangs.set()


async def _forget(work: Callable[[], Awaitable[object]]) -> None:
    await work()


async def test_a_store_that_is_well_is_asked_each_time(guarded: Guarded) -> None:
    for _ in range(10):
        stored = await guarded.update()
        assert await guarded.get() == stored
    await guarded.store.get(ANONYMOUS, ID, newest=True)
    page = await guarded.list()
    assert [item.version for item in page.items] == [10]
    assert guarded.behind.asked == ["update", "get"] * 10 + ["get-newest", "list"]


async def test_a_store_that_is_down_is_not_asked_and_says_why(guarded: Guarded) -> None:
    await guarded.break_open()
    for work in (guarded.get, guarded.update, guarded.list):
        assert await refused(work) == str(DOWN)
    assert guarded.behind.asked == []


@pytest.mark.usefixtures("unhurried")
async def test_after_a_pause_one_asks_and_the_others_do_not_wait(guarded: Guarded) -> None:
    await guarded.break_open()
    guarded.now += PAUSE_SECONDS
    outcomes = await asyncio.gather(*(refused(guarded.update) for _ in range(50)))
    assert outcomes == [str(DOWN)] * 50
    assert guarded.behind.asked == ["ping"]


@pytest.mark.usefixtures("unhurried")
async def test_a_store_that_works_again_is_used_again(guarded: Guarded) -> None:
    await guarded.break_open()
    guarded.behind.fail_with(None)
    await refused(guarded.update)
    guarded.now += PAUSE_SECONDS
    assert await guarded.update() is not None
    assert await guarded.get() is not None
    assert guarded.behind.asked == ["ping", "update", "ping", "get"]


@pytest.mark.usefixtures("unhurried")
async def test_a_store_that_takes_nothing_can_be_read(guarded: Guarded) -> None:
    await guarded.update()
    guarded.behind.writing = StoreUnavailable("the context store failed: disk is full")
    for _ in range(5):
        for _ in range(FAILURES):
            assert await refused(guarded.update) == str(guarded.behind.writing)
            assert await guarded.get() is not None
        guarded.now += PAUSE_SECONDS
    guarded.behind.writing = None
    assert await guarded.update() is not None


@pytest.mark.parametrize(
    "error",
    [
        UnreadableRecord("of another version"),
        StoreBusy("too many writers at once on one context"),
        VersionConflict("version 2"),
        PayloadTooLarge("too large"),
        BadRequest("cursor"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_one_context_s_trouble_is_not_the_store_s(
    guarded: Guarded, error: GatewayError
) -> None:
    guarded.behind.reading = guarded.behind.writing = error
    for work in (guarded.get, guarded.update, guarded.list):
        for _ in range(3 * FAILURES):
            with pytest.raises(type(error)):
                await work()
    guarded.behind.fail_with(None)
    await guarded.update()
    assert "ping" not in guarded.behind.asked


async def test_lists_that_fail_say_nothing_of_calls(guarded: Guarded) -> None:
    guarded.behind.reading = DOWN
    for _ in range(3 * FAILURES):
        assert await refused(guarded.list) == str(DOWN)
    guarded.behind.reading = None
    guarded.behind.asked.clear()
    await guarded.get()
    assert guarded.behind.asked == ["get"]


async def test_lists_that_hang_leave_others_their_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard, "PATIENCE_SECONDS", 0.02)
    guarded = Guarded()
    guarded.behind.hangs = asyncio.Event()
    for _ in range(FAILURES):
        assert await refused(guarded.list) == "the context store does not answer in time"
    guarded.behind.hangs = None
    guarded.now += 1
    assert await guarded.update() is not None
    assert await guarded.get() is not None
    assert "ping" not in guarded.behind.asked
    await guarded.store.aclose()


@pytest.mark.usefixtures("unhurried")
async def test_a_list_can_be_what_finds_a_store_well_again(guarded: Guarded) -> None:
    await guarded.break_open()
    guarded.behind.fail_with(None)
    guarded.now += PAUSE_SECONDS
    assert (await guarded.list()).items == ()
    assert await guarded.get() is None
    assert guarded.behind.asked == ["ping", "list", "get"]


async def test_who_comes_while_something_hangs_is_not_kept(guarded: Guarded) -> None:
    async with hanging(guarded):
        outcomes = await asyncio.gather(
            *(refused(work) for work in (guarded.get, guarded.update, guarded.list) for _ in "123")
        )
        assert set(outcomes) == {"the context store does not answer in time"}
    # It was a stall: the ones that hung have been served, and nobody is refused.
    assert await guarded.get() is not None
    assert "ping" not in guarded.behind.asked


async def test_a_store_that_hangs_once_it_is_known_to_is_asked_by_one(
    guarded: Guarded, request: pytest.FixtureRequest
) -> None:
    await guarded.break_open()
    guarded.behind.fail_with(None)
    guarded.behind.hangs = asyncio.Event()
    guarded.now += PAUSE_SECONDS
    await asyncio.gather(*(refused(guarded.get) for _ in range(20)))
    guarded.now += PAUSE_SECONDS
    await asyncio.gather(*(refused(guarded.update) for _ in range(20)))
    # The first question is still open, and is the second one's, too.
    assert guarded.behind.asked == ["ping"]
    guarded.behind.hangs.set()
    request.getfixturevalue("unhurried")
    guarded.now += PAUSE_SECONDS
    assert await guarded.update() is not None


async def test_what_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "PATIENCE_SECONDS", 0.02)
    guarded = Guarded()
    await guarded.update()
    guarded.behind.hangs = asyncio.Event()
    for _ in range(2):
        # Of those that began at once each has its own end.
        outcomes = await asyncio.gather(*(refused(guarded.get) for _ in range(5)))
        assert set(outcomes) == {"the context store does not answer in time"}
    guarded.behind.asked.clear()
    await refused(guarded.get)
    assert guarded.behind.asked == []
    await guarded.store.aclose()


async def test_after_a_failed_write_reading_is_not_trusted_with_the_full_patience(
    guarded: Guarded,
) -> None:
    guarded.behind.writing = DOWN
    await refused(guarded.update)
    guarded.behind.hangs = asyncio.Event()
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(FAILURES):
            await refused(guarded.get)
    guarded.behind.asked.clear()
    await refused(guarded.get)
    assert guarded.behind.asked == []


async def test_readiness_asks_one_question_however_many_want_to_know(guarded: Guarded) -> None:
    guarded.behind.hangs = asyncio.Event()
    outcomes = await asyncio.gather(*(refused(guarded.store.ping) for _ in range(20)))
    assert set(outcomes) == {"the context store does not answer in time"}
    assert guarded.behind.asked == ["ping"]
    guarded.behind.hangs.set()
    await guarded.store.ping()


async def test_readiness_is_told_although_the_guard_lets_nobody_through(guarded: Guarded) -> None:
    await guarded.break_open()
    assert await refused(guarded.store.ping) == str(DOWN)
    guarded.behind.fail_with(None)
    await guarded.store.ping()


async def test_callers_that_leave_are_no_failures(guarded: Guarded) -> None:
    guarded.behind.hangs = asyncio.Event()
    for _ in range(3 * FAILURES):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_forget(guarded.update))
            await guarded.behind.waiting.acquire()
            task.cancel()
    guarded.behind.hangs = None
    assert await guarded.update() is not None
    assert "ping" not in guarded.behind.asked


async def test_a_fault_in_a_change_is_the_caller_s_and_no_failure(guarded: Guarded) -> None:
    class Broken:
        operation_id = "1"

        def apply(self, now: object) -> None:
            raise LookupError(repr(now))

    for _ in range(3 * FAILURES):
        with pytest.raises(LookupError):
            await guarded.store.update(ANONYMOUS, ID, Broken())
    assert await guarded.update() is not None


async def test_closing_ends_a_question_that_is_under_way() -> None:
    guarded = Guarded()
    guarded.behind.hangs = asyncio.Event()
    await refused(guarded.store.ping)
    await guarded.store.aclose()
    assert guarded.behind.asked == ["ping", "aclose"]
    assert len(asyncio.all_tasks()) == 1
