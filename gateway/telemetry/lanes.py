"""The way to each API: who is on it, who waits, whether it is closed for now."""

from collections import Counter as Sum
from collections.abc import Callable, Iterable
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge

from gateway.telemetry.readings import Rises


class Lane(Protocol):
    """The way to one origin of an API; the counts only grow."""

    @property
    def api(self) -> str: ...

    @property
    def origin(self) -> str: ...

    @property
    def running(self) -> int: ...

    @property
    def waiting(self) -> int: ...

    @property
    def websockets(self) -> int: ...

    @property
    def circuit(self) -> str: ...

    @property
    def retries(self) -> int: ...

    @property
    def refused(self) -> int:
        """There was no place."""
        ...

    @property
    def rejected(self) -> int:
        """The circuit was open."""
        ...


Lanes = Callable[[], Iterable[Lane]]


class LanesReading:
    """What lanes say, summed over the origins of each API."""

    def __init__(self, registry: CollectorRegistry, lanes: Lanes) -> None:
        def gauge(name: str, about: str) -> Gauge:
            return Gauge(
                f"ocp_gateway_upstream_{name}",
                about,
                ("api",),
                registry=registry,
                multiprocess_mode="livesum",
            )

        def counter(name: str, about: str) -> Rises:
            name = f"ocp_gateway_upstream_{name}"
            return Rises(Counter(name, about, ("api",), registry=registry))

        self._lanes = lanes
        self._running = gauge("running", "Requests that have a place at the API.")
        self._waiting = gauge("waiting", "Requests that wait for a place.")
        self._websockets = gauge("websockets", "WebSockets that have a place at the API.")
        self._closed = gauge("circuits_open", "Circuits that let nobody or only a probe through.")
        self._retries = counter("retries", "Further attempts.")
        self._busy = counter("refused_busy", "Requests that found no place in time.")
        self._open = counter("refused_circuit", "Requests that found the circuit open.")

    def refresh(self) -> None:
        running, waiting, closed = Sum[str](), Sum[str](), Sum[str]()
        websockets = Sum[str]()
        retries, busy, refused = Sum[str](), Sum[str](), Sum[str]()
        for lane in self._lanes():
            running[lane.api] += lane.running
            waiting[lane.api] += lane.waiting
            websockets[lane.api] += lane.websockets
            closed[lane.api] += lane.circuit != "closed"
            retries[lane.api] += lane.retries
            busy[lane.api] += lane.refused
            refused[lane.api] += lane.rejected
        for gauge, sums in (
            (self._running, running),
            (self._waiting, waiting),
            (self._websockets, websockets),
            (self._closed, closed),
        ):
            for api, value in sums.items():
                gauge.labels(api).set(value)
        self._retries.follow(retries)
        self._busy.follow(busy)
        self._open.follow(refused)
