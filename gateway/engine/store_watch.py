"""Whether the context store does its work, as the latest attempts tell, and what it has cost."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum, StrEnum, auto

from gateway.errors import StoreUnavailable

_LOG = logging.getLogger(__name__)

QUIET_SECONDS = 10.0
"""Between two outages that the log tells of: a store that comes and goes does not fill it."""
MOST_REASONS = 3
"""That the log tells of one outage."""


class Unrecorded(StrEnum):
    """Why a call is not in its context's history."""

    STORE_DOWN = "store_down"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    CONFLICT = "conflict"
    DELETED = "deleted"


_SAID = {
    Unrecorded.UNREADABLE: "what is stored of its context cannot be read by this version",
    Unrecorded.TOO_LARGE: "its context has grown past what a store takes",
    Unrecorded.CONFLICT: "too many others were at its context, or another one took its place",
    Unrecorded.DELETED: "its context was deleted meanwhile",
}


class _Fault(Enum):
    UNREACHABLE = auto()
    UNWRITABLE = auto()


class StoreWatch:
    """Told of every attempt; the log hears when the store fails and when it works again.

    A store that cannot be reached is well as soon as it can be read. One that only took no entry
    (disk full, file locked) is well when it has taken one: reading proves nothing about that.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic` counts seconds."""
        self._monotonic = monotonic
        self._fault: _Fault | None = None
        self._told: set[str] = set()
        self._quiet_until = float("-inf")
        self._unrecorded: Counter[Unrecorded] = Counter()
        self._before = 0

    @property
    def up(self) -> bool:
        return self._fault is None

    @property
    def unrecorded(self) -> Mapping[Unrecorded, int]:
        """How many calls were not recorded since the start, by reason; absent is none."""
        return dict(self._unrecorded)

    def missed(self, reason: Unrecorded) -> None:
        """A call has been answered without being recorded."""
        self._unrecorded[reason] += 1
        count = self._unrecorded[reason]
        # The first, the second, the fourth, and so on: `_fail` and `_recover` tell of an outage.
        if reason is not Unrecorded.STORE_DOWN and count & (count - 1) == 0:
            _LOG.warning("a call was not recorded: %s (%d so far)", _SAID[reason], count)

    def cannot_read(self, error: StoreUnavailable) -> None:
        self._fail(_Fault.UNREACHABLE, error)

    def cannot_write(self, error: StoreUnavailable) -> None:
        self._fail(self._fault or _Fault.UNWRITABLE, error)

    def has_read(self) -> None:
        if self._fault is _Fault.UNREACHABLE:
            self._recover()

    def has_written(self) -> None:
        if self._fault is not None:
            self._recover()

    def _fail(self, fault: _Fault, error: StoreUnavailable) -> None:
        if self._fault is None:
            self._before = self._unrecorded[Unrecorded.STORE_DOWN]
        self._fault = fault
        reason = str(error)
        # Who was given less time hears only that it is slow; who had all of it hears why.
        if reason in self._told or len(self._told) == MOST_REASONS:
            return
        if self._told or self._monotonic() >= self._quiet_until:
            self._told.add(reason)
            self._quiet_until = self._monotonic() + QUIET_SECONDS
            _LOG.error("%s; calls go on and are not recorded", reason)

    def _recover(self) -> None:
        self._fault = None
        if self._told:
            self._told.clear()
            missed = self._unrecorded[Unrecorded.STORE_DOWN] - self._before
            _LOG.info("the context store works again; calls not recorded meanwhile: %d", missed)
