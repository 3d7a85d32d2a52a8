"""What is special to the file: privacy, several processes, kills, corruption, shared commits."""

import asyncio
import logging
import os
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.context import AgentContext
from gateway.errors import PayloadTooLarge, StoreUnavailable, UnreadableRecord, VersionConflict
from gateway.policy import ANONYMOUS
from gateway.stores import SqliteStore, StoreLimits
from gateway.stores.copies import Key
from gateway.stores.paging import SLICE
from gateway.stores.record import MAX_RECORD_BYTES, Record
from gateway.stores.sqlite import BUSY_SECONDS, MAX_QUARANTINED
from tests.support.contexts import Apply, a_context, a_context_id, append, tools_of
from tests.support.gateway_process import wait_until
from tests.support.store_writer import start_writer

ID = "ocp-00000000"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "contexts.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(path, StoreLimits())
    yield opened
    await opened.aclose()


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def execute(
    path: Path, statement: str, *values: object, mode: int = 0o600
) -> list[tuple[object, ...]]:
    path.parent.mkdir(exist_ok=True)
    path.touch(mode)
    connection = sqlite3.connect(path)
    try:
        with connection:
            return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


async def test_nobody_else_can_read_the_file(store: SqliteStore, path: Path) -> None:
    await store.update(ANONYMOUS, ID, append())
    modes = {entry.name: mode_of(entry) for entry in path.parent.glob("contexts.db*")}
    assert modes == dict.fromkeys(("contexts.db", "contexts.db-shm", "contexts.db-wal"), 0o600)
    assert mode_of(path.parent) == 0o700


async def test_a_file_that_others_could_read_becomes_private(
    store: SqliteStore, path: Path
) -> None:
    execute(path, "PRAGMA user_version = 0", mode=0o644)
    await store.ping()
    assert mode_of(path) == 0o600


async def test_commits_are_durable(store: SqliteStore) -> None:
    await store.ping()

    def pragmas() -> tuple[object, object]:
        execute = store._file.connection.execute
        return (
            execute("PRAGMA journal_mode").fetchone()[0],
            execute("PRAGMA synchronous").fetchone()[0],
        )

    full = 2
    assert await store._worker.run(pragmas) == ("wal", full)


async def test_two_processes_share_a_file(path: Path) -> None:
    writers = [start_writer(f"sqlite:///{path}", ID, name, 100) for name in ("one", "other")]
    acknowledged = []
    for writer in writers:
        output, _ = await asyncio.to_thread(writer.communicate)
        assert writer.returncode == 0
        acknowledged.append(output.split())
    stored = await _read(path)
    for mine in acknowledged:
        assert len(mine) == 100
        assert [name for name in tools_of(stored) if name in mine] == mine
    assert len(stored.history) == 200


async def test_a_killed_writer_loses_nothing_acknowledged(path: Path) -> None:
    doubled: list[str] = []
    for attempt in range(3):
        writer = start_writer(f"sqlite:///{path}", ID, f"writer{attempt}", 1_000_000)
        assert writer.stdout is not None
        seen = [await asyncio.to_thread(writer.stdout.readline) for _ in range(20)]
        writer.kill()
        rest, _ = await asyncio.to_thread(writer.communicate)
        lines = "".join((*seen, rest)).splitlines(keepends=True)
        acknowledged = [line.strip() for line in lines if line.endswith("\n")]
        stored = tools_of(await _read(path))
        assert set(acknowledged) <= set(stored)
        doubled += [name for name in stored if stored.count(name) > 1]
    assert doubled == []


async def _read(path: Path) -> AgentContext:
    store = SqliteStore(path, StoreLimits())
    stored = await store.get(ANONYMOUS, ID)
    await store.aclose()
    assert stored is not None
    assert stored.context.session is not None
    assert stored.context.session.interaction_count == stored.version
    return stored.context


def torn_pages(path: Path) -> bytes:
    data = path.read_bytes()
    torn = data[:4096] + b"\xff" * (len(data) - 4096)
    path.write_bytes(torn)
    return torn


