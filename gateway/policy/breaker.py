"""When to stop trying something that has failed, and when to try again: a circuit breaker."""

from dataclasses import dataclass

FAILURES = 3
"""In a row, and the breaker opens: one alone may be a connection that an idle hour has cut."""
PAUSE_SECONDS = 1.0
"""Open for so long, then one trial. It does not grow: trials are short, and each second of pause
more is a second in which nothing is tried although it would work again."""
SHORT_PATIENCE = (0.05, 1.0)
"""Seconds, from the least to the most."""
_USUAL_TIMES = 4
_WEIGHT = 1 / 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attempt:
    """Leave to try once, for `patience` seconds from `started` on.

    A `trial` decides whether an open breaker closes.
    """

    started: float
    patience: float
    trial: bool


class Breaker:
    """Closed while things go well; open after failures in a row; then one trial at a time.

    Where something hangs, nobody knows yet whether it ever ends. Who comes then has a short
    patience only: some times what is usual, 50 ms at least. So has every trial.

    Each attempt ends with `end`, after `succeed`, `fail` or `give_up` where its outcome tells
    anything. Times are seconds by one clock that never goes back.
    """

    def __init__(self, *, patience: float, usual: float = 0.05) -> None:
        """`patience` is that of good times; `usual` the expected seconds of an attempt."""
        self._patience = patience
        self._usual = usual
        self._failures = 0
        self._succeeded = float("-inf")
        self._doubted = float("-inf")
        self._open_until = float("-inf")
        self._trial: Attempt | None = None
        # In the order of their start.
        self._running: dict[Attempt, None] = {}

    def admit(self, now: float) -> Attempt | None:
        """Leave to try, or None: it is open."""
        trial = self._failures >= FAILURES
        if trial and (now < self._open_until or self._trial is not None):
            return None
        short = trial or self._is_suspect(now)
        attempt = Attempt(
            started=now, patience=self._short() if short else self._patience, trial=trial
        )
        if trial:
            self._trial = attempt
        self._running[attempt] = None
        return attempt

    def succeed(self, attempt: Attempt, now: float) -> None:
        self._usual += (now - attempt.started - self._usual) * _WEIGHT
        self._succeeded = now
        self._failures = 0

    def fail(self, now: float) -> None:
        self._failures = min(self._failures + 1, FAILURES)
        self._open_until = now + PAUSE_SECONDS

    def give_up(self, attempt: Attempt, now: float) -> None:
        """The attempt's patience is over.

        A short one alone is no failure: those who had the full patience will tell what it was.
        """
        if self._is_in_doubt or attempt.patience >= self._patience:
            self.fail(now)

    def end(self, attempt: Attempt) -> None:
        self._running.pop(attempt, None)
        if self._trial is attempt:
            self._trial = None

    def doubt(self, now: float) -> None:
        """Something that leads to the same place has failed."""
        self._doubted = now

    def expect(self, seconds: float) -> None:
        """A look from outside took so long, so an attempt must be allowed to take as long.

        Otherwise what has become slower for good would fail each trial.
        """
        self._usual = max(self._usual, seconds)

    def _is_suspect(self, now: float) -> bool:
        oldest = next(iter(self._running), None)
        hangs = oldest is not None and self._succeeded < oldest.started < now - self._short()
        return hangs or self._is_in_doubt

    @property
    def _is_in_doubt(self) -> bool:
        return self._failures > 0 or self._doubted > self._succeeded

    def _short(self) -> float:
        least, most = SHORT_PATIENCE
        return min(max(least, _USUAL_TIMES * self._usual), most, self._patience)
