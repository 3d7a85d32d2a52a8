"""Boards whose store is down, refuses or is full."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.errors import StoreBusy, StoreUnavailable
from gateway.interfaces import SessionBoard
from gateway.policy import ANONYMOUS
from gateway.policy.breaker import FAILURES
from gateway.stores import (
    GuardedBoard,
    GuardedStore,
    MemoryBoard,
    MemoryStore,
    SqliteBoard,
    SqliteStore,
    StoreLimits,
    memory_board,
    open_board,
    open_store,
    redis_board,
)
from gateway.stores.redis_board import RedisBoard, open_redis_board
from gateway.stores.redis_urls import read_redis_url
from tests.support.contexts import append, tools_of
from tests.support.faulty_redis import CLOSE, SILENCE, FaultyRedis, faulty_redis
from tests.support.redis_server import RedisServer
from tests.support.redis_topologies import ClusterTrio, ask, fields_of, slot_of
from tests.support.stores import Clock

LONG = 100.0
DOWN = StoreUnavailable("the context store failed: ConnectionError")
NO_RIGHTS = b"-NOPERM this user has no permissions to run the 'hgetall' command\r\n"
NO_MEMORY = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"


def redis_at(port: int) -> RedisBoard:
    return open_redis_board(
        read_redis_url(f"redis://127.0.0.1:{port}?prefix=ocp-gateway:{uuid4().hex}:")
    )


@pytest.fixture
async def faulty(redis_server: RedisServer) -> AsyncIterator[FaultyRedis]:
    async with faulty_redis(redis_server.port) as faults:
        yield faults


@pytest.fixture
async def board(faulty: FaultyRedis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RedisBoard]:
    """A board whose patience is short, behind a Redis that may be told to fail."""
    monkeypatch.setattr("gateway.stores.redis_servers.OPERATION_SECONDS", 0.2)
    monkeypatch.setattr(redis_board, "SLICE_SECONDS", 0.2)
    monkeypatch.setattr(redis_board, "PATIENCE_SECONDS", 0.5)
    opened = redis_at(faulty.port)
    yield opened
    await opened.aclose()


def attempts(board: SessionBoard) -> list[Awaitable[object]]:
    return [
        board.notes("one"),
        board.note("one", "a", b"a", seconds=LONG),
        board.post("box", b"a", seconds=LONG),
        board.take("box", seconds=LONG),
    ]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(CLOSE, id="closed"),
        pytest.param(SILENCE, id="silent"),
        pytest.param(b"-LOADING Redis is loading the dataset in memory\r\n", id="loading"),
        pytest.param(b"-READONLY You can't write against a replica.\r\n", id="readonly"),
        pytest.param(b"-CLUSTERDOWN The cluster is down\r\n", id="cluster_down"),
        pytest.param(NO_RIGHTS, id="no_rights"),
        pytest.param(NO_MEMORY, id="no_memory"),
    ],
)
async def test_a_redis_that_fails_ends_whatever_is_asked_of_it(
    board: RedisBoard, faulty: FaultyRedis, fault: bytes
) -> None:
    faulty.fault = fault
    for attempt in attempts(board):
        async with asyncio.timeout(20):
            with pytest.raises(StoreUnavailable) as refusal:
                await attempt
            assert "127.0.0.1" not in str(refusal.value)
            assert isinstance(refusal.value, StoreBusy) == (fault in (NO_RIGHTS, NO_MEMORY))
    faulty.fault = None
    await stubborn(lambda: board.note("one", "a", b"a", seconds=LONG))
    await stubborn(lambda: board.notes("one"))


async def test_waiting_survives_a_connection_that_is_lost(
    faulty: FaultyRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_board, "SLICE_SECONDS", 0.2)
    board = redis_at(faulty.port)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(board.take("box", seconds=60))
        while not faulty.open_connections:
            await asyncio.wait([waiting], timeout=0.01)
        faulty.fault = CLOSE
        while not faulty.played:
            await asyncio.wait([waiting], timeout=0.01)
        faulty.fault = None
        await stubborn(lambda: board.post("box", b"yes", seconds=LONG))
    assert waiting.result() == b"yes"
    await board.aclose()


async def stubborn(work: Callable[[], Awaitable[object]]) -> None:
    """Until it succeeds: a busy machine may be slower than a test's short patience."""
    async with asyncio.timeout(20):
        while True:
            with suppress(StoreUnavailable):
                await work()
                return


