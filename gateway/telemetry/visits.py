"""HTTP requests: their ids, their numbers, and one line of the access log for each."""

import logging
import re
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram

from gateway.telemetry.current import CALL, REQUEST, RequestState
from gateway.telemetry.labels import SECONDS, method_label, status_label
from gateway.telemetry.spans import NO_SPANS, ServerSpan, Spans

ACCESS_LOG = logging.getLogger("gateway.access")

EVENT = "event"
"""A record's member with all of its fields: short texts and numbers."""
MAX_AGENT = 200
"""Characters of a User-Agent that are logged."""
_ID = re.compile(r"[A-Za-z0-9._~+/=:@-]{1,128}")
# Whoever watches a gateway asks for these all day; the log is about those who use it.
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


class Visits:
    """Every HTTP request from its head to its answer's end."""

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        monotonic: Callable[[], float],
        new_id: Callable[[], str],
        spans: Spans = NO_SPANS,
    ) -> None:
        """`monotonic` counts seconds; `new_id` makes request ids."""
        self._monotonic = monotonic
        self._new_id = new_id
        self._spans = spans
        self._counters: dict[tuple[str, str, int | None], Counter] = {}
        self._histograms: dict[str, Histogram] = {}
        self.running = 0
        self._total = Counter(
            "ocp_gateway_http_requests",
            "HTTP requests that have been answered or cut.",
            ("route", "method", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "ocp_gateway_http_request_seconds",
            "From a request's head to the end of its answer.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )
        self._received = Counter(
            "ocp_gateway_http_received_bytes", "Bytes of request bodies.", registry=registry
        )
        self._sent = Counter(
            "ocp_gateway_http_sent_bytes", "Bytes of answers, heads included.", registry=registry
        )

    def begin(
        self, method: str, headers: Mapping[str, str], client: str, *, trusted: bool
    ) -> "Visit":
        """`trusted`: whether the peer may name the request by `X-Request-ID`."""
        sent = headers.get("X-Request-ID", "")
        is_id = _ID.fullmatch(sent) is not None
        request_id = sent if trusted and is_id else self._new_id()
        self.running += 1
        state = RequestState(request_id=request_id)
        REQUEST.set(state)
        CALL.set(None)
        return Visit(
            self,
            state,
            began=self._monotonic(),
            method=method,
            span=self._spans.server(method, headers),
            said={
                "client": client,
                "agent": headers.get("User-Agent", "")[:MAX_AGENT],
                **({"caller_request_id": sent} if is_id and sent != request_id else {}),
            },
        )

    def ended(self, visit: "Visit", route: str, end: "End") -> None:
        self.running -= 1
        visit.span.ended(route, end.status, aborted=end.aborted)
        seconds = self._monotonic() - visit.began
        self._count(visit.method, route, end, seconds)
        level = logging.DEBUG if route in _PROBES and end.status == 200 else logging.INFO
        if ACCESS_LOG.isEnabledFor(level):
            record = logging.LogRecord(ACCESS_LOG.name, level, "", 0, "request", (), None)
            # Looking for the caller's line and judging members one by one takes thrice the time.
            record.__dict__[EVENT] = visit.line(route, end, seconds)
            ACCESS_LOG.handle(record)

    def _count(self, method: str, route: str, end: "End", seconds: float) -> None:
        key = (route, method, None if end.aborted else end.status)
        counter = self._counters.get(key)
        if counter is None:
            status = "aborted" if end.aborted else status_label(end.status)
            counter = self._total.labels(route, method_label(method), status)
            # What is kept by the caller's own words must not grow with them.
            if method_label(method) == method:
                self._counters[key] = counter
        counter.inc()
        histogram = self._histograms.get(route)
        if histogram is None:
            histogram = self._histograms[route] = self._seconds.labels(route)
        histogram.observe(seconds)
        self._received.inc(end.received)
        self._sent.inc(end.sent)


class End:
    """How a request ended: `status` None where no answer was begun; sizes are bytes."""

    __slots__ = ("aborted", "received", "sent", "status")

    def __init__(self, *, status: int | None, received: int, sent: int, aborted: bool) -> None:
        self.status = status
        self.received = received
        self.sent = sent
        self.aborted = aborted


class Visit:
    """One HTTP request under way."""

    __slots__ = ("_owner", "_said", "_state", "began", "method", "span")

    def __init__(
        self,
        owner: Visits,
        state: RequestState,
        *,
        began: float,
        method: str,
        span: ServerSpan,
        said: dict[str, str],
    ) -> None:
        self._owner = owner
        self._state = state
        self._said = said
        self.began = began
        self.method = method
        self.span = span

    @property
    def request_id(self) -> str:
        return self._state.request_id

    def ended(
        self, route: str, *, status: int | None, received: int, sent: int, aborted: bool
    ) -> None:
        """`route` is the template of the path, `-` where none fits; sizes are bytes."""
        end = End(status=status, received=received, sent=sent, aborted=aborted)
        self._owner.ended(self, route, end)

    def line(self, route: str, end: End, seconds: float) -> dict[str, object]:
        """The fields of the access log (docs/observability.md). No path, no query, no context."""
        fields: dict[str, object] = {
            "request_id": self._state.request_id,
            "method": self.method[:16],
            "route": route,
            "status": end.status,
            "outcome": "aborted" if end.aborted else "answered",
            "ms": round(seconds * 1000, 1),
            "received": end.received,
            "sent": end.sent,
        }
        calls = self._state.calls
        if calls:
            last = calls[-1]
            fields["api"] = last.operation.api
            fields["operation"] = last.operation.name or "-"
            fields["upstream_status"] = last.status
            fields["upstream_ms"] = round(sum(c.upstream_seconds for c in calls) * 1000, 1)
        if len(calls) > 1:
            fields["calls"] = len(calls)
        return fields | self._said
