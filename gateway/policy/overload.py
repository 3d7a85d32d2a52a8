"""How many requests may be under way in one event loop, while there are more than it can serve.

An event loop has one queue: whatever is ready waits for the turn before it to end. How much work a
turn is says how long the queue is, and a queue that does not get short for a while is a standing
queue (CoDel, RFC 8289), which only makes everybody wait. Then as many requests are admitted as can
be under way without one. What waits for an upstream is not ready and is nobody's work: a slow API
is no overload. Nor is a processor that others have taken: only own work counts.
"""

from collections import deque
from typing import Final

TARGET_SECONDS: Final = 0.01
"""Of processor time, for a turn."""
STANDING_SECONDS: Final = 0.5
"""No turn shorter than the target for so long, and there is a standing queue. A burst is none."""
LEAST_UNDER_WAY: Final = 128
"""What makes so few wait is not their number."""
# A request has about so many turns when nobody but the gateway keeps it waiting. One that has had
# more waits for somebody else, or is a stream, and counts no longer.
_TURNS: Final = 6
_COUNTED_TURNS: Final = 8
# After so long without a refusal there is no overload any more. A limit that nobody meets costs
# nothing, and one that is there already when the next wave comes spares the detection.
_CALM_SECONDS: Final = 1.0
_WEIGHT: Final = 1 / 8


class Admission:
    """Asked for each request, told of its end, and of the end of each turn in which one came."""

    def __init__(self) -> None:
        self.turn = 0
        self._limit: float | None = None
        self._admitted = 0
        self._under_way = 0
        # Of the latest turns, the oldest first: how many of each one's requests are under way.
        self._latest = deque([0] * _COUNTED_TURNS)
        self._has_refused = False
        self._usual_work = 0.0
        self._usual_admitted = 0.0
        self._standing_since: float | None = None
        self._refused_at = 0.0

    @property
    def is_limited(self) -> bool:
        """Whether requests may be refused now."""
        return self._limit is not None

    def admits(self) -> bool:
        """Whether the next request is admitted."""
        if self._limit is not None and self._under_way >= self._limit:
            self._has_refused = True
            return False
        self._admitted += 1
        self._under_way += 1
        self._latest[-1] += 1
        return True

    def finish(self, turn: int) -> None:
        """A request that was begun in that `turn` is over."""
        if self.turn - turn >= _COUNTED_TURNS:
            return
        # Which of them it was makes no difference to their number.
        for place, number in enumerate(self._latest):
            if number:
                self._latest[place] -= 1
                self._under_way -= 1
                return

    def end_turn(self, work: float, now: float) -> None:
        """From this turn's first request to the next turn it took `work` seconds of processor time.

        `now` is in seconds that pass for everybody.
        """
        self._usual_work += (work - self._usual_work) * _WEIGHT
        self._usual_admitted += (self._admitted - self._usual_admitted) * _WEIGHT
        self._admitted = 0
        self.turn += 1
        self._under_way -= self._latest.popleft()
        self._latest.append(0)
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
            # With this turn's end, not its beginning: one long turn is a stall, and refusing
            # requests afterwards helps nobody.
            self._standing_since = now
        if now - self._standing_since > STANDING_SECONDS:
            self._limit, self._refused_at = LEAST_UNDER_WAY, now

    def _set_limit(self, now: float) -> None:
        if now - self._refused_at > _CALM_SECONDS:
            self._limit = self._standing_since = None
            return
        # What one request costs, with its share of whatever else a turn does.
        cost = self._usual_work / max(self._usual_admitted, 1.0)
        self._limit = max(LEAST_UNDER_WAY, _TURNS * TARGET_SECONDS / max(cost, 1e-6))
