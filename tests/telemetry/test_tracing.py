"""Spans: one of each request, one of each exchange below it, and a header that joins them."""

from collections.abc import Sequence

import pytest
from opentelemetry import context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from opentelemetry.trace import SpanKind, StatusCode

from gateway.context import CalledOperation
from gateway.errors import UpstreamTimeout
from gateway.messages import Headers, Request, RequestHead, header, header_values
from gateway.telemetry.tracing import OtelSpans
from tests.support.engine import UPSTREAM

GET_ITEM = CalledOperation(api="shop", method="GET", path="/items/{id}", name="getItem")
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
OTHER = f"00-{'c' * 32}-{'d' * 16}-01"


class Traces:
    """Spans that a test can read."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.spans = OtelSpans(provider.get_tracer("test"))

    @property
    def ended(self) -> Sequence[ReadableSpan]:
        return self._exporter.get_finished_spans()

    def send(self, *headers: tuple[str, str], target: str = "/items/7?key=s3cret") -> Headers:
        head = RequestHead(method="GET", target=target, headers=headers)
        with self.spans.client(Request(head=head), UPSTREAM, GET_ITEM) as (request, span):
            span.answered(200)
        return request.head.headers


@pytest.fixture(autouse=True)
def no_trace_before() -> None:
    context.attach(context.Context())


def ids(span: ReadableSpan) -> tuple[str, str]:
    made = span.get_span_context()
    assert made is not None
    return f"{made.trace_id:032x}", f"{made.span_id:016x}"


def parent_of(span: ReadableSpan) -> str | None:
    return f"{span.parent.span_id:016x}" if span.parent is not None else None


def test_a_request_continues_its_callers_trace_and_the_api_gets_ours() -> None:
    traces = Traces()
    server = traces.spans.server("GET", {"traceparent": PARENT, "tracestate": "v=1"})
    headers = traces.send(("traceparent", PARENT), ("tracestate", "v=1"), ("Accept", "*/*"))
    server.ended("/apis/{rest}", 200, aborted=False)
    inner, outer = traces.ended
    assert (ids(outer)[0], parent_of(outer)) == (TRACE, SPAN)
    assert (ids(inner)[0], parent_of(inner)) == (TRACE, ids(outer)[1])
    assert header_values(headers, "traceparent") == (f"00-{TRACE}-{ids(inner)[1]}-01",)
    assert header_values(headers, "tracestate") == ("v=1",)
    assert header(headers, "accept") == "*/*"


def test_spans_are_named_by_templates_and_hold_no_path_or_query() -> None:
    traces = Traces()
    server = traces.spans.server("GET", {})
    traces.send(("Authorization", "s3cret"))
    server.ended("/apis/{rest}", 200, aborted=False)
    inner, outer = traces.ended
    assert (outer.name, outer.kind) == ("GET /apis/{rest}", SpanKind.SERVER)
    assert dict(outer.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/apis/{rest}",
        "http.response.status_code": 200,
    }
    assert (inner.name, inner.kind) == ("GET shop getItem", SpanKind.CLIENT)
    assert dict(inner.attributes or {}) == {
        "http.request.method": "GET",
        "server.address": "shop.test",
        "server.port": 80,
        "ocp.api": "shop",
        "ocp.operation": "getItem",
        "url.template": "/items/{id}",
        "http.response.status_code": 200,
    }
    assert "s3cret" not in inner.to_json() + outer.to_json()


def test_an_mcp_message_that_names_a_trace_is_continued_and_linked() -> None:
    traces = Traces()
    traces.spans.server("POST", {"traceparent": PARENT})
    headers = traces.send(("traceparent", OTHER))
    (inner,) = traces.ended
    assert (ids(inner)[0], parent_of(inner)) == ("c" * 32, "d" * 16)
    assert [f"{link.context.trace_id:032x}" for link in inner.links] == [TRACE]
    assert (header(headers, "traceparent") or "").startswith(f"00-{'c' * 32}-")


@pytest.mark.parametrize("sent", ["", "nonsense", f"00-{'0' * 32}-{SPAN}-01"])
def test_a_trace_that_is_none_begins_anew(sent: str) -> None:
    traces = Traces()
    traces.spans.server("GET", {"traceparent": sent})
    traces.send(("traceparent", sent))
    (inner,) = traces.ended
    assert ids(inner)[0] != TRACE
    assert inner.links == ()


@pytest.mark.parametrize(
    ("status", "aborted", "kind"),
    [(404, False, None), (503, False, "503"), (200, True, "aborted"), (None, True, "aborted")],
    ids=["not found", "unavailable", "cut", "no answer"],
)
def test_a_request_that_failed_is_an_error(
    status: int | None, aborted: bool, kind: str | None
) -> None:
    traces = Traces()
    traces.spans.server("BREW", {}).ended("-", status, aborted=aborted)
    (span,) = traces.ended
    assert span.name == "_OTHER"
    assert (span.attributes or {}).get("error.type") == kind
    assert (span.status.status_code is StatusCode.ERROR) == (kind is not None)


def test_an_exchange_that_failed_has_its_code() -> None:
    traces = Traces()
    request = Request(head=RequestHead(method="GET", target="/"))
    with traces.spans.client(request, UPSTREAM, GET_ITEM) as (_, span):
        span.failed(UpstreamTimeout("slow"))
    (ended,) = traces.ended
    assert (ended.attributes or {})["error.type"] == "upstream_timeout"


def test_what_is_not_sampled_is_passed_on_as_not_sampled() -> None:
    traces = Traces(ALWAYS_OFF)
    traces.spans.server("GET", {"traceparent": f"00-{TRACE}-{SPAN}-00"})
    headers = traces.send()
    assert not traces.ended
    assert (header(headers, "traceparent") or "").endswith("-00")
