"""What is said of stored values that cannot be read, without filling the log."""

import logging

_LOG = logging.getLogger(__name__)


class Complaints:
    """Counts; the first is logged, then the second, the fourth, the eighth, and so on."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._count = 0

    def add(self) -> None:
        self._count += 1
        if self._count & (self._count - 1) == 0:
            _LOG.warning("%s (%d so far)", self._what, self._count)


def treated_as_absent() -> Complaints:
    return Complaints("a stored context cannot be read by this version; treated as absent")


def set_aside() -> Complaints:
    return Complaints("a stored context that cannot be read was set aside; its context starts anew")


LATER_VERSION = "a later version wrote this context; it is not recorded in until this one is as new"
