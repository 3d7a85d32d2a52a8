"""The SQLite file behind the store: its connection and layout, and a corrupt one's fate."""

import logging
import sqlite3
from contextlib import suppress
from pathlib import Path

from gateway.errors import StoreUnavailable
from gateway.stores.files import beginning, inode, locked, make_private, set_aside

_LOG = logging.getLogger(__name__)

SCHEMA_VERSION = 1
_HEADER = b"SQLite format 3\0"
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


def primary_code(error: Exception) -> int:
    """SQLite's result code without its extension; 0 for any other error."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


class DatabaseFile:
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
        if primary_code(error) not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
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
