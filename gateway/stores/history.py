"""A context's history as JSON, written once for each entry however long the history grows."""

from dataclasses import dataclass
from operator import is_

import orjson

from gateway.context import HistoryEntry

_MOST_DROPPED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryText:
    """`data` is `entries` as JSON, parted by commas, without brackets."""

    entries: tuple[HistoryEntry, ...]
    data: bytes


def write_history(entries: tuple[HistoryEntry, ...], earlier: HistoryText | None) -> HistoryText:
    """`entries` as JSON. Those that `earlier` begins or goes on with are taken from its text.

    Entries never change, so the same object has the same text; an equal one may not (1 == 1.0).
    """
    if earlier is None or not entries or not earlier.entries:
        return HistoryText(entries=entries, data=_write(entries))
    if earlier.entries is entries:
        return earlier
    dropped = _dropped(entries, earlier.entries)
    if dropped is None:
        return HistoryText(entries=entries, data=_write(entries))
    kept = len(earlier.entries) - dropped
    # What an entry takes up can be told by writing it again: `earlier` was written the same way.
    start = sum(len(_write((entry,))) + 1 for entry in earlier.entries[:dropped])
    parts = [earlier.data[start:] if start else earlier.data]
    if kept < len(entries):
        parts.append(_write(entries[kept:]))
    return HistoryText(entries=entries, data=b",".join(parts))


def _dropped(entries: tuple[HistoryEntry, ...], earlier: tuple[HistoryEntry, ...]) -> int | None:
    """How many of `earlier` went before all others of it lead `entries`; None if they do not."""
    for number, entry in enumerate(earlier[:_MOST_DROPPED]):
        if entry is entries[0]:
            rest = earlier[number:]
            same = len(rest) <= len(entries) and all(map(is_, rest, entries))
            return number if same else None
    return None


def _write(entries: tuple[HistoryEntry, ...]) -> bytes:
    return orjson.dumps(entries)[1:-1]
