"""How much of the traffic to an API may be repetition."""

from collections import deque
from dataclasses import dataclass

WINDOW_SECONDS = 10
SHARE = 0.2
"""Retries for each request of the window (Finagle's and Envoy's 20 %)."""
FLOOR = 10
"""Retries in a window that are there for everybody, or an API with little traffic had none."""


@dataclass(slots=True, kw_only=True)
class _Second:
    number: int
    requests: int = 0
    retries: int = 0


class RetryBudget:
    """Retries that the traffic of the last seconds pays for.

    An API that is down gets at most a fifth more of what it cannot take anyway, however many
    retries each of its callers were allowed. Times are seconds by a clock that never goes back.
    """

    def __init__(self) -> None:
        self._seconds: deque[_Second] = deque()
        self._requests = 0
        self._retries = 0

    def count(self, now: float) -> None:
        """A request comes."""
        self._current(now).requests += 1
        self._requests += 1

    def admit(self, now: float) -> bool:
        """Whether one may be repeated; then it counts as repeated."""
        current = self._current(now)
        if self._retries + 1 > FLOOR + SHARE * self._requests:
            return False
        current.retries += 1
        self._retries += 1
        return True

    def _current(self, now: float) -> _Second:
        number = int(now)
        while self._seconds and self._seconds[0].number <= number - WINDOW_SECONDS:
            old = self._seconds.popleft()
            self._requests -= old.requests
            self._retries -= old.retries
        if not self._seconds or self._seconds[-1].number != number:
            self._seconds.append(_Second(number=number))
        return self._seconds[-1]
