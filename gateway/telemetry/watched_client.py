"""Requests to APIs: timed to the response head, and named so that both ends' logs can be joined."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from prometheus_client import CollectorRegistry, Counter, Histogram

from gateway.errors import GatewayError
from gateway.interfaces import UpstreamClient
from gateway.messages import Request, Response, header
from gateway.telemetry.current import CALL, NOBODY, CallState, current_request_id
from gateway.telemetry.labels import SECONDS, status_label
from gateway.telemetry.spans import NO_SPANS, Spans
from gateway.upstreams import Upstream

REQUEST_ID = "X-Request-ID"


class UpstreamFigures:
    """What requests to APIs came to."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._total = Counter(
            "ocp_gateway_upstream_requests",
            "Requests to APIs: the status, or the code of what went wrong before one was there.",
            ("api", "result"),
            registry=registry,
        )
        self._seconds = Histogram(
            "ocp_gateway_upstream_seconds",
            "From a request to the head of its response, waiting for a free place included.",
            ("api", "operation"),
            buckets=SECONDS,
            registry=registry,
        )
        self._counters: dict[tuple[str, int | str], Counter] = {}
        self._histograms: dict[tuple[str, str | None], Histogram] = {}

    def ended(self, api: str, call: CallState, result: int | str, seconds: float) -> None:
        call.upstream_seconds += seconds
        call.requests += 1
        counter = self._counters.get((api, result))
        if counter is None:
            text = status_label(result) if isinstance(result, int) else result
            counter = self._counters[api, result] = self._total.labels(api, text)
        counter.inc()
        key = (api, call.operation.name)
        histogram = self._histograms.get(key)
        if histogram is None:
            histogram = self._histograms[key] = self._seconds.labels(api, key[1] or "-")
        histogram.observe(seconds)


class WatchedClient:
    """An UpstreamClient around another one."""

    def __init__(
        self,
        client: UpstreamClient,
        figures: UpstreamFigures,
        *,
        monotonic: Callable[[], float],
        spans: Spans = NO_SPANS,
    ) -> None:
        """`monotonic` counts seconds."""
        self._client = client
        self._figures = figures
        self._monotonic = monotonic
        self._spans = spans

    @asynccontextmanager
    async def send(
        self, request: Request, upstream: Upstream, *, deadline: float | None
    ) -> AsyncIterator[Response]:
        """See UpstreamClient."""
        call = CALL.get() or CallState(operation=NOBODY)
        began = self._monotonic()
        result: int | str | None = None
        with self._spans.client(_named(request), upstream, call.operation) as (traced, span):
            try:
                async with self._client.send(traced, upstream, deadline=deadline) as response:
                    result = response.head.status
                    span.answered(result)
                    self._figures.ended(upstream.name, call, result, self._monotonic() - began)
                    yield response
            except GatewayError as error:
                span.failed(error)
                if result is None:
                    result = error.code
                    self._figures.ended(upstream.name, call, result, self._monotonic() - began)
                raise
            finally:
                if result is None:
                    waited = self._monotonic() - began
                    self._figures.ended(upstream.name, call, "cancelled", waited)

    async def aclose(self) -> None:
        await self._client.aclose()


def _named(request: Request) -> Request:
    """The request with our id for it, unless its caller or the configuration has given it one."""
    request_id = current_request_id()
    if request_id is None or header(request.head.headers, REQUEST_ID) is not None:
        return request
    headers = (*request.head.headers, (REQUEST_ID, request_id))
    return replace(request, head=replace(request.head, headers=headers))
