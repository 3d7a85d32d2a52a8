"""The board of the processes that share a SQLite file, in that file."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from gateway.errors import StoreBusy, StoreUnavailable
from gateway.stores.memory_board import refuse_large
from gateway.stores.sqlite import SqliteStore

POLL_SECONDS = 0.05
MAX_TAKING = 256
"""Those who wait for a box at the same time; each looks twenty times a second."""
_PURGED_AT_ONCE = 32
# Made when there is something to keep: an older version of this program knows no such tables.
_TABLES = {
    "session_notes": (
        "page TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, expires REAL NOT NULL,"
        " PRIMARY KEY (page, name)"
    ),
    "session_boxes": "box TEXT PRIMARY KEY, value BLOB NOT NULL, expires REAL NOT NULL",
}
_NOTE = (
    "INSERT INTO session_notes (page, name, value, expires) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (page, name) DO UPDATE SET value = excluded.value, expires = excluded.expires"
)


class SqliteBoard:
    """A SessionBoard over the connection that a SqliteStore has open."""

    def __init__(self, store: SqliteStore, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` counts seconds since the epoch: other processes read what is written by it."""
        self._store = store
        self._clock = clock
        self._taking = 0

    async def note(self, page: str, name: str, value: bytes | None, *, seconds: float) -> None:
        refuse_large(value)
        now = self._clock()

        def write(connection: sqlite3.Connection) -> None:
            _prepare(connection, "session_notes", now)
            if value is None:
                sql = "DELETE FROM session_notes WHERE page = ? AND name = ?"
                connection.execute(sql, (page, name))
            else:
                connection.execute(_NOTE, (page, name, value, now + seconds))

        await self._store.write_beside(write)

    async def notes(self, page: str) -> Mapping[str, bytes]:
        now = self._clock()

        def look(connection: sqlite3.Connection) -> dict[str, bytes]:
            if not _exists(connection, "session_notes"):
                return {}
            sql = "SELECT name, value FROM session_notes WHERE page = ? AND expires > ?"
            return dict(connection.execute(sql, (page, now)))

        return await self._store.look_beside(look)

    async def post(self, box: str, value: bytes, *, seconds: float) -> None:
        refuse_large(value)
        now = self._clock()

        def write(connection: sqlite3.Connection) -> None:
            _prepare(connection, "session_boxes", now)
            connection.execute(
                "DELETE FROM session_boxes WHERE box = ? AND expires <= ?", (box, now)
            )
            connection.execute(
                "INSERT OR IGNORE INTO session_boxes (box, value, expires) VALUES (?, ?, ?)",
                (box, value, now + seconds),
            )

        await self._store.write_beside(write)

    async def take(self, box: str, *, seconds: float) -> bytes | None:
        if self._taking >= MAX_TAKING:
            raise StoreBusy("too many questions wait for their answers")
        self._taking += 1
        end = asyncio.get_running_loop().time() + seconds
        try:
            while (value := await self._look_into(box)) is None:
                left = end - asyncio.get_running_loop().time()
                if left <= 0:
                    return None
                await asyncio.sleep(min(POLL_SECONDS, left))
        finally:
            self._taking -= 1
        # What stays in the box expires, and the answer is here.
        with suppress(StoreUnavailable):
            await self._empty(box)
        return value

    async def aclose(self) -> None:
        """The file is the store's."""

    async def _look_into(self, box: str) -> bytes | None:
        now = self._clock()

        def look(connection: sqlite3.Connection) -> bytes | None:
            if not _exists(connection, "session_boxes"):
                return None
            sql = "SELECT value FROM session_boxes WHERE box = ? AND expires > ?"
            row = connection.execute(sql, (box, now)).fetchone()
            return None if row is None else bytes(row[0])

        return await self._store.look_beside(look)

    async def _empty(self, box: str) -> None:
        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM session_boxes WHERE box = ?", (box,))

        await self._store.write_beside(write)


def _exists(connection: sqlite3.Connection, table: str) -> bool:
    sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"
    return connection.execute(sql, (table,)).fetchone() is not None


def _prepare(connection: sqlite3.Connection, table: str, now: float) -> None:
    """The table and its index are there, and a few that have expired are not."""
    if not _exists(connection, table):
        connection.execute(f"CREATE TABLE {table} ({_TABLES[table]})")
        connection.execute(f"CREATE INDEX {table}_by_expiry ON {table} (expires)")
    connection.execute(
        f"DELETE FROM {table} WHERE rowid IN"  # noqa: S608 - one of ours
        f" (SELECT rowid FROM {table} WHERE expires <= ? ORDER BY expires LIMIT ?)",
        (now, _PURGED_AT_ONCE),
    )
