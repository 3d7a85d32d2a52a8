"""Requests to APIs: counted, timed to the head, and carrying the request's id."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from gateway.context import CalledOperation
from gateway.errors import UpstreamError, UpstreamUnreachable
from gateway.messages import Headers, Request, RequestHead, header_values
from gateway.telemetry.current import CALL, REQUEST, CallState, RequestState
from gateway.telemetry.watched_client import UpstreamFigures, WatchedClient
from tests.support.engine import UPSTREAM, Answer, FakeClient
from tests.support.telemetry import Clock, series

GET_ITEM = CalledOperation(api="shop", method="GET", path="/items/{id}", name="getItem")
TOTAL = "ocp_gateway_upstream_requests_total"


def watched(inner: FakeClient, registry: CollectorRegistry, clock: Clock) -> WatchedClient:
    return WatchedClient(inner, UpstreamFigures(registry), monotonic=clock)


def request(*headers: tuple[str, str]) -> Request:
    return Request(head=RequestHead(method="GET", target="/items/1", headers=headers))


async def send(client: WatchedClient, *headers: tuple[str, str]) -> bytes:
    async with client.send(request(*headers), UPSTREAM, deadline=None) as response:
        return b"".join([chunk async for chunk in response.body])


def ids(headers: Headers) -> tuple[str, ...]:
    return header_values(headers, "x-request-id")


async def test_an_answer_is_counted_and_its_head_timed(
    registry: CollectorRegistry, clock: Clock
) -> None:
    call = CallState(operation=GET_ITEM)
    CALL.set(call)

    def answer_late(_: Request) -> Answer:
        clock.now += 0.3
        return Answer(status=503)

    await send(watched(FakeClient(answer_late), registry, clock))
    assert series(registry, TOTAL) == {"api=shop result=503": 1.0}
    assert series(registry, "ocp_gateway_upstream_seconds_sum") == {
        "api=shop operation=getItem": pytest.approx(0.3)
    }
    assert call.upstream_seconds == pytest.approx(0.3)


async def test_a_failure_is_counted_by_its_code(registry: CollectorRegistry, clock: Clock) -> None:
    client = watched(FakeClient(UpstreamUnreachable("refused")), registry, clock)
    with pytest.raises(UpstreamUnreachable):
        await send(client)
    assert series(registry, TOTAL) == {"api=shop result=upstream_unreachable": 1.0}


async def test_a_body_that_breaks_off_has_been_an_answer(
    registry: CollectorRegistry, clock: Clock
) -> None:
    client = watched(FakeClient(Answer(breaks=UpstreamError("cut"))), registry, clock)
    with pytest.raises(UpstreamError):
        await send(client)
    assert series(registry, TOTAL) == {"api=shop result=200": 1.0}


async def test_a_caller_that_leaves_is_counted_too(
    registry: CollectorRegistry, clock: Clock
) -> None:
    inner = FakeClient(Answer(hold=asyncio.Event()))
    sending = asyncio.ensure_future(send(watched(inner, registry, clock)))
    await inner.asked.wait()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert series(registry, TOTAL) == {"api=shop result=cancelled": 1.0}


async def test_the_request_carries_the_id_under_which_it_is_logged(
    registry: CollectorRegistry, clock: Clock
) -> None:
    REQUEST.set(RequestState(request_id="r-1"))
    inner = FakeClient()
    await send(watched(inner, registry, clock), ("Accept", "*/*"))
    assert ids(inner.requests[0].head.headers) == ("r-1",)


async def test_an_id_that_is_there_already_stays(registry: CollectorRegistry, clock: Clock) -> None:
    REQUEST.set(RequestState(request_id="r-1"))
    inner = FakeClient()
    await send(watched(inner, registry, clock), ("x-request-id", "theirs"))
    assert ids(inner.requests[0].head.headers) == ("theirs",)


async def test_outside_of_requests_nothing_is_added(
    registry: CollectorRegistry, clock: Clock
) -> None:
    inner = FakeClient()
    client = watched(inner, registry, clock)
    await send(client)
    assert ids(inner.requests[0].head.headers) == ()
    await client.aclose()
    assert inner.closed
