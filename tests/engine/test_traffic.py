"""What the three settings of `validate` do to proxied messages."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass, field

import pytest

import gateway.engine.traffic as traffic_module
import gateway.engine.traffic_reports as reports_module
from gateway.context import CalledOperation
from gateway.engine.silence import NO_TELEMETRY
from gateway.engine.traffic import Traffic
from gateway.errors import (
    InvalidRequest,
    InvalidResponse,
    Overloaded,
    PayloadTooLarge,
    RequestTimeout,
    UpstreamError,
)
from gateway.messages import Headers, Request, RequestHead, Response, ResponseHead, header
from gateway.upstreams import Upstream, Validates, Validation
from tests.support.traffic_shop import TOOLS

OFF, REPORT, ENFORCE = Validation
JSON: Headers = (("Content-Type", "application/json"),)
LEFT: Headers = (*JSON, ("X-Left", "1"))
GOOD = json.dumps({"name": "a", "secret": "s"}).encode()
BAD = json.dumps({"name": 1, "secret": "s"}).encode()
ANSWER = json.dumps({"id": 1, "name": "a"}).encode()
LINES = "gateway.engine.traffic_reports"


class Heard:
    """A Telemetry that remembers what was found."""

    watching = NO_TELEMETRY.watching

    def __init__(self) -> None:
        self.found: list[tuple[str | None, str, str]] = []

    def found_invalid(self, operation: CalledOperation, direction: str, mode: str, /) -> None:
        self.found.append((operation.name, direction, mode))


@dataclass(slots=True)
class Stand:
    """A Traffic for one API, with a clock that stands still until it is set."""

    requests: Validation = OFF
    responses: Validation = OFF
    limit: int = 1_000_000
    now: float = 1.0
    heard: Heard = field(default_factory=Heard)
    traffic: Traffic = field(init=False)

    def __post_init__(self) -> None:
        self.traffic = Traffic(self.heard, lambda: self.now)

    @property
    def upstream(self) -> Upstream:
        return Upstream(
            name="shop",
            origin="http://shop.test",
            base_path="/v1",
            max_body_bytes=self.limit,
            max_response_bytes=self.limit,
            timeout_seconds=0.05,
            validates=Validates(requests=self.requests, responses=self.responses),
        )

    async def admit(
        self,
        name: str | None,
        target: str = "/v1/items",
        headers: Headers = (),
        body: AsyncIterator[bytes] | None = None,
        *,
        method: str | None = None,
    ) -> Request:
        tool = TOOLS[name] if name else None
        head = RequestHead(
            method=method or (tool.method if tool else "GET"), target=target, headers=headers
        )
        return await self.traffic.admit(Request(head=head, body=body), tool, self.upstream)

    async def release(
        self,
        name: str | None,
        status: int = 200,
        headers: Headers = LEFT,
        body: AsyncIterator[bytes] | None = None,
        *,
        method: str | None = None,
    ) -> Response:
        tool = TOOLS[name] if name else None
        head = RequestHead(
            method=method or (tool.method if tool else "GET"), target="/v1/items/1.a"
        )
        answer = Response(
            head=ResponseHead(status=status, headers=headers),
            body=chunks(ANSWER) if body is None else body,
        )
        return await self.traffic.release(Request(head=head), answer, tool, self.upstream)


async def chunks(*pieces: bytes, breaks: Exception | None = None) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
    if breaks is not None:
        raise breaks


async def whole(body: bytes | AsyncIterator[bytes] | None) -> bytes:
    if body is None or isinstance(body, bytes):
        return body or b""
    return b"".join([chunk async for chunk in body])


# Requests


async def test_off_touches_nothing() -> None:
    stand = Stand()
    body = chunks(BAD)
    request = await stand.admit("add", headers=JSON, body=body)
    assert request.body is body
    answered = chunks(b"[")
    assert (await stand.release("get", body=answered)).body is answered
    await stand.traffic.settled()
    assert stand.heard.found == []


async def test_enforced_good_requests_pass_with_their_bytes() -> None:
    stand = Stand(requests=ENFORCE)
    request = await stand.admit("add", headers=JSON, body=chunks(GOOD[:5], GOOD[5:]))
    assert request.body == GOOD
    assert request.head.headers == JSON


async def test_enforced_a_coded_body_is_sent_as_it_came() -> None:
    stand = Stand(requests=ENFORCE)
    coded = gzip.compress(GOOD)
    headers = (*JSON, ("Content-Encoding", "gzip"))
    request = await stand.admit("add", headers=headers, body=chunks(coded))
    assert request.body == coded


async def test_enforced_every_fault_is_told_at_once() -> None:
    stand = Stand(requests=ENFORCE)
    with pytest.raises(InvalidRequest) as caught:
        await stand.admit("list", "/v1/items?limit=x", (("Cookie", "seen=y"),))
    assert [fault.pointer for fault in caught.value.faults] == [
        "/cookie/seen",
        "/query/limit",
        "/query/q",
    ]
    assert (caught.value.status, caught.value.code) == (422, "invalid_request")
    assert stand.heard.found == [("list", "request", "enforce")]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (JSON, chunks(BAD)),
        (JSON, None),
        ((("Content-Type", "text/csv"),), chunks(b"a")),
        ((*JSON, ("Content-Encoding", "br")), chunks(b"a")),
        ((*JSON, ("Content-Encoding", "gzip")), chunks(gzip.compress(GOOD)[:-3])),
    ],
    ids=["wrong", "missing", "another-type", "unknown-coding", "broken-coding"],
)
async def test_enforced_what_is_wrong_or_cannot_be_looked_at_is_refused(
    headers: Headers, body: AsyncIterator[bytes] | None
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await Stand(requests=ENFORCE).admit("add", headers=headers, body=body)
    assert caught.value.faults


async def test_enforced_bodies_that_are_not_read_stream() -> None:
    stand = Stand(requests=ENFORCE)
    body = chunks(b"\x89PNG")
    request = await stand.admit("add", headers=(("Content-Type", "image/png"),), body=body)
    assert request.body is body


async def test_enforced_a_larger_body_is_too_large() -> None:
    with pytest.raises(PayloadTooLarge):
        await Stand(requests=ENFORCE, limit=10).admit("add", headers=JSON, body=chunks(GOOD))


async def test_enforced_a_body_that_stops_coming_times_out() -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    with pytest.raises(RequestTimeout):
        await Stand(requests=ENFORCE).admit("add", headers=JSON, body=stuck())


async def test_enforced_bodies_together_have_a_bound_and_give_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traffic_module, "HELD_BYTES", len(GOOD))
    stand = Stand(requests=ENFORCE)
    with pytest.raises(Overloaded):
        await stand.admit("add", headers=JSON, body=chunks(GOOD, b" "))
    assert (await stand.admit("add", headers=JSON, body=chunks(GOOD))).body == GOOD


@pytest.mark.parametrize(
    ("name", "method", "refused"),
    [
        ("list", "HEAD", True),
        ("add", "HEAD", False),
        ("list", "OPTIONS", False),
        (None, "GET", False),
    ],
    ids=["HEAD-of-GET", "HEAD-and-a-body", "OPTIONS", "undescribed"],
)
async def test_of_a_twin_only_what_it_shares_is_judged(
    name: str | None, method: str, refused: bool
) -> None:
    stand = Stand(requests=ENFORCE, responses=ENFORCE)
    if refused:
        with pytest.raises(InvalidRequest):
            await stand.admit(name, method=method)
    else:
        await stand.admit(name, method=method)
    response = await stand.release(name, 500, (), chunks(), method=method)
    assert response.head.status == 500


async def test_reported_requests_pass_untouched_and_are_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stand = Stand(requests=REPORT)
    request = await stand.admit("add", headers=JSON, body=chunks(BAD[:5], BAD[5:]))
    assert await whole(request.body) == BAD
    await stand.traffic.settled()
    assert stand.heard.found == [("add", "request", "report")]
    (line,) = lines(caplog)
    assert line.startswith("test: a request of POST /items is not as it is described: ")
    assert line.endswith("/body/name expected string, received integer")


async def test_reported_chunks_are_not_held_back() -> None:
    stand = Stand(requests=REPORT)
    gate = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield GOOD[:5]
        await gate.wait()
        yield GOOD[5:]

    request = await stand.admit("add", headers=JSON, body=slow())
    assert isinstance(request.body, AsyncIterator)
    assert await anext(request.body) == GOOD[:5]
    gate.set()
    assert await whole(request.body) == GOOD[5:]
    await stand.traffic.settled()
    assert stand.heard.found == []


@pytest.mark.parametrize(
    ("headers", "body", "found"),
    [
        ((*JSON, ("Content-Encoding", "br")), chunks(b"x"), 0),
        (JSON, chunks(GOOD + b" " * 2_000_000), 0),
        ((("Content-Type", "image/png"),), chunks(b"x"), 0),
        ((("Content-Type", "text/csv"),), chunks(b"x"), 1),
        (JSON, None, 1),
        (JSON, chunks(), 1),
    ],
    ids=["unknown-coding", "larger", "not-read", "another-type", "missing", "empty"],
)
async def test_reported_what_cannot_be_looked_at_is_no_fault(
    headers: Headers, body: AsyncIterator[bytes] | None, found: int
) -> None:
    stand = Stand(requests=REPORT)
    await whole((await stand.admit("add", headers=headers, body=body)).body)
    await stand.traffic.settled()
    assert len(stand.heard.found) == found


async def test_a_body_that_breaks_off_is_not_judged() -> None:
    stand = Stand(requests=REPORT, responses=REPORT)
    broken = UpstreamError("gone")
    request = await stand.admit("add", headers=JSON, body=chunks(b"{", breaks=broken))
    with pytest.raises(UpstreamError):
        await whole(request.body)
    response = await stand.release("get", body=chunks(b"{", breaks=broken))
    with pytest.raises(UpstreamError):
        await whole(response.body)
    await stand.traffic.settled()
    assert stand.heard.found == []


async def test_one_line_a_second_says_how_many_it_is_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stand = Stand(requests=REPORT)
    for now in (1.0, 1.5, 1.9, 2.1):
        stand.now = now
        await stand.admit("list")
        await stand.traffic.settled()
    assert len(stand.heard.found) == 4
    told = lines(caplog)
    assert len(told) == 2
    assert told[0].endswith("/query/q is required")
    assert told[1].endswith("/query/q is required (3 since the last line)")


async def test_a_line_is_written_in_the_context_of_its_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request_id = ContextVar("request_id", default="")
    told: list[str] = []
    monkeypatch.setattr(reports_module, "_say", lambda *_: told.append(request_id.get()))
    stand = Stand(requests=REPORT)

    async def come(name: str, tool: str) -> None:
        request_id.set(name)
        await stand.admit(tool)

    async with asyncio.TaskGroup() as group:
        group.create_task(come("one", "list"))
        group.create_task(come("two", "add"))
    await stand.traffic.settled()
    assert told == ["one", "two"]


async def test_a_line_is_one_line_without_values(caplog: pytest.LogCaptureFixture) -> None:
    stand = Stand(requests=REPORT)
    wrong = json.dumps({"na\nme": "s3cret", "name": ["s3cret"], "secret": 5}).encode()
    await whole((await stand.admit("add", headers=JSON, body=chunks(wrong))).body)
    await stand.traffic.settled()
    (line,) = lines(caplog)
    assert "s3cret" not in line
    assert line.isascii()
    assert "\n" not in line


async def test_what_comes_while_too_much_waits_is_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reports_module, "WAITING", 3)
    stand = Stand(requests=REPORT)
    await stand.admit("list")
    await stand.traffic.settled()
    for _ in range(5):
        await stand.admit("list")
    await stand.traffic.settled()
    assert len(stand.heard.found) == 4
    assert stand.traffic.skipped == 2


async def test_bodies_that_wait_have_a_bound_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports_module, "WAITING_BYTES", 10)
    stand = Stand(requests=REPORT)
    request = await stand.admit("add", headers=JSON, body=chunks(BAD[:5], BAD[5:]))
    assert await whole(request.body) == BAD
    await stand.traffic.settled()
    assert stand.heard.found == []
    request = await stand.admit("add", headers=JSON, body=chunks(b"[]"))
    assert await whole(request.body) == b"[]"
    await stand.traffic.settled()
    assert stand.heard.found == [("add", "request", "report")]


async def test_closing_judges_what_waits() -> None:
    stand = Stand(requests=REPORT)
    await stand.admit("list")
    await stand.traffic.aclose()
    assert len(stand.heard.found) == 1
    await Stand().traffic.aclose()


# Answers


async def test_enforced_good_answers_pass_whole() -> None:
    stand = Stand(responses=ENFORCE)
    response = await stand.release("get", body=chunks(ANSWER[:4], ANSWER[4:]))
    assert await whole(response.body) == ANSWER
    assert response.head.headers == LEFT


@pytest.mark.parametrize(
    ("status", "headers", "body", "pointers"),
    [
        (200, LEFT, chunks(b'{"id": 1}'), ["/body/name"]),
        (200, JSON, chunks(ANSWER), ["/header/X-Left"]),
        (200, LEFT, chunks(), ["/body"]),
        (
            200,
            (("X-Left", "1"), ("Content-Type", "text/html")),
            chunks(b"<"),
            ["/header/Content-Type"],
        ),
        (503, JSON, chunks(b"{}"), ["/status"]),
        (404, JSON, chunks(b"{}"), ["/body/error"]),
        (200, (*LEFT, ("Content-Encoding", "br")), chunks(b"x"), ["/body"]),
        (200, LEFT, chunks(b" " * 1_000_001), ["/body"]),
    ],
    ids=["body", "header", "empty", "type", "status", "range", "coding", "larger"],
)
async def test_enforced_wrong_answers_are_refused(
    status: int, headers: Headers, body: AsyncIterator[bytes], pointers: list[str]
) -> None:
    stand = Stand(responses=ENFORCE)
    with pytest.raises(InvalidResponse) as caught:
        await stand.release("get", status, headers, body)
    assert [fault.pointer for fault in caught.value.faults] == pointers
    assert (caught.value.status, caught.value.code) == (502, "response_invalid")
    assert stand.heard.found == [("get", "response", "enforce")]


@pytest.mark.parametrize(
    ("status", "headers"),
    [(304, ()), (206, (*LEFT, ("Content-Range", "bytes 0-1/9"))), (204, ()), (101, ())],
)
async def test_enforced_answers_that_http_makes_by_itself_pass(
    status: int, headers: Headers
) -> None:
    body = chunks(b"{")
    response = await Stand(responses=ENFORCE).release("get", status, headers, body)
    assert response.body is body


async def test_enforced_answers_that_break_off_are_the_apis_failure() -> None:
    with pytest.raises(UpstreamError):
        await Stand(responses=ENFORCE).release(
            "get", body=chunks(b"{", breaks=UpstreamError("gone"))
        )


async def test_reported_answers_pass_untouched_and_are_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stand = Stand(responses=REPORT)
    response = await stand.release("get", body=chunks(b'{"id": ', b'"x"}'))
    assert await whole(response.body) == b'{"id": "x"}'
    await stand.traffic.settled()
    assert stand.heard.found == [("get", "response", "report")]
    assert lines(caplog)[0].endswith(
        "/body/id expected integer, received string; /body/name is required"
    )


@pytest.mark.parametrize(("status", "found"), [(500, 1), (304, 0), (204, 0), (206, 1)], ids=str)
async def test_reported_statuses(status: int, found: int) -> None:
    stand = Stand(responses=REPORT)
    await whole((await stand.release("get", status, JSON, chunks())).body)
    await stand.traffic.settled()
    assert len(stand.heard.found) == found


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("gzip, br, zstd", "gzip, deflate"),
        ("br", "identity"),
        (None, None),
    ],
)
async def test_only_codings_that_can_be_undone_are_asked_for_where_answers_are_enforced(
    given: str | None, sent: str | None
) -> None:
    headers = () if given is None else (("accept-encoding", given),)
    request = await Stand(responses=ENFORCE).admit("get", "/v1/items/1.a", headers)
    assert header(request.head.headers, "Accept-Encoding") == sent
    request = await Stand(responses=REPORT).admit("get", "/v1/items/1.a", headers)
    assert header(request.head.headers, "Accept-Encoding") == given


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == LINES]
