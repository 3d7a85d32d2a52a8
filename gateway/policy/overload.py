"""How many requests to admit in one turn of the event loop, while there are more than it can serve.

An event loop has one queue: whatever is ready waits for the turn before it to end. How much work a
turn is says how long the queue is, and a queue that does not get short for a while is a standing
queue (CoDel, RFC 8289), which only makes everybody wait. Then each turn admits as many requests as
are the work of the target's time. What waits for an upstream is not ready and is nobody's work: a
slow API is no overload. Nor is a processor that others have taken: only own work counts.
"""

from typing import Final

TARGET_SECONDS: Final = 0.01
"""Of processor time. A request has five or six turns, so one that is admitted takes some 60 ms."""
STANDING_SECONDS: Final = 0.5
"""No turn shorter than the target for so long, and there is a standing queue. A burst is none."""
LEAST_ADMITTED: Final = 24.0
"""In a turn, and four times that after quiet ones: what delays so few is not their number."""
_QUIET_TURNS: Final = 4.0
# One long turn is a stall, and refusing requests afterwards helps nobody.
_LEAST_TURNS: Final = 4
# After so long without a refusal there is no overload any more. A limit that nobody meets costs
# nothing, and one that is there already when the next wave comes spares the detection.
_CALM_SECONDS: Final = 1.0
_WEIGHT: Final = 1 / 8


class Admission:
    """Asked for each request, told of the end of each turn in which there was one."""

    def __init__(self) -> None:
        self._limit: float | None = None
        self._admitted = 0
        self._allowed = 0.0
        self._has_refused = False
        self._usual_work = 0.0
        self._usual_admitted = 0.0
        self._standing_since: float | None = None
        self._turns = 0
        self._refused_at = 0.0

    @property
    def is_limited(self) -> bool:
        """Whether requests may be refused now."""
        return self._limit is not None

    def admits(self) -> bool:
        """Whether the next request of this turn is admitted."""
        if self._limit is None or self._allowed >= 1:
            self._admitted += 1
            self._allowed -= 1
            return True
        self._has_refused = True
        return False

    def end_turn(self, work: float, now: float) -> None:
        """From this turn's first request to the next turn it took `work` seconds of processor time.

        `now` is in seconds that pass for everybody.
        """
        self._usual_work += (work - self._usual_work) * _WEIGHT
        self._usual_admitted += (self._admitted - self._usual_admitted) * _WEIGHT
        self._admitted = 0
        if self._limit is None:
            self._look_for_a_queue(work, now)
        if self._has_refused:
            self._refused_at, self._has_refused = now, False
        if self._limit is not None:
            self._set_limit(now)

    def _look_for_a_queue(self, work: float, now: float) -> None:
        if work < TARGET_SECONDS:
            self._standing_since = None
            return
        if self._standing_since is None:
            self._standing_since, self._turns = now - work, 0
        self._turns += 1
        if self._turns >= _LEAST_TURNS and now - self._standing_since > STANDING_SECONDS:
            self._limit, self._refused_at = LEAST_ADMITTED, now
            self._allowed = _QUIET_TURNS * LEAST_ADMITTED

    def _set_limit(self, now: float) -> None:
        if now - self._refused_at > _CALM_SECONDS:
            self._limit = self._standing_since = None
            return
        # What one request costs, with its share of whatever else a turn does.
        cost = self._usual_work / max(self._usual_admitted, 1.0)
        self._limit = max(LEAST_ADMITTED, TARGET_SECONDS / cost)
        # What a turn leaves may come in the next: callers that wait for each other come in bunches.
        self._allowed = min(max(self._allowed, 0.0) + self._limit, _QUIET_TURNS * self._limit)
