"""HTTP requests: ids, numbers, and what the access log says and does not say of them."""

import logging
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from gateway.context import CalledOperation
from gateway.telemetry.current import REQUEST, CallState, current_request_id
from gateway.telemetry.visits import ACCESS_LOG, EVENT, MAX_AGENT, Visits
from tests.support.telemetry import Clock, series

Lines = list[dict[str, object]]


@pytest.fixture
def visits(registry: CollectorRegistry, clock: Clock) -> Visits:
    ids = iter(f"id-{number}" for number in range(100_000))
    return Visits(registry, monotonic=clock, new_id=lambda: next(ids))


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Lines]:
    caplog.set_level(logging.INFO, ACCESS_LOG.name)
    found: Lines = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.__dict__[EVENT])  # type: ignore[method-assign]
    ACCESS_LOG.addHandler(handler)
    yield found
    ACCESS_LOG.removeHandler(handler)


def visit(
    visits: Visits, *, route: str = "/apis/{rest}", status: int | None = 200, aborted: bool = False
) -> None:
    seen = visits.begin("GET", {}, "192.0.2.7", trusted=False)
    seen.ended(route, status=status, received=10, sent=200, aborted=aborted)


@pytest.mark.parametrize(
    ("sent", "trusted", "named"),
    [
        ("abc-1.2_3", True, "abc-1.2_3"),
        ("abc", False, "id-0"),
        ("", True, "id-0"),
        ("a b", True, "id-0"),
        ('a"b', True, "id-0"),
        ("a\r\nb", True, "id-0"),
        ("x" * 128, True, "x" * 128),
        ("x" * 129, True, "id-0"),
    ],
    ids=["a proxy's", "a stranger's", "none", "blank", "quote", "line", "longest", "too long"],
)
def test_a_request_has_the_id_that_a_trusted_proxy_gave_it_else_a_new_one(
    visits: Visits, sent: str, trusted: bool, named: str
) -> None:
    seen = visits.begin("GET", {"X-Request-ID": sent}, "192.0.2.7", trusted=trusted)
    assert seen.request_id == named
    assert current_request_id() == named


def test_a_line_says_who_what_and_how_long(visits: Visits, lines: Lines, clock: Clock) -> None:
    seen = visits.begin("GET", {"User-Agent": "curl/8"}, "192.0.2.7", trusted=False)
    request = REQUEST.get()
    assert request is not None
    operation = CalledOperation(api="shop", method="GET", path="/items/{id}", name="getItem")
    request.calls.append(CallState(operation=operation, status=200, upstream_seconds=0.0123))
    clock.now += 0.025
    seen.ended("/apis/{rest}", status=200, received=10, sent=200, aborted=False)
    assert lines == [
        {
            "request_id": "id-0",
            "method": "GET",
            "route": "/apis/{rest}",
            "status": 200,
            "outcome": "answered",
            "ms": 25.0,
            "received": 10,
            "sent": 200,
            "api": "shop",
            "operation": "getItem",
            "upstream_status": 200,
            "upstream_ms": 12.3,
            "client": "192.0.2.7",
            "agent": "curl/8",
        }
    ]


def test_the_id_that_a_stranger_sent_is_told_beside_ours(visits: Visits, lines: Lines) -> None:
    seen = visits.begin("GET", {"X-Request-ID": "theirs-1"}, "192.0.2.7", trusted=False)
    seen.ended("-", status=200, received=0, sent=0, aborted=False)
    assert (lines[0]["request_id"], lines[0]["caller_request_id"]) == ("id-0", "theirs-1")


def test_s93_what_callers_say_is_cut(visits: Visits, lines: Lines) -> None:
    seen = visits.begin("X" * 5_000, {"User-Agent": "a" * 1_000_000}, "192.0.2.7", trusted=False)
    seen.ended("-", status=404, received=0, sent=200, aborted=False)
    assert len(str(lines[0]["agent"])) == MAX_AGENT
    assert len(str(lines[0]["method"])) == 16


def test_probes_are_not_logged_unless_they_fail(visits: Visits, lines: Lines) -> None:
    visit(visits, route="/healthz")
    visit(visits, route="/readyz")
    visit(visits, route="/readyz", status=503)
    assert [line["status"] for line in lines] == [503]


def test_a_batch_is_one_line_with_the_number_of_its_calls(visits: Visits, lines: Lines) -> None:
    seen = visits.begin("POST", {}, "192.0.2.7", trusted=False)
    request = REQUEST.get()
    assert request is not None
    request.calls.extend(CallState(upstream_seconds=0.001) for _ in range(3))
    seen.ended("/mcp", status=200, received=0, sent=0, aborted=False)
    assert (lines[0]["calls"], lines[0]["upstream_ms"]) == (3, 3.0)


def test_requests_are_counted_by_route_method_and_status(
    registry: CollectorRegistry, visits: Visits
) -> None:
    visit(visits)
    visit(visits, status=404, route="-")
    visit(visits, status=200, aborted=True)
    visit(visits, status=None, aborted=True)
    assert series(registry, "ocp_gateway_http_requests_total") == {
        "method=GET route=/apis/{rest} status=200": 1.0,
        "method=GET route=- status=404": 1.0,
        "method=GET route=/apis/{rest} status=aborted": 2.0,
    }
    assert registry.get_sample_value("ocp_gateway_http_sent_bytes_total") == 800.0
    assert registry.get_sample_value("ocp_gateway_http_received_bytes_total") == 40.0
    assert visits.running == 0


def test_s95_a_hundred_thousand_methods_make_one_series(
    registry: CollectorRegistry, visits: Visits
) -> None:
    for number in range(100_000):
        seen = visits.begin(f"M{number}", {}, "192.0.2.7", trusted=False)
        seen.ended("-", status=404, received=0, sent=0, aborted=False)
    counted = series(registry, "ocp_gateway_http_requests_total")
    assert counted == {"method=other route=- status=404": 100_000.0}
    assert len(visits._counters) == 0