async def test_no_more_connections_than_those_who_wait(
    redis_server: RedisServer, faulty: FaultyRedis
) -> None:
    board = redis_at(faulty.port)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(board.take(str(n), seconds=20)) for n in range(20)]
        for number in range(20):
            await board.post(str(number), b"", seconds=LONG)
    assert all(task.result() == b"" for task in waiting)
    assert await board.notes("one") == {}
    assert faulty.connections <= 21
    await board.aclose()


async def test_waiting_survives_a_slot_that_moves(cluster: ClusterTrio) -> None:
    prefix = f"ocp-gateway:{uuid4().hex}:"
    board = open_redis_board(replace(read_redis_url(cluster.url), prefix=prefix))
    slot = slot_of(f"{prefix}box:box")
    source = cluster.owner(slot)
    target = next(node for node in cluster.nodes if node is not source)
    await board.post("other", b"", seconds=LONG)
    for here, there in ((source, target), (target, source)):
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(board.take("box", seconds=20))
            while not _blocked_on(here):
                await asyncio.wait([waiting], timeout=0.01)
            await asyncio.to_thread(cluster.move_slot, slot, here, there)
            await board.post("box", b"yes", seconds=LONG)
        assert waiting.result() == b"yes"
    await board.aclose()


def _blocked_on(server: RedisServer) -> bool:
    """Whether somebody waits in a command there."""
    return fields_of(ask(server.port, "INFO", "clients"))[b"blocked_clients"] != b"0"


@dataclass(slots=True)
class Scripted:
    """A memory board that fails with `error` while there is one; `asked` counts."""

    error: StoreUnavailable | None = None
    asked: int = 0
    inner: MemoryBoard = field(default_factory=MemoryBoard)

    async def note(self, page: str, name: str, value: bytes | None, *, seconds: float) -> None:
        self._step()
        await self.inner.note(page, name, value, seconds=seconds)

    async def notes(self, page: str) -> Mapping[str, bytes]:
        self._step()
        return await self.inner.notes(page)

    async def post(self, box: str, value: bytes, *, seconds: float) -> None:
        self._step()
        await self.inner.post(box, value, seconds=seconds)

    async def take(self, box: str, *, seconds: float) -> bytes | None:
        self._step()
        return await self.inner.take(box, seconds=seconds)

    async def aclose(self) -> None:
        self.asked = -1

    def _step(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error


@dataclass(slots=True)
class Guarded:
    """A board and a store behind one guard, and the guard's clock."""

    behind: Scripted = field(default_factory=Scripted)
    clock: Clock = field(default_factory=Clock)
    store: GuardedStore = field(init=False)
    board: GuardedBoard = field(init=False)

    def __post_init__(self) -> None:
        self.store = GuardedStore(MemoryStore(StoreLimits()), monotonic=self.clock)
        self.board = GuardedBoard(self.behind, self.store)


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda board: board.notes("one"), id="reading"),
        pytest.param(lambda board: board.note("one", "a", b"", seconds=LONG), id="writing"),
        pytest.param(lambda board: board.post("box", b"", seconds=LONG), id="posting"),
    ],
)
async def test_a_board_that_is_down_is_left_alone_for_a_while(
    ask: Callable[[SessionBoard], Awaitable[object]],
) -> None:
    guarded = Guarded(behind=Scripted(error=DOWN))
    for _ in range(FAILURES + 5):
        with pytest.raises(StoreUnavailable):
            await ask(guarded.board)
    assert guarded.behind.asked == FAILURES
    guarded.behind.error = None
    guarded.clock.now += 10
    await ask(guarded.board)
    assert guarded.behind.asked == FAILURES + 1


async def test_a_board_whose_commands_are_refused_costs_contexts_nothing() -> None:
    guarded = Guarded(behind=Scripted(error=StoreBusy("no rights")))
    for _ in range(FAILURES + 5):
        with pytest.raises(StoreBusy):
            await guarded.board.notes("one")
        with pytest.raises(StoreBusy):
            await guarded.board.note("one", "a", b"", seconds=LONG)
    assert await guarded.store.update(ANONYMOUS, "ocp-00000000", append("one"))
    assert await guarded.store.get(ANONYMOUS, "ocp-00000000", newest=True)


