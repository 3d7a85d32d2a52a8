"""The errand of moving a context on: state between one answer of Redis and the next."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ResponseError

from gateway.errors import GatewayError, StoreBusy, StoreUnavailable, UnreadableRecord
from gateway.interfaces import Stored
from gateway.stores.composing import Composed, Outcome, Step, compose
from gateway.stores.copies import Key
from gateway.stores.flights import Parcel
from gateway.stores.record import Record, is_applied, is_of_later_version, is_out_of_sight
from gateway.stores.redis_errands import (
    Foreign,
    Surroundings,
    is_wrong_type,
    record_shown,
    unavailable,
)
from gateway.stores.redis_records import (
    LARGE_BYTES,
    Keys,
    read_large_words,
    read_words,
    replace_words,
    set_aside_words,
)
from gateway.stores.unreadable import LATER_VERSION

_MAX_CONFLICTS = 256
_MAX_PAUSE_SECONDS = 0.001


class _Next(Enum):
    """What a line has to send."""

    REPLACE = auto()
    READ = auto()
    READ_LARGE = auto()
    SET_ASIDE = auto()


@dataclass(frozen=True, slots=True)
class _Caller:
    step: Step
    future: "asyncio.Future[Stored | None]"


class Line:
    """Those who want to move one context on. One write at a time carries what has gathered.

    The first attempt builds on the copy of the process, however old. Only what the store itself
    has shown since a caller came is a reason to refuse that caller.
    """

    def __init__(
        self, keys: Keys, context_id: str, world: Surroundings, leave: Callable[[Key], object]
    ) -> None:
        """`leave` is called at the end; whoever comes then needs another line."""
        self.key = (keys.root, context_id)
        self._keys = keys
        self._world = world
        self._leave = leave
        self._waiting: deque[_Caller] = deque()
        # From here on in the order of their outcomes. None of these came after `_certain` was seen.
        self._served: list[_Caller] = []
        self._base, self._text = world.copies.latest(self.key)
        self._certain = False
        self._next = _Next.REPLACE
        self._flying: Composed | None = None
        self._deleting: _Caller | None = None
        self._seen: bytes | None = None
        self._conflicts = 0
        self._losses = 0
        self._known_script = True

    def join(self, step: Step) -> "asyncio.Future[Stored | None]":
        future: asyncio.Future[Stored | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Caller(step, future))
        return future

    def pack(self) -> Parcel | None:
        while self._gather():
            if self._next is _Next.REPLACE and self._must_look():
                self._next = _Next.READ
            if self._next is not _Next.REPLACE:
                return self._pack_look()
            steps = [caller.step for caller in self._served]
            known = self._world.stored.__contains__
            step = compose(self._base, steps, self._text, known=known)
            if step.writes:
                self._flying = step
                size = len(step.data or b"")
                return Parcel(words=self._replace(step), size=size, alone=size >= LARGE_BYTES)
            if self._certain:
                self._settle(step.outcomes)
            else:
                self._next = _Next.READ
        self._leave(self.key)
        return None

    def land(self, answer: object, sent: float) -> float | None:
        step, self._flying = self._flying, None
        if step is not None:
            return self._land_replace(step, answer, sent)
        if self._next is _Next.SET_ASIDE:
            return self._land_set_aside(answer)
        return self._land_look(answer, sent)

    def give_up(self, error: Exception) -> None:
        self._leave(self.key)
        self._served.extend(self._waiting)
        self._waiting.clear()
        self._fail(len(self._served), unavailable(error))

    def _gather(self) -> bool:
        """Lets in whoever waits, unless those before are owed an outcome on what has been seen."""
        # Whoever has gone before its change left gets no change.
        self._served = [caller for caller in self._served if not caller.future.done()]
        if not self._served:
            self._certain = False
        if not self._certain:
            self._served += [caller for caller in self._waiting if not caller.future.done()]
            self._waiting.clear()
        return bool(self._served)

    def _must_look(self) -> bool:
        lost = self._world.lost
        return not self._certain and any(c.step.change.operation_id in lost for c in self._served)

    def _replace(self, step: Composed) -> tuple[str | bytes | int, ...]:
        return replace_words(
            self._keys, self.key[1], step, self._world.limits, known_script=self._known_script
        )

    def _pack_look(self) -> Parcel:
        keys, context_id = self._keys, self.key[1]
        if self._next is _Next.SET_ASIDE:
            return Parcel(words=set_aside_words(keys, context_id, self._seen))
        if self._next is _Next.READ_LARGE:
            return Parcel(words=read_large_words(keys, context_id), alone=True)
        return Parcel(words=read_words(keys, context_id))

    def _land_replace(self, step: Composed, answer: object, sent: float) -> float | None:
        copies = self._world.copies
        if isinstance(answer, list):
            self._stored(step, sent)
            for evicted in answer:
                copies.forget((self._keys.root, evicted.decode()))
            return 0.0
        match answer:
            case bytes() | int():
                return self._conflict(answer, sent)
            case NoScriptError() if self._known_script:
                self._known_script = False
                return 0.0
            case ResponseError() if is_wrong_type(answer):
                pass
            case ResponseError():
                self._fail(len(step.outcomes), unavailable(answer))
            case _:
                # The answer may have been lost after the change was stored: a look tells.
                self._doubt(step, self._served[: len(step.outcomes)])
                self._losses += 1
                if self._losses > 1 or not isinstance(answer, RedisConnectionError):
                    self._fail(len(step.outcomes), unavailable(answer))
        copies.forget(self.key)
        self._next = _Next.READ
        return 0.0

    def _doubt(self, step: Composed, callers: list[_Caller]) -> None:
        if step.after is None:
            self._deleting = callers[-1]
            return
        version = step.before.version if step.before else 0
        self._world.lost.add((caller.step.change.operation_id for caller in callers), version)

    def _stored(self, step: Composed, sent: float) -> None:
        copies, after = self._world.copies, step.after
        if after is None or step.data is None:
            copies.forget(self.key)
        else:
            copies.has_written(self.key, after, step.history, len(step.data), sent)
        self._base, self._text, self._certain = after, step.history, False
        for caller, outcome in zip(self._served, step.outcomes, strict=False):
            if isinstance(outcome, Stored):
                self._world.stored.add((caller.step.change.operation_id,))
                self._world.lost.forget(caller.step.change.operation_id)
        self._settle(step.outcomes)

    def _conflict(self, answer: bytes | int, sent: float) -> float:
        self._conflicts += 1
        if self._conflicts > _MAX_CONFLICTS:
            error = StoreBusy("too many writers at once on one context")
            self._fail(len(self._served), error)
            return 0.0
        self._next = _Next.READ
        if isinstance(answer, bytes):
            with suppress(Foreign):
                self._see(record_shown(answer, self.key, sent, self._world.copies))
        # By chance, or writers of two processes in step let the same one win each time. A longer
        # pause would let what was seen grow old, and the next attempt fail for certain. The first
        # conflict is most often with a copy that had aged.
        first = self._conflicts == 1
        return 0.0 if first else random.uniform(0, _MAX_PAUSE_SECONDS)  # noqa: S311 - no secret

    def _land_look(self, answer: object, sent: float) -> float | None:
        small = self._next is _Next.READ
        if small and isinstance(answer, bytes) and len(answer) >= LARGE_BYTES:
            self._next = _Next.READ_LARGE
            return 0.0
        try:
            self._see(record_shown(answer, self.key, sent, self._world.copies))
        except Foreign as foreign:
            self._meet(foreign.seen)
        except StoreUnavailable as error:
            self._fail(len(self._served), error)
        return 0.0

    def _see(self, record: Record | None) -> None:
        """`record` is what is stored, or was since the callers that are served came."""
        _, text = self._world.copies.latest(self.key)
        self._base, self._text = record, text
        self._certain, self._next = True, _Next.REPLACE
        for caller in self._served:
            self._resolve(caller, record)
        if self._deleting is not None and record is None:
            # A deletion leaves no operation id: that the context is gone is the answer.
            _tell(self._deleting, None)
        self._deleting = None

    def _resolve(self, caller: _Caller, record: Record | None) -> None:
        """What `record` says of a change whose answer was lost, as long as it still can.

        At once: a write that carries others may fail until nothing can be told any more.
        """
        operation_id = caller.step.change.operation_id
        version = self._world.lost.version(operation_id)
        if version is None:
            return
        if record is not None and is_applied(record, caller.step.change):
            self._world.stored.add((operation_id,))
            _tell(caller, record.stored)
        elif is_out_of_sight(version, record):
            _tell(caller, StoreBusy("an answer of the context store was lost among many others"))
        else:
            # Not yet: the write may still be on its way (a partition that ends, RFC 9293 3.8.1).
            self._world.lost.add((operation_id,), record.version if record else 0)

    def _meet(self, seen: bytes | None) -> None:
        if seen is not None and is_of_later_version(seen):
            self._fail(len(self._served), UnreadableRecord(LATER_VERSION))
        else:
            self._seen, self._next = seen, _Next.SET_ASIDE

    def _land_set_aside(self, answer: object) -> float | None:
        self._next = _Next.READ
        if isinstance(answer, Exception):
            self._fail(len(self._served), unavailable(answer))
        elif answer == 1:
            self._world.aside.add()
        return 0.0

    def _settle(self, outcomes: tuple[Outcome, ...]) -> None:
        """Tells as many callers as there are outcomes, in order."""
        for caller, outcome in zip(self._served, outcomes, strict=False):
            _tell(caller, outcome)
        del self._served[: len(outcomes)]
        self._conflicts = self._losses = 0

    def _fail(self, count: int, error: GatewayError) -> None:
        self._settle((error,) * count)


def _tell(caller: _Caller, outcome: Outcome) -> None:
    if caller.future.done():
        return
    if isinstance(outcome, Exception):
        caller.future.set_exception(outcome)
    else:
        caller.future.set_result(outcome)
