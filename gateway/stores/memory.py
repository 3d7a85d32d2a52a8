"""`memory://`: contexts that live as long as the process."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gateway.interfaces import Change, Page, Stored
from gateway.policy import Principal
from gateway.stores.record import (
    Record,
    StoreLimits,
    decode_cursor,
    encode_cursor,
    is_applied,
    next_record,
)
from gateway.stores.remembered import Remembered


@dataclass(frozen=True, slots=True)
class _Held:
    record: Record
    expires: float


@dataclass(frozen=True, slots=True)
class _Shelf:
    """One principal's contexts, each part in order of writing and so, all alike, of expiry."""

    single: OrderedDict[str, _Held] = field(default_factory=OrderedDict)
    named: OrderedDict[str, _Held] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self.single) + len(self.named)

    def find(self, context_id: str) -> _Held | None:
        return self.named.get(context_id) or self.single.get(context_id)

    def discard(self, context_id: str) -> None:
        self.single.pop(context_id, None)
        self.named.pop(context_id, None)

    def drop_oldest(self) -> None:
        (self.single or self.named).popitem(last=False)

    def drop_expired(self, now: float) -> None:
        for part in (self.single, self.named):
            while part and next(iter(part.values())).expires <= now:
                part.popitem(last=False)


class MemoryStore:
    """A ContextStore without a file. No method awaits anything, so each is atomic."""

    def __init__(self, limits: StoreLimits, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds from anywhere and never goes back."""
        self._limits = limits
        self._clock = clock
        self._stored = Remembered()
        self._shelves: OrderedDict[str, _Shelf] = OrderedDict()

    async def get(
        self, principal: Principal, context_id: str, *, newest: bool = False
    ) -> Stored | None:
        del newest  # there are no copies here
        held = self._find(principal, context_id)
        return held.record.stored if held else None

    async def update(
        self,
        principal: Principal,
        context_id: str,
        change: Change,
        *,
        expected: int | None = None,
    ) -> Stored | None:
        self._drop_expired_somewhere()
        held = self._find(principal, context_id)
        record = held.record if held else None
        if is_applied(record, change) or change.operation_id in self._stored:
            return record.stored if record else None
        after = next_record(record, change, expected)
        self._put(principal, context_id, after)
        if after is not None:
            self._stored.add((change.operation_id,))
        return after.stored if after else None

    async def list(self, principal: Principal, cursor: str | None, limit: int) -> Page:
        after = decode_cursor(cursor)
        shelf = self._shelves.get(principal.name, _Shelf())
        shelf.drop_expired(self._clock())
        held = {**shelf.single, **shelf.named}
        ids = sorted(context_id for context_id in held if context_id > after)
        return Page(
            items=tuple(_listed(held[context_id].record) for context_id in ids[:limit]),
            next_cursor=encode_cursor(ids[limit - 1]) if len(ids) > limit else None,
        )

    async def ping(self) -> None:
        return

    async def aclose(self) -> None:
        self._shelves.clear()

    def _find(self, principal: Principal, context_id: str) -> _Held | None:
        shelf = self._shelves.get(principal.name)
        held = shelf.find(context_id) if shelf else None
        return held if held and held.expires > self._clock() else None

    def _put(self, principal: Principal, context_id: str, record: Record | None) -> None:
        shelf = self._shelves.setdefault(principal.name, _Shelf())
        shelf.discard(context_id)
        shelf.drop_expired(self._clock())
        if record is None:
            return
        while len(shelf) >= self._limits.max_contexts_per_principal:
            shelf.drop_oldest()
        part = shelf.named if record.named else shelf.single
        part[context_id] = _Held(record, self._clock() + record.seconds_to_live(self._limits))

    def _drop_expired_somewhere(self) -> None:
        # One principal's shelf a write, in turn: what a principal that never returns has left
        # behind goes, and no write pays for all of them.
        if not self._shelves:
            return
        name, shelf = self._shelves.popitem(last=False)
        shelf.drop_expired(self._clock())
        if shelf:
            self._shelves[name] = shelf


def _listed(record: Record) -> Stored:
    return Stored(context=replace(record.context, history=(), taken={}), version=record.version)
