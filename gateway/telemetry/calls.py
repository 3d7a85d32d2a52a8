"""Tool calls and proxied requests, counted and timed by API and operation."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry, Counter, Histogram

from gateway.context import CalledOperation
from gateway.errors import GatewayError
from gateway.interfaces import Way
from gateway.telemetry.current import CALL, REQUEST, CallState
from gateway.telemetry.labels import METHODS, SECONDS, method_label, status_label

_LABELS = ("way", "api", "operation", "method")


class _Series:
    """The series of one operation, found once: looking labels up takes longer than counting."""

    def __init__(self, total: Counter, seconds: Histogram, labels: tuple[str, ...]) -> None:
        self._total = total
        self._labels = labels
        self._counts: dict[tuple[int | None, str], Counter] = {}
        self.seconds = seconds.labels(*labels[:3])

    def count(self, status: int | None, outcome: str) -> None:
        key = (status, outcome)
        counter = self._counts.get(key)
        if counter is None:
            counter = self._total.labels(*self._labels, status_label(status), outcome)
            self._counts[key] = counter
        counter.inc()


class Calls:
    """The gateway's Telemetry: every call is watched from its beginning to its end."""

    def __init__(self, registry: CollectorRegistry, *, monotonic: Callable[[], float]) -> None:
        """`monotonic` counts seconds."""
        self._monotonic = monotonic
        self._series: dict[tuple[Way, str, str | None, str], _Series] = {}
        self.running = 0
        self._total = Counter(
            "ocp_gateway_calls",
            "Tool calls and proxied requests that have ended.",
            (*_LABELS, "status", "outcome"),
            registry=registry,
        )
        self._seconds = Histogram(
            "ocp_gateway_call_seconds",
            "How long they took, bodies included.",
            _LABELS[:3],
            buckets=SECONDS,
            registry=registry,
        )
        self._rejects = Counter(
            "ocp_invalid", "OCP headers of calls that were ignored.", ("reason",), registry=registry
        )
        self._invalid = Counter(
            "ocp_gateway_invalid_traffic",
            "Proxied exchanges that their description does not allow.",
            ("api", "operation", "direction", "mode"),
            registry=registry,
        )

    def watching(self, way: Way, rejects: tuple[str, ...], /) -> "_Watch":
        for reason in rejects:
            self._rejects.labels(reason).inc()
        return _Watch(self, way)

    def found_invalid(self, operation: CalledOperation, direction: str, mode: str, /) -> None:
        self._invalid.labels(operation.api, operation.name or "-", direction, mode).inc()

    def began(self) -> float:
        self.running += 1
        return self._monotonic()

    def ended(self, way: Way, state: CallState, outcome: str, began: float) -> None:
        self.running -= 1
        about = state.operation
        method = about.method if about.method in METHODS else method_label(about.method)
        key = (way, about.api, about.name, method)
        series = self._series.get(key)
        if series is None:
            labels = (way.value, about.api, about.name or "-", method)
            series = self._series[key] = _Series(self._total, self._seconds, labels)
        series.seconds.observe(self._monotonic() - began)
        series.count(state.status, outcome)


class _Watch:
    """One call as it goes."""

    __slots__ = ("_began", "_calls", "_failure", "_outer", "_state", "_way")

    def __init__(self, calls: Calls, way: Way) -> None:
        self._calls = calls
        self._way = way
        self._state = CallState()
        self._failure: str | None = None
        self._outer: CallState | None = None
        self._began = 0.0

    def about(self, operation: CalledOperation, /) -> None:
        self._state.operation = operation

    def answered(self, status: int, /) -> None:
        self._state.status = status

    def failed(self, error: GatewayError, /) -> None:
        self._failure = error.code

    def __enter__(self) -> Self:
        self._began = self._calls.began()
        self._outer = CALL.get()
        CALL.set(self._state)
        request = REQUEST.get()
        if request is not None:
            request.calls.append(self._state)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        # Not by a token: an abandoned generator is closed in another context.
        CALL.set(self._outer)
        self._calls.ended(self._way, self._state, self._outcome(error), self._began)

    def _outcome(self, error: BaseException | None) -> str:
        if error is None:
            return self._failure or "answered"
        if isinstance(error, GatewayError):
            return error.code
        is_gone = isinstance(error, asyncio.CancelledError | GeneratorExit)
        return "cancelled" if is_gone else "internal_error"
