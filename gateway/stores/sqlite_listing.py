"""A part of a page of a principal's contexts, out of the SQLite file."""

import sqlite3
from contextlib import suppress
from dataclasses import dataclass

from gateway.errors import UnreadableRecord
from gateway.interfaces import Stored
from gateway.stores.paging import HEAD_BYTES, listed
from gateway.stores.record import MAX_RECORD_BYTES

# What stands behind the record in a row is as far away as the record is long, `expires` included;
# an index has it at hand.
_LISTED = (
    "SELECT context_id, rowid, CASE typeof(record) WHEN 'blob' THEN length(record) ELSE 0 END"
    " FROM contexts WHERE principal = ? AND context_id > ?"
    " AND rowid NOT IN (SELECT rowid FROM contexts WHERE expires <= ?)"
    " ORDER BY context_id LIMIT ?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """`items` are what can be read of the `shown` contexts up to the id `last`.

    `size` bytes were read for it. `more`: there are others behind `last`.
    """

    items: tuple[Stored, ...]
    last: str
    shown: int
    size: int
    more: bool


def read_slice(
    connection: sqlite3.Connection, principal: str, after: str, *, now: float, most: int, room: int
) -> Slice:
    """Up to `most` contexts behind the id `after`, no more once `room` bytes have been read."""
    items, last, shown, size = list[Stored](), after, 0, 0
    # The records that are opened are those that the index has shown.
    connection.execute("BEGIN")
    try:
        rows = connection.execute(_LISTED, (principal, after, now, most + 1)).fetchall()
        for context_id, row, length in rows[:most]:
            if size >= room:
                break
            last, shown = context_id, shown + 1
            stored, read = _listed(connection, row, length)
            items += () if stored is None else (stored,)
            size += read
    finally:
        # Whatever went wrong: the next one's BEGIN would fail in a transaction.
        connection.rollback()
    more = len(rows) > shown
    return Slice(items=tuple(items), last=last, shown=shown, size=size, more=more)


def _listed(connection: sqlite3.Connection, row: int, length: int) -> tuple[Stored | None, int]:
    """What a list shows of a record, None if it is unreadable, and how many bytes it took."""
    if not 0 < length <= MAX_RECORD_BYTES:
        return None, 0
    # A SELECT would read all of it, whatever part it asked for.
    with connection.blobopen("contexts", "record", row, readonly=True) as blob:
        stored = listed(blob.read(HEAD_BYTES), whole=False)
        if stored is not None:
            return stored, min(length, HEAD_BYTES)
        blob.seek(0)
        with suppress(UnreadableRecord):
            stored = listed(blob.read(), whole=True)
        return stored, length
