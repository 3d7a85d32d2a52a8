"""`sqlite:///PATH`: contexts in one file that several processes may share.

An update is acknowledged after COMMIT in WAL mode with synchronous=FULL, so neither a killed
process nor a crashed host loses one (sqlite.org/pragma.html#pragma_synchronous).
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from gateway.errors import GatewayError, StoreUnavailable, UnreadableRecord
from gateway.interfaces import Change, Page, Stored
from gateway.policy import Principal
from gateway.stores.files import beginning, inode, locked, make_private, set_aside
from gateway.stores.record import (
    MAX_RECORD_BYTES,
    RecentRecords,
    Record,
    StoreLimits,
    decode_cursor,
    encode_cursor,
    encode_record,
    is_applied,
    next_record,
)
from gateway.stores.worker import Job, Worker

_LOG = logging.getLogger(__name__)

SCHEMA_VERSION = 1
BUSY_SECONDS = 2.0
"""How long a call waits for the file, in the queue and for a lock together."""
_HEADER = b"SQLite format 3\0"
_PURGED_AT_ONCE = 32
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA journal_size_limit = 67108864",
)
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS contexts (
    principal TEXT NOT NULL,
    context_id TEXT NOT NULL,
    record BLOB NOT NULL,
    named INTEGER NOT NULL,
    written REAL NOT NULL,
    expires REAL NOT NULL,
    PRIMARY KEY (principal, context_id)
);
CREATE INDEX IF NOT EXISTS contexts_by_age ON contexts (principal, named, written);
CREATE INDEX IF NOT EXISTS contexts_by_expiry ON contexts (expires);
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""


class SqliteStore:
    """A ContextStore in a SQLite file.

    One thread owns the connection. Updates that wait at the same time share one transaction, each
    in a savepoint, so that a commit's fsync is paid once and a fault stays with its own caller.
    """

    def __init__(
        self, path: Path, limits: StoreLimits, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Nothing is opened before the first call. `clock` counts seconds since the epoch."""
        self._limits = limits
        self._clock = clock
        self._file = _DatabaseFile(path)
        self._recent = RecentRecords()
        self._worker = Worker(
            self._run_batch, self._file.close, name="context-store", patience=BUSY_SECONDS
        )

    async def get(self, principal: Principal, context_id: str) -> Stored | None:
        def work() -> Stored | None:
            record = self._read(principal.name, context_id)
            return record.stored if record else None

        try:
            return await self._worker.run(work, writes=False)
        except UnreadableRecord:
            _LOG.warning("a stored context cannot be read by this version; treated as absent")
            return None

    async def update(
        self,
        principal: Principal,
        context_id: str,
        change: Change,
        *,
        expected: int | None = None,
    ) -> Stored | None:
        def work() -> Stored | None:
            record = self._read(principal.name, context_id)
            if record is not None and is_applied(record, change):
                return record.stored
            after = next_record(record, change, expected)
            self._write(principal.name, context_id, record, after)
            return after.stored if after else None

        return await self._worker.run(work, writes=True)

    async def list(self, principal: Principal, cursor: str | None, limit: int) -> Page:
        after = decode_cursor(cursor)

        def work() -> Page:
            return self._page(principal.name, after, limit)

        return await self._worker.run(work, writes=False)

    async def ping(self) -> None:
        def work() -> None:
            self._file.connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()

        await self._worker.run(work, writes=False)

    async def aclose(self) -> None:
        await self._worker.aclose()

    # Everything below runs in the worker's thread.

    def _run_batch(self, jobs: Sequence[Job]) -> None:
        # A second round serves the batch from the empty file that takes a corrupt one's place.
        for last_round in (False, True):
            waiting = [job for job in jobs if not job.done]
            try:
                self._file.ready()
                for settle in [_attempt(job) for job in waiting if not job.writes]:
                    settle()
                self._commit([job for job in waiting if job.writes])
            except (sqlite3.Error, OSError, GatewayError) as error:
                if _primary_code(error) == sqlite3.SQLITE_BUSY:
                    # Another process has the lock. Its end is waited for in the queue, not in
                    # SQLite: there, reads would wait, too, although nothing keeps them.
                    self._file.break_off()
                    _leave_undone(jobs, Job.postpone, error)
                    return
                corrupt = self._file.give_up(error)
                if last_round or not corrupt:
                    _leave_undone(jobs, Job.fail, error)
                    return
            else:
                return

    def _commit(self, jobs: Sequence[Job]) -> None:
        if not jobs:
            return
        execute = self._file.connection.execute
        execute("BEGIN IMMEDIATE")
        outcomes: list[Callable[[], None]] = []
        for job in jobs:
            execute("SAVEPOINT one")
            outcomes.append(_attempt(job, partial(execute, "ROLLBACK TO one")))
            execute("RELEASE one")
        execute("COMMIT")
        # Only now: nobody may hear of what a failing commit takes back.
        for settle in outcomes:
            settle()

    def _read(self, principal: str, context_id: str) -> Record | None:
        row = self._file.connection.execute(
            "SELECT CASE WHEN length(record) <= ? THEN record END FROM contexts"
            " WHERE principal = ? AND context_id = ? AND expires > ?",
            (MAX_RECORD_BYTES, principal, context_id, self._clock()),
        ).fetchone()
        return None if row is None else self._decode(principal, context_id, row[0])

    def _write(
        self, principal: str, context_id: str, before: Record | None, after: Record | None
    ) -> None:
        connection = self._file.connection
        if after is None:
            connection.execute(
                "DELETE FROM contexts WHERE principal = ? AND context_id = ?",
                (principal, context_id),
            )
            return
        now = self._clock()
        if before is None:
            self._make_room(principal, context_id, now)
        data = encode_record(after)
        self._recent.keep((principal, context_id), after, len(data))
        connection.execute(
            "INSERT OR REPLACE INTO contexts"
            " (principal, context_id, record, named, written, expires) VALUES (?, ?, ?, ?, ?, ?)",
            (
                principal,
                context_id,
                data,
                after.named,
                now,
                now + after.seconds_to_live(self._limits),
            ),
        )

    def _make_room(self, principal: str, context_id: str, now: float) -> None:
        execute = self._file.connection.execute
        # A few of anybody's with each new one: what nobody asks for again goes, too.
        execute(
            "DELETE FROM contexts WHERE rowid IN"
            " (SELECT rowid FROM contexts WHERE expires <= ? ORDER BY expires LIMIT ?)",
            (now, _PURGED_AT_ONCE),
        )
        limit = self._limits.max_contexts_per_principal
        if self._count(principal, limit) < limit:
            return
        execute("DELETE FROM contexts WHERE principal = ? AND expires <= ?", (principal, now))
        surplus = self._count(principal, None) - limit + 1
        execute(
            "DELETE FROM contexts WHERE rowid IN (SELECT rowid FROM contexts"
            " WHERE principal = ? AND context_id <> ? ORDER BY named, written LIMIT ?)",
            (principal, context_id, max(0, surplus)),
        )

    def _count(self, principal: str, at_most: int | None) -> int:
        row = self._file.connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM contexts WHERE principal = ? LIMIT ?)",
            (principal, -1 if at_most is None else at_most),
        ).fetchone()
        return int(row[0])

    def _page(self, principal: str, after: str, limit: int) -> Page:
        rows = self._file.connection.execute(
            "SELECT context_id, CASE WHEN length(record) <= ? THEN record END FROM contexts"
            " WHERE principal = ? AND context_id > ? AND expires > ?"
            " ORDER BY context_id LIMIT ?",
            (MAX_RECORD_BYTES, principal, after, self._clock(), limit + 1),
        ).fetchall()
        return Page(
            items=tuple(self._readable(principal, rows[:limit])),
            next_cursor=encode_cursor(rows[limit - 1][0]) if len(rows) > limit else None,
        )

    def _readable(self, principal: str, rows: Iterable[tuple[str, object]]) -> Iterator[Stored]:
        for context_id, data in rows:
            try:
                yield self._decode(principal, context_id, data).stored
            except UnreadableRecord:
                continue

    def _decode(self, principal: str, context_id: str, data: object) -> Record:
        if not isinstance(data, bytes):
            raise UnreadableRecord("a stored context cannot be read by this version")
        return self._recent.decode((principal, context_id), data)


