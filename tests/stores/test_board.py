"""What every board does alike, for the processes that share it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.errors import PayloadTooLarge, StoreBusy
from gateway.interfaces import MAX_BOARD_BYTES, SessionBoard
from gateway.stores import MemoryBoard, SqliteBoard, SqliteStore, StoreLimits
from gateway.stores import redis_board as redis_module
from gateway.stores import sqlite_board as sqlite_module
from gateway.stores.redis_board import RedisBoard, open_redis_board
from gateway.stores.redis_urls import read_redis_url
from tests.support.stores import REDIS, Clock, age_redis, redis_of

LONG = 100.0
WAIT = 20.0
"""Longer than any test waits, unless it has failed."""


@dataclass(frozen=True)
class Kind:
    """`open` gives a client of the one board; `age` lets seconds pass for all of them."""

    open: Callable[[], SessionBoard]
    age: Callable[[float], Awaitable[None]]


@pytest.fixture(params=["memory", "sqlite", *REDIS])
async def kind(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kind]:
    clock, name = Clock(), str(request.param)

    async def age(seconds: float) -> None:
        clock.now += seconds

    if name == "memory":
        board = MemoryBoard(clock=clock)
        yield Kind(lambda: board, age)
    elif name == "sqlite":
        async with AsyncExitStack() as stack:
            path = tmp_path / "contexts.db"

            def open_sqlite() -> SessionBoard:
                store = SqliteStore(path, StoreLimits(), clock=clock, monotonic=clock)
                stack.push_async_callback(store.aclose)
                return SqliteBoard(store, clock=clock)

            yield Kind(open_sqlite, age)
    else:
        url, ports = redis_of(request, name)
        prefix = f"ocp-gateway:{uuid4().hex}:"

        async def age_all(seconds: float) -> None:
            for port in ports:
                await age_redis(port, prefix, seconds)

        yield Kind(lambda: open_redis(url, prefix), age_all)


def open_redis(url: str, prefix: str) -> RedisBoard:
    return open_redis_board(replace(read_redis_url(url), prefix=prefix))


@pytest.fixture
async def here(kind: Kind) -> AsyncIterator[SessionBoard]:
    async with opened(kind) as board:
        yield board


@pytest.fixture
async def there(kind: Kind) -> AsyncIterator[SessionBoard]:
    """The same board as another process sees it."""
    async with opened(kind) as board:
        yield board


@asynccontextmanager
async def opened(kind: Kind) -> AsyncIterator[SessionBoard]:
    board = kind.open()
    try:
        yield board
    finally:
        await board.aclose()


async def test_a_page_that_nobody_wrote_is_empty(here: SessionBoard) -> None:
    assert await here.notes("one") == {}


async def test_a_note_is_seen_from_elsewhere(here: SessionBoard, there: SessionBoard) -> None:
    await here.note("one", "level", b"debug", seconds=LONG)
    assert await there.notes("one") == {"level": b"debug"}
    assert await there.notes("two") == {}


async def test_a_note_takes_the_place_of_the_one_before(
    here: SessionBoard, there: SessionBoard
) -> None:
    await here.note("one", "level", b"debug", seconds=LONG)
    await there.note("one", "level", b"error", seconds=LONG)
    assert await here.notes("one") == {"level": b"error"}


async def test_notes_by_several_names_do_not_meet(here: SessionBoard, there: SessionBoard) -> None:
    names = [f"resource:test://ünïcode/{number}" for number in range(20)]
    async with asyncio.TaskGroup() as group:
        for number, name in enumerate(names):
            board = (here, there)[number % 2]
            group.create_task(board.note("one", name, bytes([number, 0, 255]), seconds=LONG))
    assert await here.notes("one") == {n: bytes([i, 0, 255]) for i, n in enumerate(names)}


async def test_a_note_without_a_value_is_gone(here: SessionBoard, there: SessionBoard) -> None:
    await here.note("one", "a", b"", seconds=LONG)
    await here.note("one", "b", b"b", seconds=LONG)
    await there.note("one", "b", None, seconds=LONG)
    await there.note("one", "never there", None, seconds=LONG)
    await there.note("nowhere", "never there", None, seconds=LONG)
    assert await here.notes("one") == {"a": b""}
    assert await here.notes("nowhere") == {}


async def test_notes_expire(kind: Kind, here: SessionBoard) -> None:
    await here.note("one", "a", b"a", seconds=LONG)
    await kind.age(LONG - 50)
    assert await here.notes("one") == {"a": b"a"}
    await kind.age(60)
    assert await here.notes("one") == {}


async def test_a_later_note_lives_as_long_as_it_should(kind: Kind, here: SessionBoard) -> None:
    await here.note("one", "a", b"a", seconds=LONG)
    await kind.age(LONG - 50)
    await here.note("one", "b", b"b", seconds=LONG)
    await kind.age(LONG - 50)
    assert (await here.notes("one"))["b"] == b"b"


async def test_a_shorter_note_ends_no_longer_one(kind: Kind, here: SessionBoard) -> None:
    await here.note("one", "a", b"a", seconds=10 * LONG)
    await here.note("one", "b", b"b", seconds=LONG)
    await kind.age(2 * LONG)
    assert (await here.notes("one"))["a"] == b"a"


async def test_a_note_for_no_time_is_no_fault(here: SessionBoard) -> None:
    await here.note("one", "a", b"a", seconds=-1)
    await here.post("box", b"a", seconds=-1)


async def test_what_was_posted_is_taken_elsewhere(here: SessionBoard, there: SessionBoard) -> None:
    await here.post("box", b"yes\x00\xff", seconds=LONG)
    assert await there.take("box", seconds=WAIT) == b"yes\x00\xff"


async def test_one_who_waits_gets_what_is_posted_later(
    here: SessionBoard, there: SessionBoard
) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(there.take("box", seconds=WAIT))
        other = group.create_task(there.take("other", seconds=WAIT))
        await asyncio.sleep(0)
        await here.post("box", b"yes", seconds=LONG)
        await here.post("other", b"no", seconds=LONG)
    assert (waiting.result(), other.result()) == (b"yes", b"no")


async def test_many_wait_at_once(here: SessionBoard, there: SessionBoard) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(there.take(str(n), seconds=WAIT)) for n in range(8)]
        for number in reversed(range(8)):
            await here.post(str(number), b"%d" % number, seconds=LONG)
    assert [task.result() for task in waiting] == [b"%d" % number for number in range(8)]


async def test_a_value_is_taken_once(here: SessionBoard, there: SessionBoard) -> None:
    await here.post("box", b"first", seconds=LONG)
    await here.post("box", b"second", seconds=LONG)
    assert await there.take("box", seconds=WAIT) == b"first"
    assert await there.take("box", seconds=0.01) is None
    await here.post("box", b"third", seconds=LONG)
    assert await there.take("box", seconds=WAIT) == b"third"


async def test_one_who_waits_in_vain_gets_nothing(here: SessionBoard) -> None:
    assert await here.take("box", seconds=0.01) is None
    assert await here.take("box", seconds=0) is None


async def test_a_value_that_nobody_takes_expires(kind: Kind, here: SessionBoard) -> None:
    await here.post("box", b"late", seconds=LONG)
    await kind.age(LONG + 1)
    assert await here.take("box", seconds=0.01) is None
    await here.post("box", b"new", seconds=LONG)
    assert await here.take("box", seconds=WAIT) == b"new"


async def test_one_who_gives_up_waiting_leaves_the_board_in_order(here: SessionBoard) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(here.take("box", seconds=WAIT)) for _ in range(3)]
        await asyncio.wait(waiting, timeout=0.05)
        for task in waiting:
            task.cancel()
    await here.post("other", b"yes", seconds=LONG)
    assert await here.take("other", seconds=WAIT) == b"yes"


async def test_the_longest_value_is_taken_and_a_longer_one_refused(
    here: SessionBoard, there: SessionBoard
) -> None:
    longest = b"x" * MAX_BOARD_BYTES
    with pytest.raises(PayloadTooLarge):
        await here.post("box", longest + b"x", seconds=LONG)
    with pytest.raises(PayloadTooLarge):
        await here.note("one", "a", longest + b"x", seconds=LONG)
    await here.post("box", longest, seconds=LONG)
    assert await there.take("box", seconds=WAIT) == longest


@pytest.mark.parametrize("kind", ["sqlite", "redis"], indirect=True)
async def test_only_so_many_may_wait(here: SessionBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (redis_module, sqlite_module):
        monkeypatch.setattr(module, "MAX_TAKING", 1)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(here.take("box", seconds=WAIT))
        await asyncio.wait([waiting], timeout=0.01)
        with pytest.raises(StoreBusy):
            await here.take("other", seconds=WAIT)
        await here.post("box", b"yes", seconds=LONG)
    assert waiting.result() == b"yes"
    assert await here.take("other", seconds=0.01) is None
