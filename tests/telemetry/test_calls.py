"""Every call is counted once, however it ends, under names that nobody can make up."""

import asyncio
from typing import NoReturn

import pytest
from prometheus_client import CollectorRegistry

from gateway.context import CalledOperation
from gateway.errors import UnknownTool, UpstreamTimeout
from gateway.interfaces import CallWatch, Way
from gateway.telemetry.calls import Calls
from gateway.telemetry.current import CALL, REQUEST, RequestState
from tests.support.telemetry import Clock, Series, series

GET_ITEM = CalledOperation(api="shop", method="GET", path="/items/{id}", name="getItem")


@pytest.fixture
def calls(registry: CollectorRegistry, clock: Clock) -> Calls:
    return Calls(registry, monotonic=clock)


def told(registry: CollectorRegistry, name: str = "ocp_gateway_calls_total") -> Series:
    """Values by the labels that are not those of GET_ITEM's tool."""
    usual = {"way=tool", "api=shop", "operation=getItem", "method=GET"}
    return {
        " ".join(label for label in labels.split() if label not in usual): value
        for labels, value in series(registry, name).items()
    }


def fail(watch: CallWatch, error: BaseException, *, status: int | None = None) -> NoReturn:
    watch.about(GET_ITEM)
    if status is not None:
        watch.answered(status)
    raise error


def test_an_answer_is_counted_by_operation_and_status_and_timed(
    registry: CollectorRegistry, clock: Clock, calls: Calls
) -> None:
    with calls.watching(Way.TOOL, ()) as watch:
        watch.about(GET_ITEM)
        watch.answered(404)
        clock.now += 0.2
    assert told(registry) == {"outcome=answered status=404": 1.0}
    assert told(registry, "ocp_gateway_call_seconds_sum") == {"": pytest.approx(0.2)}
    assert told(registry, "ocp_gateway_call_seconds_bucket")["le=0.25"] == 1.0
    assert told(registry, "ocp_gateway_call_seconds_bucket")["le=0.1"] == 0.0


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (UpstreamTimeout("slow"), "upstream_timeout"),
        (asyncio.CancelledError(), "cancelled"),
        (GeneratorExit(), "cancelled"),
        (ZeroDivisionError(), "internal_error"),
    ],
    ids=["an error of ours", "a caller that left", "an abandoned stream", "a bug"],
)
def test_what_ends_a_call_early_is_its_outcome(
    registry: CollectorRegistry, calls: Calls, error: BaseException, outcome: str
) -> None:
    with pytest.raises(type(error)), calls.watching(Way.PROXY, ()) as watch:
        fail(watch, error)
    assert told(registry) == {f"outcome={outcome} status=- way=proxy": 1.0}
    assert calls.running == 0


def test_a_failure_that_has_a_result_all_the_same_is_a_failure(
    registry: CollectorRegistry, calls: Calls
) -> None:
    with calls.watching(Way.TOOL, ()) as watch:
        watch.about(GET_ITEM)
        watch.failed(UpstreamTimeout("slow"))
    assert told(registry) == {"outcome=upstream_timeout status=-": 1.0}


def test_a_body_that_breaks_off_keeps_its_status(registry: CollectorRegistry, calls: Calls) -> None:
    with pytest.raises(UpstreamTimeout), calls.watching(Way.PROXY, ()) as watch:
        fail(watch, UpstreamTimeout("stopped"), status=200)
    assert told(registry) == {"outcome=upstream_timeout status=200 way=proxy": 1.0}


def test_s95_tools_that_do_not_exist_share_one_told(
    registry: CollectorRegistry, calls: Calls
) -> None:
    for number in range(1_000):
        with pytest.raises(UnknownTool), calls.watching(Way.TOOL, ()):
            raise UnknownTool(f"there is no tool {number}")
    assert told(registry) == {"api=- method=- operation=- outcome=unknown_tool status=-": 1_000.0}


def test_s95_methods_and_statuses_that_nobody_knows_share_theirs(
    registry: CollectorRegistry, calls: Calls
) -> None:
    for number in range(500):
        with calls.watching(Way.PROXY, ()) as watch:
            watch.about(CalledOperation(api="shop", method=f"BREW{number}"))
            watch.answered(520 + number % 70)
    assert told(registry) == {
        "method=other operation=- outcome=answered status=5xx way=proxy": 500.0
    }


def test_headers_that_were_ignored_are_counted_by_reason(
    registry: CollectorRegistry, calls: Calls
) -> None:
    for _ in range(2):
        with calls.watching(Way.TOOL, ("session_gzip", "user_too_long")):
            pass
    counted = told(registry, "ocp_invalid_total")
    assert counted == {"reason=session_gzip": 2.0, "reason=user_too_long": 2.0}


def test_invalid_traffic_is_counted_by_operation_and_direction(
    registry: CollectorRegistry, calls: Calls
) -> None:
    calls.found_invalid(GET_ITEM, "request", "report")
    counted = told(registry, "ocp_gateway_invalid_traffic_total")
    assert counted == {"direction=request mode=report": 1.0}


def test_a_call_within_a_call_leaves_the_outer_one_in_place(calls: Calls) -> None:
    request = RequestState(request_id="r")
    REQUEST.set(request)
    with calls.watching(Way.TOOL, ()):
        outer = CALL.get()
        with calls.watching(Way.TOOL, ()):
            assert calls.running == 2
            assert CALL.get() is not outer
        assert CALL.get() is outer
    assert CALL.get() is None
    assert len(request.calls) == 2
