"""How long a client may take over each part of a request."""

from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds that a client has.

    `head`: from a head's first byte to its end, and for the first byte of a new connection.
    `crowded_idle`: between requests, while there is hardly room for another connection.
    `body`: what a body may be late at first, and after any wait of ours. Every `body_rate` bytes
    give it another second, but never more than `body_credit` from now.
    `unread`: while nothing of what was sent is taken. `linger`: for reading an answer to what is
    still being sent. `look`: between two looks at all the clocks, so any of them may be late by it.
    """

    head: float = 10.0
    crowded_idle: float = 1.0
    body: float = 10.0
    body_rate: float = 512.0
    body_credit: float = 30.0
    unread: float = 30.0
    linger: float = 2.0
    look: float = 1.0


PATIENCE: Final = Patience()


class Phase(Enum):
    """What a connection waits for from its client. `value` is the name of being late with it."""

    NOTHING = "nothing"
    FIRST_BYTE = "first_byte"
    HEAD = "head"
    BODY = "body"
    END = "end"  # of a request whose body broke off


class Clock:
    """What a connection waits for, and until when on the event loop's clock."""

    __slots__ = ("_patience", "deadline", "phase")

    def __init__(self, patience: Patience, now: float) -> None:
        self._patience = patience
        self.phase = Phase.FIRST_BYTE
        self.deadline = now + patience.head

    def stop(self) -> None:
        self.phase, self.deadline = Phase.NOTHING, inf

    def await_head(self, now: float) -> None:
        """From its first byte on: those that follow give no more time."""
        if self.phase is not Phase.HEAD:
            self.phase, self.deadline = Phase.HEAD, now + self._patience.head

    def await_body(self, size: int, now: float) -> None:
        """`size` bytes of a body have come, and there are more to come."""
        if self.phase is not Phase.BODY:
            self.phase, self.deadline = Phase.BODY, now + self._patience.body
        later = self.deadline + size / self._patience.body_rate
        self.deadline = min(later, now + self._patience.body_credit)

    def excuse(self, now: float) -> None:
        """The client was not to send, or could not."""
        self.deadline = max(self.deadline, now + self._patience.body)

    def await_end(self, now: float) -> None:
        self.phase, self.deadline = Phase.END, now + self._patience.body
