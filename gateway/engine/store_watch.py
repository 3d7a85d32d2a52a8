"""Whether the context store does its work, as the latest attempts tell."""

import logging
from collections.abc import Callable
from enum import Enum, auto

from gateway.errors import StoreUnavailable

_LOG = logging.getLogger(__name__)

QUIET_SECONDS = 10.0
"""Between two lines that say it failed: a store that comes and goes does not fill the log."""


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
        self._told = False
        self._quiet_until = float("-inf")

    @property
    def up(self) -> bool:
        return self._fault is None

    def cannot_read(self, error: StoreUnavailable) -> None:
        self._fault = _Fault.UNREACHABLE
        self._tell(error)

    def cannot_write(self, error: StoreUnavailable) -> None:
        self._fault = self._fault or _Fault.UNWRITABLE
        self._tell(error)

    def has_read(self) -> None:
        if self._fault is _Fault.UNREACHABLE:
            self._recover()

    def has_written(self) -> None:
        if self._fault is not None:
            self._recover()

    def _tell(self, error: StoreUnavailable) -> None:
        if self._told or self._monotonic() < self._quiet_until:
            return
        self._told = True
        self._quiet_until = self._monotonic() + QUIET_SECONDS
        _LOG.error("%s; calls go on and are not recorded", error)

    def _recover(self) -> None:
        self._fault = None
        if self._told:
            self._told = False
            _LOG.info("the context store works again")
