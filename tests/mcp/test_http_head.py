"""What the head of a POST may not lack."""

import pytest

from gateway.mcp import EVENT_STREAM, JSON, accepted_types, refuse_head
from gateway.mcp.http_head import refuse_method, refuse_size

TYPE = ("Content-Type", "application/json")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param((TYPE,), None, id="the least"),
        pytest.param((("content-type", "Application/JSON; charset=utf-8"),), None, id="parameters"),
        pytest.param((), 415, id="no type"),
        pytest.param((("Content-Type", "text/plain"),), 415, id="text"),
        pytest.param((("Content-Type", "application/x-www-form-urlencoded"),), 415, id="form"),
        pytest.param((("Content-Type", "application/jsonp"),), 415, id="nearly"),
        pytest.param((TYPE, TYPE), 415, id="twice"),
        pytest.param((TYPE, ("Content-Encoding", "gzip")), 415, id="compressed"),
        pytest.param((TYPE, ("Content-Encoding", "identity")), None, id="not compressed"),
        pytest.param((TYPE, ("Accept", "text/html")), 406, id="wants HTML"),
        pytest.param((TYPE, ("Accept", "application/json;q=0")), 406, id="wants no JSON"),
        pytest.param((TYPE, ("Accept", "text/event-stream")), None, id="wants events"),
        pytest.param((TYPE, ("Accept", "")), None, id="empty Accept"),
    ],
)
def test_a_head_is_judged_before_the_body_is_read(
    head: tuple[tuple[str, str], ...], status: int | None
) -> None:
    reply = refuse_head(head)
    assert (reply.status if reply else None) == status


@pytest.mark.parametrize(
    ("accept", "kinds"),
    [
        ((), {JSON, EVENT_STREAM}),
        (("*/*",), {JSON, EVENT_STREAM}),
        (("application/*",), {JSON}),
        (("text/*;q=0.1",), {EVENT_STREAM}),
        (("text/event-stream, application/json",), {JSON, EVENT_STREAM}),
        (("application/json", "TEXT/event-stream"), {JSON, EVENT_STREAM}),
        (("text/event-stream;q=0, application/json",), {JSON}),
        (("image/png",), set()),
    ],
)
def test_accept_is_read_by_containment(accept: tuple[str, ...], kinds: set[str]) -> None:
    assert accepted_types(tuple(("Accept", value) for value in accept)) == kinds


def test_refusals_of_the_transport_have_their_status() -> None:
    assert refuse_size(5).status == 413
    assert refuse_method().status == 405
    assert ("Allow", "POST") in refuse_method().headers
