"""How late the event loop is: what every caller waits for besides its own work."""

import asyncio
from collections import deque
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Histogram

TICK_SECONDS = 0.1
WINDOW_SECONDS = 15.0
"""For how long the worst is remembered: the usual time between two scrapes."""
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class LoopLag:
    """Sleeps for TICK_SECONDS again and again, and looks how much longer it took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "ocp_gateway_event_loop_lag_seconds",
            "How late the event loop wakes who has asked to be woken.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._recent: deque[float] = deque(maxlen=round(WINDOW_SECONDS / TICK_SECONDS))

    async def tick(self, *, clock: Callable[[], float]) -> None:
        """`clock` counts seconds."""
        due = clock() + TICK_SECONDS
        await asyncio.sleep(TICK_SECONDS)
        late = max(clock() - due, 0.0)
        self._seconds.observe(late)
        self._recent.append(late)

    @property
    def worst(self) -> float:
        """The largest of the last WINDOW_SECONDS."""
        return max(self._recent, default=0.0)

    def quantile(self, share: float) -> float:
        """Of the same; `share` from 0 to 1."""
        ordered = sorted(self._recent)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0
