"""How many requests may be at one API at a time, and who waits for a place there."""

from enum import Enum, auto
from typing import Generic, TypeVar

Ticket = TypeVar("Ticket")

WAITING_SECONDS = 1.0
"""Whoever has waited for so long is refused: an API that does not keep up with its callers will
not do so by having more of them."""
MOST_WAITING = 1_024
"""As many as may run may wait, and never more than this (Envoy's max_pending_requests)."""


class Entry(Enum):
    """What becomes of a request that comes."""

    RUNS = auto()
    WAITS = auto()
    REFUSED = auto()


class Lane(Generic[Ticket]):
    """Places for those who run, and behind them a queue, first come first served.

    A ticket stands for whoever waits. Each request that runs ends with `leave`, each that waits
    either comes out of another's `leave`, and runs, or gives up.
    """

    def __init__(self) -> None:
        self._running = 0
        # In the order in which they came.
        self._waiting: dict[Ticket, None] = {}

    @property
    def running(self) -> int:
        return self._running

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def enter(self, *, limit: int) -> Entry:
        """Whoever is to wait says so by `wait`.

        `limit` is how many may run; a reload may have changed it since the last time.
        """
        if self._running < limit:
            self._running += 1
            return Entry.RUNS
        if len(self._waiting) >= min(limit, MOST_WAITING):
            return Entry.REFUSED
        return Entry.WAITS

    def wait(self, ticket: Ticket) -> None:
        self._waiting[ticket] = None

    def leave(self, *, limit: int) -> Ticket | None:
        """One is done. Who runs in its place, or None."""
        if self._waiting and self._running <= limit:
            ticket = next(iter(self._waiting))
            del self._waiting[ticket]
            return ticket
        self._running -= 1
        return None

    def give_up(self, ticket: Ticket) -> bool:
        """Wait no more. False: it has got its place, and has to leave it."""
        if ticket not in self._waiting:
            return False
        del self._waiting[ticket]
        return True
