"""All of it together: what the wiring makes, and hands its parts to whoever has to tell."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Gauge

from gateway.engine import Gateway
from gateway.interfaces import ContextStore, UpstreamClient
from gateway.telemetry.calls import Calls
from gateway.telemetry.exposition import make_registry, render
from gateway.telemetry.lag import TICK_SECONDS, LoopLag
from gateway.telemetry.lanes import Lanes, LanesReading
from gateway.telemetry.log_writer import dropped_lines
from gateway.telemetry.process import ProcessReading
from gateway.telemetry.readings import (
    CatalogReading,
    Number,
    NumbersReading,
    Reading,
    StoreReading,
    Tally,
    TrafficReading,
)
from gateway.telemetry.snapshot import (
    count_peers,
    describe_gateway,
    describe_lanes,
    describe_process,
    describe_tasks,
)
from gateway.telemetry.spans import NO_SPANS, Spans
from gateway.telemetry.visits import Visits
from gateway.telemetry.watched_client import UpstreamFigures, WatchedClient
from gateway.telemetry.watched_store import StoreFigures, WatchedStore

REFRESH_SECONDS = 5.0
"""How old what another worker says of itself may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a process tells of itself. `peers`: an address for each connection of a caller."""

    gateway: Gateway
    peers: Callable[[], Sequence[str]] = tuple


class Observatory:
    """Of one process. `calls` is the engine's Telemetry, `visits` what the server tells."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        new_id: Callable[[], str],
        directory: Path | None = None,
        spans: Spans = NO_SPANS,
    ) -> None:
        """`monotonic` counts seconds, `new_id` makes request ids.

        `directory`: where the processes of one gateway keep what they count.
        """
        self._directory = directory
        self._monotonic = monotonic
        self._spans = spans
        self.registry = make_registry(directory)
        self.calls = Calls(self.registry, monotonic=monotonic)
        self.visits = Visits(self.registry, monotonic=monotonic, new_id=new_id, spans=spans)
        self.lag = LoopLag(self.registry)
        self._upstreams = UpstreamFigures(self.registry)
        self._stores = StoreFigures(self.registry, monotonic=monotonic)
        self._worst = Gauge(
            "ocp_gateway_event_loop_lag_max_seconds",
            "The worst lag of the last 15 seconds.",
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self._lanes: Lanes = tuple
        self._sources: Sources | None = None
        self._numbers = {
            "calls_running": Number(about="Calls under way.", read=lambda: self.calls.running),
            "http_requests_running": Number(
                about="HTTP requests under way.", read=lambda: self.visits.running
            ),
        }
        self._tallies: dict[str, Tally] = {}
        self._readings: list[Reading] = []
        self._began = monotonic()

    def around_client(self, client: UpstreamClient, *, lanes: Lanes = tuple) -> UpstreamClient:
        """`lanes`: how the client is getting on with each API."""
        self._lanes = lanes
        return WatchedClient(client, self._upstreams, monotonic=self._monotonic, spans=self._spans)

    def around_store(self, store: ContextStore) -> ContextStore:
        return WatchedStore(store, self._stores)

    def add_number(self, name: str, number: Number) -> None:
        """Before `read_from`. `name` is the metric's, without prefix and suffix."""
        self._numbers[name] = number

    def add_tally(self, name: str, tally: Tally) -> None:
        """As `add_number`."""
        self._tallies[name] = tally

    def read_from(self, sources: Sources, *, started: float) -> None:
        """From now on these are read. `started`: when, in seconds since 1970."""
        self._sources = sources
        self._readings = [
            CatalogReading(self.registry, sources.gateway),
            StoreReading(self.registry, sources.gateway),
            TrafficReading(self.registry, sources.gateway),
            LanesReading(self.registry, self._lanes),
            NumbersReading(self.registry, self._numbers, self._tallies),
            ProcessReading(self.registry, started=started, dropped=dropped_lines),
        ]

    def report(self) -> dict[str, object]:
        """What this process is doing: names, numbers and places in the code, never values."""
        report = describe_process(uptime=self._monotonic() - self._began, lag=self.lag)
        report |= {
            "numbers": {name: number.read() for name, number in self._numbers.items()},
            "tallies": {name: dict(tally.read()) for name, tally in self._tallies.items()},
            "upstreams": describe_lanes(self._lanes()),
            "tasks": describe_tasks(),
        }
        if self._sources is not None:
            peers = self._sources.peers()
            report |= describe_gateway(self._sources.gateway)
            report["connections"] = {"open": len(peers), "by_address": count_peers(peers)}
        return report

    def refresh(self) -> None:
        for reading in self._readings:
            reading.refresh()
        self._worst.set(self.lag.worst)

    async def render(self) -> bytes:
        """The metrics of all processes, as text."""
        self.refresh()
        return await asyncio.to_thread(render, self.registry, self._directory)

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Measures and refreshes as long as it is open."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._keep(), name="telemetry")
            try:
                yield
            finally:
                task.cancel()
                self.refresh()

    async def _keep(self) -> None:
        while True:
            self.refresh()
            for _ in range(round(REFRESH_SECONDS / TICK_SECONDS)):
                await self.lag.tick(clock=self._monotonic)