async def test_a_guarded_board_is_otherwise_the_board_behind_it() -> None:
    guarded = Guarded()
    await guarded.board.note("one", "a", b"a", seconds=LONG)
    await guarded.board.post("box", b"yes", seconds=LONG)
    assert await guarded.board.notes("one") == {"a": b"a"}
    assert await guarded.board.take("box", seconds=1) == b"yes"
    await guarded.board.aclose()
    assert guarded.behind.asked == -1


async def test_the_oldest_page_in_memory_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_board, "MAX_PAGES", 2)
    board = MemoryBoard()
    for page in ("one", "two", "one", "three"):
        await board.note(page, "a", b"", seconds=LONG)
    assert [bool(await board.notes(page)) for page in ("one", "two", "three")] == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(("name", "most"), [("MAX_BOXES", 2), ("MAX_BOXED_BYTES", 8)])
async def test_the_oldest_box_in_memory_makes_room(
    monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    monkeypatch.setattr(memory_board, name, most)
    board = MemoryBoard()
    for box in ("one", "two", "three"):
        await board.post(box, b"1234", seconds=LONG)
    assert await board.take("one", seconds=0) is None
    assert await board.take("two", seconds=0) == b"1234"
    await board.post("four", b"1234", seconds=LONG)
    assert await board.take("three", seconds=0) == b"1234"


async def test_what_has_expired_leaves_memory_and_file(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "contexts.db"
    store = SqliteStore(path, StoreLimits(), clock=clock, monotonic=clock)
    board = SqliteBoard(store, clock=clock)
    for number in range(10):
        await board.note(str(number), "a", b"", seconds=LONG)
        await board.post(str(number), b"", seconds=LONG)
    clock.now += LONG + 1
    await board.note("new", "a", b"", seconds=LONG)
    await board.post("new", b"", seconds=LONG)
    await store.aclose()
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT page FROM session_notes").fetchall() == [("new",)]
        assert file.execute("SELECT box FROM session_boxes").fetchall() == [("new",)]


async def test_a_file_that_nobody_noted_anything_in_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "contexts.db"
    store = SqliteStore(path, StoreLimits())
    board = SqliteBoard(store)
    assert await board.notes("one") == {}
    assert await board.take("box", seconds=0) is None
    await store.aclose()
    with closing(sqlite3.connect(path)) as file:
        tables = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'session%'"
        assert file.execute(tables).fetchone() == (0,)


async def test_notes_and_contexts_share_a_commit_and_nothing_else(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "contexts.db", StoreLimits())
    board = SqliteBoard(store)
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(store.update(ANONYMOUS, "ocp-00000000", append(str(number))))
            group.create_task(board.note("one", str(number), b"", seconds=LONG))
            group.create_task(board.post(str(number), b"yes", seconds=LONG))
    stored = await store.get(ANONYMOUS, "ocp-00000000", newest=True)
    assert stored is not None
    assert len(tools_of(stored.context)) == len(await board.notes("one")) == 20
    assert [await board.take(str(number), seconds=0) for number in range(20)] == [b"yes"] * 20
    await store.aclose()


async def test_a_file_that_is_locked_fails_notes_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stores.sqlite.BUSY_SECONDS", 0.1)
    path = tmp_path / "contexts.db"
    store = SqliteStore(path, StoreLimits())
    board = SqliteBoard(store)
    await board.note("one", "a", b"a", seconds=LONG)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            await board.note("one", "b", b"b", seconds=LONG)
        assert await board.notes("one") == {"a": b"a"}
        other.execute("ROLLBACK")
    await board.note("one", "b", b"b", seconds=LONG)
    assert await board.notes("one") == {"a": b"a", "b": b"b"}
    await store.aclose()


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("memory://", MemoryBoard),
        ("sqlite:///x.db", SqliteBoard),
        ("redis://127.0.0.1:1", RedisBoard),
        ("redis+sentinel://127.0.0.1:1/contexts", RedisBoard),
        ("redis+cluster://127.0.0.1:1", RedisBoard),
    ],
)
async def test_the_board_is_where_the_contexts_are(url: str, kind: type) -> None:
    store = open_store(url, StoreLimits())
    board = open_board(url, store)
    assert isinstance(board, kind)
    await board.aclose()
    await store.aclose()
