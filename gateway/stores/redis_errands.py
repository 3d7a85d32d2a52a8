"""Errands to Redis: what they share, and that of reading a context."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from redis.exceptions import ResponseError

from gateway.errors import GatewayError, StoreUnavailable, UnreadableRecord
from gateway.stores.copies import Copies, Key
from gateway.stores.flights import Parcel
from gateway.stores.record import Record, StoreLimits
from gateway.stores.redis_records import LARGE_BYTES, Keys, read_large_words, read_words
from gateway.stores.remembered import Remembered
from gateway.stores.unreadable import Complaints, set_aside, treated_as_absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all errands of a store share.

    `lost`: changes whose answers were lost, by the latest version that was without them.
    """

    copies: Copies
    limits: StoreLimits
    stored: Remembered = field(default_factory=Remembered)
    lost: Remembered = field(default_factory=Remembered)
    absent: Complaints
    aside: Complaints

    @classmethod
    def of(cls, copies: Copies, limits: StoreLimits) -> "Surroundings":
        return cls(copies=copies, limits=limits, absent=treated_as_absent(), aside=set_aside())


def unavailable(error: object) -> StoreUnavailable:
    """The message carries the error's kind alone: the library's texts may name host and user."""
    failure = StoreUnavailable(f"the context store failed: {type(error).__name__}")
    failure.__cause__ = error if isinstance(error, BaseException) else None
    return failure


class Foreign(Exception):
    """What stands in the record's place is unreadable: its bytes, None where it is no string."""

    def __init__(self, seen: bytes | None) -> None:
        super().__init__()
        self.seen = seen


def record_shown(answer: object, key: Key, sent: float, copies: Copies) -> Record | None:
    """What the answer to a read shows; raises Foreign and StoreUnavailable."""
    if isinstance(answer, bytes):
        try:
            return copies.has_read(key, answer, sent)
        except UnreadableRecord:
            raise Foreign(answer) from None
    if isinstance(answer, ResponseError) and is_wrong_type(answer):
        raise Foreign(None)
    raise unavailable(answer)


def is_wrong_type(error: ResponseError) -> bool:
    return str(error).startswith("WRONGTYPE")


class Reading:
    """A context's record, for everybody who asked for it before it was asked for."""

    def __init__(
        self, keys: Keys, context_id: str, world: Surroundings, leave: Callable[[Key], object]
    ) -> None:
        """`leave` is called when nobody may join in any more."""
        self.key = (keys.root, context_id)
        self._keys = keys
        self._world = world
        self._leave = leave
        self._large = False
        self._futures: list[asyncio.Future[Record | None]] = []

    def join(self) -> "asyncio.Future[Record | None]":
        future: asyncio.Future[Record | None] = asyncio.get_running_loop().create_future()
        self._futures.append(future)
        return future

    def pack(self) -> Parcel | None:
        if self._large:
            return Parcel(words=read_large_words(self._keys, self.key[1]), alone=True)
        self._leave(self.key)
        if all(future.done() for future in self._futures):
            return None
        return Parcel(words=read_words(self._keys, self.key[1]))

    def land(self, answer: object, sent: float) -> float | None:
        if not self._large and isinstance(answer, bytes) and len(answer) >= LARGE_BYTES:
            self._large = True
            return 0.0
        try:
            record = record_shown(answer, self.key, sent, self._world.copies)
        except Foreign:
            self._world.absent.add()
            record = None
        except StoreUnavailable as error:
            self._fail(error)
            return None
        for future in self._futures:
            if not future.done():
                future.set_result(record)
        return None

    def give_up(self, error: Exception) -> None:
        self._leave(self.key)
        self._fail(unavailable(error))

    def _fail(self, error: GatewayError) -> None:
        for future in self._futures:
            if not future.done():
                future.set_exception(error)
