"""The context store, timed as calls experience it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Histogram

from gateway.errors import GatewayError
from gateway.interfaces import Change, ContextStore, Page, Stored
from gateway.policy import Principal

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0)


class StoreFigures:
    """What operations of the context store came to."""

    def __init__(self, registry: CollectorRegistry, *, monotonic: Callable[[], float]) -> None:
        """`monotonic` counts seconds."""
        self._monotonic = monotonic
        self._seconds = Histogram(
            "ocp_gateway_store_seconds",
            "How long operations of the context store took.",
            ("operation", "outcome"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._kept: dict[tuple[str, str], Histogram] = {}

    @contextmanager
    def timing(self, operation: str) -> Iterator[None]:
        began, outcome = self._monotonic(), "cancelled"
        try:
            yield
            outcome = "ok"
        except GatewayError as error:
            outcome = error.code
            raise
        finally:
            key = (operation, outcome)
            histogram = self._kept.get(key)
            if histogram is None:
                histogram = self._kept[key] = self._seconds.labels(*key)
            histogram.observe(self._monotonic() - began)


class WatchedStore:
    """A ContextStore around another one."""

    def __init__(self, store: ContextStore, figures: StoreFigures) -> None:
        self._store = store
        self._timing = figures.timing

    async def get(
        self, principal: Principal, context_id: str, *, newest: bool = False
    ) -> Stored | None:
        with self._timing("get"):
            return await self._store.get(principal, context_id, newest=newest)

    async def update(
        self,
        principal: Principal,
        context_id: str,
        change: Change,
        *,
        expected: int | None = None,
    ) -> Stored | None:
        with self._timing("update"):
            return await self._store.update(principal, context_id, change, expected=expected)

    async def list(self, principal: Principal, cursor: str | None, limit: int) -> Page:
        with self._timing("list"):
            return await self._store.list(principal, cursor, limit)

    async def ping(self) -> None:
        with self._timing("ping"):
            await self._store.ping()

    async def aclose(self) -> None:
        await self._store.aclose()