def _attempt(job: Job, undo: Callable[[], object] | None = None) -> Callable[[], None]:
    """Does a job and gives the way to tell its caller; errors of the file itself are raised."""
    try:
        return partial(job.settle, job.work())
    except (sqlite3.Error, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - one caller's fault must not fail the others
        if undo is not None:
            undo()
        return partial(job.fail, error)


def _leave_undone(
    jobs: Iterable[Job], leave: Callable[[Job, Exception], None], error: Exception
) -> None:
    # The system's own text of an OSError names the path.
    reason = error.strerror if isinstance(error, OSError) else error
    unavailable = StoreUnavailable(f"the context store failed: {reason}")
    unavailable.__cause__ = error
    for job in jobs:
        if not job.done:
            leave(job, unavailable)


def _primary_code(error: Exception) -> int:
    """SQLite's result code without its extension; 0 for any other error."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


class _DatabaseFile:
    """The file, its connection, and what becomes of a corrupt one. Lives in one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: sqlite3.Connection | None = None
        self._inode: int | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        if self._opened is None:
            raise StoreUnavailable("the context store is not open")
        return self._opened

    def ready(self) -> None:
        """Opens the file, or the one that has taken its place since."""
        if self._opened is not None and inode(self._path) != self._inode:
            self.close()
        if self._opened is None:
            self._open()

    def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            with suppress(sqlite3.Error):
                opened.close()

    def break_off(self) -> None:
        """Leaves no transaction open."""
        if self._opened is not None and self._opened.in_transaction:
            self.close()

    def give_up(self, error: Exception) -> bool:
        """Closes after an error; a corrupt database is set aside, then True."""
        self.close()
        if _primary_code(error) not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return False
        try:
            if beginning(self._path, len(_HEADER)) != _HEADER:
                return False
            with locked(self._path.parent):
                kept = set_aside(self._path, self._inode)
        except OSError:
            _LOG.exception("the context store is corrupt and could not be set aside")
            return False
        if kept is not None:
            _LOG.error("corrupt context store set aside as %s; going on empty", kept.name)
        return True

    def _open(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # One process at a time: the switch to WAL does not wait for a busy file.
        with locked(self._path.parent):
            # Before anything is done to it: a wrong path may lead to somebody's other file.
            if self._path.exists() and beginning(self._path, len(_HEADER)) not in (_HEADER, b""):
                raise StoreUnavailable("the file is not a SQLite database")
            make_private(self._path)
            self._inode = inode(self._path)
            connection = sqlite3.connect(self._path, timeout=0, isolation_level=None)
            try:
                _prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._opened = connection


def _prepare(connection: sqlite3.Connection) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version == 0:
        connection.executescript(_SCHEMA)
    elif version != SCHEMA_VERSION:
        raise StoreUnavailable(f"the file has layout {version}, this version needs layout 1")
