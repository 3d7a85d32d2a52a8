"""Lists in pages: what a cursor says, and which page it means.

A cursor holds a position and which list it belongs to. It keeps no secret and opens nothing, so it
is not signed; one that this very list has not given out means nothing.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

# Twelve bytes are sixteen characters without padding, so that no two texts mean the same cursor.
_MARK_BYTES = 8
_POSITION_BYTES = 4
_CURSOR = re.compile(r"[A-Za-z0-9_-]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """The items from `start` to before `end`. `next_cursor` is None on the last page."""

    start: int
    end: int
    next_cursor: str | None


class UnknownCursor(ValueError):
    """A cursor that this list has not given out."""


def find_page(cursor: object, *, of: str, count: int, size: int) -> ListPage:
    """The page of a list of `count` items that a client's `cursor` asks for.

    `of` tells lists apart: their kind, and a digest of what is in them, so that a cursor ends with
    its list. `size`: items on a page, 0 for all of them. None and `""` ask for the first page.
    Raises UnknownCursor.
    """
    start = 0
    if cursor not in (None, ""):
        position = _read(cursor, of)
        if position is None or size == 0 or position % size or not 0 < position < count:
            raise UnknownCursor
        start = position
    end = count if size == 0 else min(start + size, count)
    return ListPage(start=start, end=end, next_cursor=_write(end, of) if end < count else None)


def _write(position: int, of: str) -> str:
    return urlsafe_b64encode(_mark(of) + position.to_bytes(_POSITION_BYTES, "big")).decode()


def _read(cursor: object, of: str) -> int | None:
    if not isinstance(cursor, str) or _CURSOR.fullmatch(cursor) is None:
        return None
    data = urlsafe_b64decode(cursor)
    if data[:_MARK_BYTES] != _mark(of):
        return None
    return int.from_bytes(data[_MARK_BYTES:], "big")


def _mark(of: str) -> bytes:
    return sha256(of.encode(errors="surrogatepass")).digest()[:_MARK_BYTES]
