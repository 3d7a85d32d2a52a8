"""Whether to ask an API that has failed: a circuit that opens, and tries again."""

from dataclasses import dataclass
from enum import StrEnum

FAILURES = 5
"""In a row, and the circuit opens (Envoy's consecutive_5xx and consecutive_gateway_failure)."""
PAUSE_SECONDS = (1.0, 10.0)
"""Open for so long at first, twice as long after each trial that failed, and at most so long."""
_SPREAD = 0.2
"""So much less or more, or replicas would all try at the same moment."""


class CircuitState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    TRYING = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leave:
    """Leave to ask once. A `trial` decides whether an open circuit closes."""

    trial: bool
    opening: int


class Circuit:
    """Closed while an API answers; open after failures in a row; then one trial at a time.

    Each request that was let through ends with `end`, after `succeed` or `fail` where its outcome
    says anything about the API. What was let through before the circuit opened says nothing about
    whether to close it. A trial keeps others from trying for the seconds of its lease: who sends it
    may take hours. After that any answer still closes the circuit, but only the last trial's
    failure counts. Times are seconds by a clock that never goes back.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._openings = 0  # since something succeeded
        self._opening = 0
        self._open_until: float | None = None
        self._trial: Leave | None = None
        self._trial_until = 0.0

    @property
    def state(self) -> CircuitState:
        if self._open_until is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if self._trial is None else CircuitState.TRYING

    def wait(self, now: float) -> float:
        """For how many seconds nobody is let through; 0: `admit` lets the next one through."""
        if self._open_until is None:
            return 0.0
        left = max(0.0, self._open_until - now)
        is_tried = self._trial is not None and now < self._trial_until
        return max(left, PAUSE_SECONDS[0]) if is_tried else left

    def admit(self, now: float, *, lease: float) -> Leave | None:
        """Leave to ask, or None: it is open. `lease` counts if it is a trial."""
        if self.wait(now) > 0:
            return None
        leave = Leave(trial=self._open_until is not None, opening=self._opening)
        if leave.trial:
            self._trial, self._trial_until = leave, now + lease
        return leave

    def extend(self, leave: Leave, now: float, *, lease: float) -> None:
        """The lease begins anew, if this is the last trial."""
        if self._trial is leave:
            self._trial_until = now + lease

    def succeed(self, leave: Leave) -> bool:
        """The API has answered. True: and that has closed the circuit."""
        if leave.opening != self._opening:
            return False
        was_open = self._open_until is not None
        self._failures = self._openings = 0
        self._open_until = None
        return was_open

    def fail(self, leave: Leave, now: float, *, fraction: float) -> bool:
        """The API has not. True: and that has opened the circuit, or left it open.

        `fraction` is random, of 0 to 1.
        """
        if leave.opening != self._opening or (leave.trial and self._trial is not leave):
            return False
        self._failures += 1
        if self._failures < FAILURES and not leave.trial:
            return False
        first, most = PAUSE_SECONDS
        pause = min(first * 2.0 ** min(self._openings, 16), most)
        self._open_until = now + pause * (1 + _SPREAD * (2 * fraction - 1))
        self._openings += 1
        self._opening += 1
        return True

    def end(self, leave: Leave) -> None:
        if self._trial is leave:
            self._trial = None
