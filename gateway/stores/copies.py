"""Records as the store showed them a moment ago: reads that cost nothing, bases for writes."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from gateway.stores.history import HistoryText
from gateway.stores.record import Record, decode_record, record_token

COPY_SECONDS = 0.25
"""How far what `get` answers may lag behind a write of another process."""
MAX_COPY_BYTES = 8 * 1024 * 1024
_OVERHEAD_BYTES = 512

Key = tuple[str, str]
"""The principal, by any name of one's own, and the context id."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """`confirmed`: when what the store showed was asked for; `changed`: the latest own write."""

    record: Record | None
    text: HistoryText | None
    size: int
    confirmed: float
    changed: float


_NOTHING = _Copy(None, None, 0, float("-inf"), float("-inf"))


class Copies:
    """Bounded by encoded bytes, the least recently used go first. For any number of threads."""

    def __init__(self, clock: Callable[[], float], max_bytes: int = MAX_COPY_BYTES) -> None:
        """`clock` counts seconds from anywhere."""
        self._clock = clock
        self._max_bytes = max_bytes
        self._bytes = 0
        self._held: OrderedDict[Key, _Copy] = OrderedDict()
        self._lock = threading.Lock()

    def fresh(self, key: Key) -> Record | None:
        """What the store confirmed less than COPY_SECONDS ago."""
        copy = self._find(key)
        # A clock that was set back makes no copy fresh.
        return copy.record if 0 <= self._clock() - copy.confirmed < COPY_SECONDS else None

    def latest(self, key: Key) -> tuple[Record | None, HistoryText | None]:
        """The copy of any age, with its history's text where it is known."""
        copy = self._find(key)
        return copy.record, copy.text

    def has_read(self, key: Key, data: bytes, sent: float) -> Record | None:
        """The record of these bytes, asked for at `sent`, none for b""; raises UnreadableRecord."""
        known, text = self.latest(key)
        if not data:
            known = text = None
        elif known is None or not data.startswith(record_token(known)):
            known, text = decode_record(data), None
        with self._lock:
            held = self._held.get(key, _NOTHING)
            # Asked for before an own write was answered, it may show what was there before that.
            if sent >= held.changed and sent >= held.confirmed:
                self._put(key, _Copy(known, text, len(data), sent, held.changed))
        return known

    def has_written(
        self, key: Key, record: Record, text: HistoryText | None, size: int, sent: float
    ) -> None:
        """The store has taken over `record`, of `size` bytes, which was sent at `sent`."""
        with self._lock:
            self._put(key, _Copy(record, text, size, sent, self._clock()))

    def forget(self, key: Key) -> None:
        """What is stored is unknown, or gone."""
        with self._lock:
            self._put(key, _Copy(None, None, 0, float("-inf"), self._clock()))

    def _find(self, key: Key) -> _Copy:
        with self._lock:
            copy = self._held.get(key)
            if copy is None:
                return _NOTHING
            self._held.move_to_end(key)
            return copy

    def _put(self, key: Key, copy: _Copy) -> None:
        before = self._held.pop(key, None)
        self._bytes += _cost(copy) - (_cost(before) if before else 0)
        self._held[key] = copy
        while self._bytes > self._max_bytes:
            self._bytes -= _cost(self._held.popitem(last=False)[1])


def _cost(copy: _Copy) -> int:
    return _OVERHEAD_BYTES + copy.size + (len(copy.text.data) if copy.text else 0)
