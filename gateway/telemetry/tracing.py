"""Spans for OpenTelemetry (extra `otel`): imported only where somebody asks for traces."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway import __version__
from gateway.context import CalledOperation
from gateway.errors import GatewayError
from gateway.messages import Request, header
from gateway.telemetry.labels import METHODS
from gateway.telemetry.spans import Span
from gateway.upstreams import Upstream

_W3C = TraceContextTextMapPropagator()
_TRACE_HEADERS = frozenset({"traceparent", "tracestate"})


class OtelSpans:
    """Spans by the semantic conventions for HTTP, but for what may hold secrets: URLs, headers."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def server(self, method: str, headers: Mapping[str, str], /) -> "_Server":
        sent = {name: headers[name] for name in _TRACE_HEADERS if name in headers}
        known = method if method in METHODS else "_OTHER"
        span = self._tracer.start_span(
            known,
            context=_W3C.extract(sent, context=Context()),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": known},
        )
        # For this task and those that it starts: each request has one of its own.
        context.attach(trace.set_span_in_context(span))
        return _Server(span, known)

    @contextmanager
    def client(
        self, request: Request, upstream: Upstream, operation: CalledOperation, /
    ) -> Iterator[tuple[Request, Span]]:
        parent, links = _parent(request)
        place = urlsplit(upstream.origin)
        method = request.head.method if request.head.method in METHODS else "_OTHER"
        attributes: dict[str, str | int] = {
            "http.request.method": method,
            "server.address": place.hostname or "",
            "server.port": place.port or (443 if place.scheme == "https" else 80),
            "ocp.api": upstream.name,
        }
        if operation.name is not None and operation.path is not None:
            attributes |= {"ocp.operation": operation.name, "url.template": operation.path}
        span = self._tracer.start_span(
            f"{method} {upstream.name} {operation.name or ''}".rstrip(),
            context=parent,
            kind=SpanKind.CLIENT,
            links=links,
            attributes=attributes,
        )
        try:
            yield _traced(request, span), _Client(span)
        finally:
            span.end()


class _Server:
    __slots__ = ("_method", "_span")

    def __init__(self, span: trace.Span, method: str) -> None:
        self._span = span
        self._method = method

    def ended(self, route: str, status: int | None, /, *, aborted: bool) -> None:
        if route != "-":
            self._span.update_name(f"{self._method} {route}")
            self._span.set_attribute("http.route", route)
        if status is not None:
            self._span.set_attribute("http.response.status_code", status)
        if aborted or (status or 0) >= 500:
            self._span.set_attribute("error.type", "aborted" if aborted else str(status))
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class _Client:
    __slots__ = ("_span",)

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def answered(self, status: int, /) -> None:
        self._span.set_attribute("http.response.status_code", status)
        if status >= 400:
            self._span.set_attribute("error.type", str(status))
            self._span.set_status(Status(StatusCode.ERROR))

    def failed(self, error: GatewayError, /) -> None:
        self._span.set_attribute("error.type", error.code)
        self._span.set_status(Status(StatusCode.ERROR))


def _parent(request: Request) -> tuple[Context, tuple[Link, ...]]:
    """Where the span belongs: to the HTTP request, or to the trace that an MCP message names."""
    here = context.get_current()
    sent = header(request.head.headers, "traceparent")
    if sent is None:
        return here, ()
    state = header(request.head.headers, "tracestate")
    carrier = {"traceparent": sent} | ({"tracestate": state} if state is not None else {})
    named = _W3C.extract(carrier, context=Context())
    theirs = trace.get_current_span(named).get_span_context()
    ours = trace.get_current_span(here).get_span_context()
    if not theirs.is_valid or theirs.trace_id == ours.trace_id:
        return here, ()
    return named, ((Link(ours),) if ours.is_valid else ())


def _traced(request: Request, span: trace.Span) -> Request:
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, context=trace.set_span_in_context(span, Context()))
    kept = tuple(p for p in request.head.headers if p[0].lower() not in _TRACE_HEADERS)
    headers = (*kept, *carrier.items())
    return replace(request, head=replace(request.head, headers=headers))


class Tracing:
    """Spans on their way to an OTLP receiver, in batches, by a thread of the SDK's.

    The environment variables of OpenTelemetry (`OTEL_*`) say where to, and how many.
    """

    def __init__(self) -> None:
        named = Resource.create({SERVICE_NAME: "ocp-gateway", "service.version": __version__})
        # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say wins.
        self._provider = TracerProvider(
            resource=named.merge(Resource.create()) if _is_named() else named,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self.spans = OtelSpans(self._provider.get_tracer("ocp-gateway", __version__))

    def close(self, seconds: float) -> None:
        """Sends what is left, but waits no longer than that: the receiver may be down."""
        # Not one of the loop's threads, which Python would wait for.
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(seconds)


def _is_named() -> bool:
    name = Resource.create().attributes.get(SERVICE_NAME, "")
    return not str(name).startswith("unknown_service")