def torn_first_page(path: Path) -> bytes:
    data = path.read_bytes()
    torn = data[:16] + b"\xff" * 4080 + data[4096:]
    path.write_bytes(torn)
    return torn


def cut_off(path: Path) -> bytes:
    cut = path.read_bytes()[:5000]
    path.write_bytes(cut)
    return cut


@pytest.mark.parametrize(
    "damage", [torn_pages, torn_first_page, cut_off], ids=lambda damage: damage.__name__
)
async def test_a_corrupt_file_is_set_aside(
    path: Path, damage: Callable[[Path], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    store = SqliteStore(path, StoreLimits())
    await store.update(ANONYMOUS, ID, append())
    await store.aclose()
    for number in (1, 2):
        corrupt = damage(path)
        store = SqliteStore(path, StoreLimits())
        with caplog.at_level(logging.ERROR):
            assert await store.get(ANONYMOUS, ID) is None
        assert f"contexts.db.corrupt-{number}" in caplog.text
        assert path.with_name(f"contexts.db.corrupt-{number}").read_bytes() == corrupt
        stored = await store.update(ANONYMOUS, ID, append("anew"))
        assert stored is not None
        assert stored.version == 1
        await store.aclose()


async def test_corruption_under_way_costs_no_call(store: SqliteStore, path: Path) -> None:
    await store.update(ANONYMOUS, ID, append())
    await store._worker.run(store._file.close)
    torn_pages(path)
    stored = await store.update(ANONYMOUS, ID, append("after"))
    assert stored is not None
    assert tools_of(stored.context) == ["after"]


def write_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o644)


def files_beside(path: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in path.parent.iterdir()}


FOREIGN = {
    "yaml": b"openapi: 3.1.0\npaths: {}\n",
    "short": b"x",
    "like_it": b"SQLite format 2\0" + b"\0" * 5000,
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
async def test_a_file_that_is_no_database_is_refused_and_left_alone(
    store: SqliteStore, path: Path, content: bytes
) -> None:
    write_file(path, content)
    for attempt in (store.ping(), store.update(ANONYMOUS, ID, append())):
        with pytest.raises(StoreUnavailable, match="not a SQLite database"):
            await attempt
    assert files_beside(path) == {path.name: content}
    assert mode_of(path) == 0o644


def fail_to_read(monkeypatch: pytest.MonkeyPatch, code: int, times: int) -> list[Key]:
    """Makes the next reads fail with SQLite's result code; gives the list of all reads."""
    read, seen = SqliteStore._read, list[Key]()

    def reading(store: SqliteStore, key: Key) -> Record | None:
        seen.append(key)
        if len(seen) > times:
            return read(store, key)
        error = sqlite3.OperationalError("as a test wants it")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr(SqliteStore, "_read", reading)
    return seen


async def test_a_database_that_is_overwritten_under_way_is_not_set_aside(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.ping()
    await store._worker.run(store._file.close)
    await store.ping()
    write_file(path, FOREIGN["yaml"])
    fail_to_read(monkeypatch, sqlite3.SQLITE_CORRUPT, 10)
    with pytest.raises(StoreUnavailable):
        await store.update(ANONYMOUS, ID, append())
    assert files_beside(path)[path.name] == FOREIGN["yaml"]
    assert not list(path.parent.glob("*.corrupt-*"))


async def test_an_empty_file_becomes_a_database(store: SqliteStore, path: Path) -> None:
    write_file(path, b"")
    assert await store.update(ANONYMOUS, ID, append()) is not None


async def test_a_named_pipe_is_refused_at_once(store: SqliteStore, path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(StoreUnavailable, match="not a SQLite database"):
        await store.ping()


async def test_a_file_that_was_replaced_is_opened_anew(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    other = SqliteStore(tmp_path / "other.db", StoreLimits())
    await other.update(ANONYMOUS, ID, append("other"))
    await other.aclose()
    await store.update(ANONYMOUS, ID, append("mine"))
    shutil.copy(tmp_path / "other.db", tmp_path / "copy.db")
    (tmp_path / "copy.db").rename(path)
    for side in ("-wal", "-shm"):
        path.with_name(path.name + side).unlink()
    stored = await store.get(ANONYMOUS, ID, newest=True)
    assert stored is not None
    assert tools_of(stored.context) == ["other"]


async def test_a_file_of_a_later_version_is_left_alone(store: SqliteStore, path: Path) -> None:
    execute(path, "PRAGMA user_version = 99")
    with pytest.raises(StoreUnavailable, match="layout 99"):
        await store.update(ANONYMOUS, ID, append())
    assert execute(path, "PRAGMA user_version") == [(99,)]


async def test_the_reason_names_no_path(store: SqliteStore, path: Path) -> None:
    path.parent.touch()
    with pytest.raises(StoreUnavailable) as failure:
        await store.ping()
    assert str(failure.value) == "the context store failed: File exists"


async def test_a_locked_file_is_unavailable_until_it_is_free(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stores.sqlite.BUSY_SECONDS", 0.3)
    store = SqliteStore(path, StoreLimits())
    await store.ping()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    change = append()
    with pytest.raises(StoreUnavailable, match="locked"):
        await store.update(ANONYMOUS, ID, change)
    assert await store.get(ANONYMOUS, ID) is None
    holder.execute("ROLLBACK")
    holder.close()
    stored = await store.update(ANONYMOUS, ID, change)
    assert stored is not None
    assert stored.version == 1
    await store.aclose()


async def test_a_lock_holds_up_updates_but_not_reads(store: SqliteStore, path: Path) -> None:
    await store.update(ANONYMOUS, ID, append("before"))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    names = [f"waiting {number}" for number in range(10)]
    waiting = [asyncio.ensure_future(store.update(ANONYMOUS, ID, append(name))) for name in names]
    for _ in range(5):
        stored = await store.get(ANONYMOUS, ID)
        assert stored is not None
        assert tools_of(stored.context) == ["before"]
        await store.ping()
    assert not any(update.done() for update in waiting)
    holder.execute("ROLLBACK")
    holder.close()
    stored = (await asyncio.gather(*waiting))[-1]
    assert stored is not None
    assert tools_of(stored.context) == ["before", *names]


async def test_updates_behind_a_lock_give_up_at_the_same_time(
    store: SqliteStore, path: Path
) -> None:
    now = 0.0
    store._worker._clock = lambda: now
    await store.ping()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    waiting = [asyncio.ensure_future(store.update(ANONYMOUS, ID, append())) for _ in range(300)]
    for _ in range(5):
        await store.ping()
    now = BUSY_SECONDS
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert {str(result) for result in results} == {"the context store failed: database is locked"}
    holder.execute("ROLLBACK")
    holder.close()
    assert await store.get(ANONYMOUS, ID) is None


async def test_a_lock_on_a_file_that_is_not_open_yet_is_waited_for(
    store: SqliteStore, path: Path
) -> None:
    path.parent.mkdir()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE other (x)")
    holder.execute("BEGIN EXCLUSIVE")
    waiting = asyncio.ensure_future(store.update(ANONYMOUS, ID, append()))
    await asyncio.to_thread(wait_until, store._worker._thread.is_alive, "the worker")
    assert not waiting.done()
    holder.execute("ROLLBACK")
    holder.close()
    assert await waiting is not None


async def test_a_transaction_that_a_lock_breaks_off_is_begun_anew(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = fail_to_read(monkeypatch, sqlite3.SQLITE_BUSY, 1)
    stored = await store.update(ANONYMOUS, ID, append())
    assert stored is not None
    assert (len(reads), stored.version) == (2, 1)


async def test_updates_that_wait_together_share_a_commit(store: SqliteStore) -> None:
    statements: list[str] = []

    def trace() -> None:
        store._file.connection.set_trace_callback(statements.append)

    await store.ping()
    await store._worker.run(trace)
    async with asyncio.TaskGroup() as group:
        for number in range(50):
            group.create_task(store.update(ANONYMOUS, a_context_id(number), append()))
    assert statements.count("COMMIT") <= 2
    assert sum(statement.startswith("INSERT") for statement in statements) == 50


async def test_a_fault_stays_with_its_own_caller(store: SqliteStore) -> None:
    def refuse(_now: AgentContext | None) -> AgentContext | None:
        raise LookupError("no such step")

    results = await asyncio.gather(
        store.update(ANONYMOUS, ID, append("first")),
        store.update(ANONYMOUS, ID, Apply(step=refuse)),
        store.update(ANONYMOUS, ID, append(), expected=7),
        store.update(ANONYMOUS, "\ud800", append()),
        store.update(ANONYMOUS, ID, append("last")),
        return_exceptions=True,
    )
    kinds = [type(result) for result in results if isinstance(result, Exception)]
    assert kinds == [LookupError, VersionConflict, UnicodeEncodeError]
    stored = await store.get(ANONYMOUS, ID)
    assert stored is not None
    assert tools_of(stored.context) == ["first", "last"]


def of_size(size: int) -> Apply:
    return Apply(step=lambda _now: replace(a_context(), context_summary="x" * size))


async def test_a_context_that_is_too_large_takes_nobody_s_place(path: Path) -> None:
    store = SqliteStore(path, StoreLimits(max_contexts_per_principal=1))
    await store.update(ANONYMOUS, ID, append())
    too_large = of_size(MAX_RECORD_BYTES)
    with pytest.raises(PayloadTooLarge):
        await store.update(ANONYMOUS, a_context_id(1), too_large)
    assert await store.get(ANONYMOUS, ID) is not None
    await store.aclose()


async def test_a_full_disk_acknowledges_nothing(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.update(ANONYMOUS, ID, append("before"))
    # As SQLite sees a full disk: the file may not grow any further.
    [(pages,)] = execute(path, "PRAGMA page_count")
    with monkeypatch.context() as full:
        full.setattr("gateway.stores.sqlite_file._PRAGMAS", (f"PRAGMA max_page_count = {pages}",))
        await store._worker.run(store._file.close)
        large = [of_size(20_000) for _ in range(20)]
        results = await asyncio.gather(
            *(store.update(ANONYMOUS, a_context_id(n), change) for n, change in enumerate(large)),
            return_exceptions=True,
        )
    assert [type(result) for result in results] == [StoreUnavailable] * 20
    stored = await store.update(ANONYMOUS, ID, append("after"))
    assert stored is not None
    assert tools_of(stored.context) == ["before", "after"]
    assert stored.context.context_summary is None


POISON = {
    "no_json": b"\x00\xff",
    "another_shape": b"[]",
    "no_context": b'{"format":1,"version":1,"named":true,"operations":["x"]}',
    "nested": b"[" * 100_000,
    "too_large": b" " * (MAX_RECORD_BYTES + 1),
    "another_type": "text",
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
async def test_an_unreadable_record_is_absent_until_an_update_sets_it_aside(
    store: SqliteStore, path: Path, poison: bytes | str
) -> None:
    await store.update(ANONYMOUS, ID, append())
    await store.update(ANONYMOUS, a_context_id(1), append())
    execute(path, "UPDATE contexts SET record = ? WHERE context_id = ?", poison, ID)
    assert await store.get(ANONYMOUS, ID, newest=True) is None
    page = await store.list(ANONYMOUS, None, 10)
    assert len(page.items) == 1
    assert execute(path, "SELECT record FROM contexts WHERE context_id = ?", ID) == [(poison,)]
    stored = await store.update(ANONYMOUS, ID, append("anew"))
    assert stored is not None
    assert (stored.version, tools_of(stored.context)) == (1, ["anew"])
    assert execute(path, "SELECT record FROM quarantine") == [(poison[:MAX_RECORD_BYTES],)]


async def test_what_is_set_aside_is_bounded_and_the_latest_stay(
    store: SqliteStore, path: Path
) -> None:
    for number in range(MAX_QUARANTINED + 3):
        await store.update(ANONYMOUS, a_context_id(number), append())
    execute(path, "UPDATE contexts SET record = x'00'")
    for number in range(MAX_QUARANTINED + 3):
        await store.update(ANONYMOUS, a_context_id(number), append())
    kept = execute(path, "SELECT context_id FROM quarantine ORDER BY rowid")
    assert kept == [(a_context_id(number),) for number in range(3, MAX_QUARANTINED + 3)]


async def test_the_record_of_a_later_version_is_left_alone(store: SqliteStore, path: Path) -> None:
    await store.update(ANONYMOUS, ID, append())
    later = b'{"format":2,"version":1}'
    execute(path, "UPDATE contexts SET record = ?", later)
    assert await store.get(ANONYMOUS, ID, newest=True) is None
    with pytest.raises(UnreadableRecord, match="later version"):
        await store.update(ANONYMOUS, ID, append())
    assert execute(path, "SELECT record FROM contexts") == [(later,)]


async def test_writers_get_in_between_the_parts_of_a_list(store: SqliteStore) -> None:
    for number in range(3 * SLICE):
        await store.update(ANONYMOUS, a_context_id(number), append())
    reading = asyncio.ensure_future(store.list(ANONYMOUS, None, 1_000))
    await asyncio.sleep(0)
    await store.update(ANONYMOUS, ID, append())
    assert not reading.done()
    assert len((await reading).items) == 3 * SLICE


async def test_a_list_leaves_out_what_has_expired_or_cannot_be_read(path: Path) -> None:
    now = 0.0
    store = SqliteStore(path, StoreLimits(new_ttl_seconds=10), clock=lambda: now)
    for number in range(8):
        now, context_id = float(number), a_context_id(number)
        await store.update(ANONYMOUS, context_id, append(context_id=context_id))
    poisons = [b"", "text", 5, b"{}", b"x" * 5_000]
    for number, poison in enumerate(poisons, start=3):
        change = "UPDATE contexts SET record = ? WHERE context_id = ?"
        execute(path, change, poison, a_context_id(number))
    now = 11.5
    page = await store.list(ANONYMOUS, None, 10)
    assert [item.context.context_id for item in page.items] == [a_context_id(2)]
    assert page.next_cursor is None
    await store.aclose()


async def test_a_list_that_fails_leaves_no_transaction_behind(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise MemoryError

    await store.update(ANONYMOUS, ID, append())
    with monkeypatch.context() as patched:
        patched.setattr("gateway.stores.sqlite_listing.listed", broken)
        with pytest.raises(MemoryError):
            await store.list(ANONYMOUS, None, 10)
    assert await store.update(ANONYMOUS, ID, append()) is not None
    assert len((await store.list(ANONYMOUS, None, 10)).items) == 1


async def test_a_clock_that_is_set_back_makes_no_old_copy_fresh(path: Path) -> None:
    wall, steady = 1_000.0, 50.0
    store = SqliteStore(path, StoreLimits(), clock=lambda: wall, monotonic=lambda: steady)
    other = SqliteStore(path, StoreLimits(), clock=lambda: wall)
    await store.update(ANONYMOUS, ID, append("one"))
    wall -= 10
    await other.update(ANONYMOUS, ID, append("two"))
    wall, steady = wall + 10, steady + 10
    stored = await store.get(ANONYMOUS, ID)
    assert stored is not None
    assert tools_of(stored.context) == ["one", "two"]
    # The other way round, too: the age of what has just been read does not depend on that clock.
    wall -= 10
    await other.update(ANONYMOUS, ID, append("three"))
    assert await store.get(ANONYMOUS, ID) == stored
    await store.aclose()
    await other.aclose()


async def test_expired_contexts_of_anybody_leave_the_file(path: Path) -> None:
    now = 0.0
    store = SqliteStore(path, StoreLimits(new_ttl_seconds=10), clock=lambda: now)
    for number in range(20):
        await store.update(ANONYMOUS, a_context_id(number), append())
    now = 11.0
    await store.update(ANONYMOUS, a_context_id(99), append())
    await store.aclose()
    assert execute(path, "SELECT count(*) FROM contexts") == [(1,)]


async def test_the_event_loop_never_waits_for_the_file(store: SqliteStore, path: Path) -> None:
    await store.ping()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    waiting = asyncio.ensure_future(store.update(ANONYMOUS, ID, append()))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not waiting.done()
    holder.execute("ROLLBACK")
    holder.close()
    assert await waiting is not None
