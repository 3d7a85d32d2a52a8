"""The refusal at the door: which bytes are judged unread, and what the answer is."""

import asyncio
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.errors import Overloaded
from gateway.server.early_refusal import is_one_request
from gateway.server.overload import REFUSAL, Overload, Verdict, make_overload_middleware
from gateway.server.problems import problem_of

HOST = b"Host: gateway\r\n"
GET = b"GET /apis/shop/items HTTP/1.1\r\n" + HOST + b"\r\n"
MCP = b"POST /mcp HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    "data",
    [
        GET,
        b"DELETE /x HTTP/1.1\r\n\r\n",
        MCP,
        b"PUT /x HTTP/1.1\r\nCONTENT-LENGTH:1\r\n\r\nx",
        b"POST /tools/x HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nContent-Length: 6\r\n\r\na\r\n\r\nb",
    ],
    ids=["get", "delete", "post", "put", "empty_post", "body_like_a_head"],
)
def test_a_whole_plain_request_is_known_by_its_bytes(data: bytes) -> None:
    assert is_one_request(data)


@pytest.mark.parametrize(
    "data",
    [
        GET[:-2],
        GET + GET,
        GET + b"G",
        MCP[:-1],
        MCP + b"{",
        b"GET /x HTTP/1.1\nHost: a\n\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        b"GET /x HTTP/1.0\r\n\r\n",
        b"GET /x HTTP/2.0\r\n\r\n",
        b"GET /x\r\n\r\n",
        b"HEAD /x HTTP/1.1\r\n\r\n",
        b"POST /x HTTP/1.1\r\n\r\n",
        b"OPTIONS /x HTTP/1.1\r\nOrigin: http://a\r\n\r\n",
        b"GET /x HTTP/1.1\r\norigin: http://a\r\n\r\n",
        b"GET /x HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /x HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"POST /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        b"POST /x HTTP/1.1\r\nContent-Length: +1\r\n\r\nx",
        b"POST /x HTTP/1.1\r\nContent-Length : 1\r\n\r\nx",
        b"POST /x HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\nx",
        b"\r\n\r\n",
        b"",
        b"\x16\x03\x01\x02\x00",
    ],
    ids=[
        "no_end", "two", "more_begun", "body_cut", "body_longer", "bare_lf_lines", "a_bare_lf",
        "http_1_0", "http_2", "http_0_9", "head", "post_unmeasured", "preflight", "from_a_page",
        "last_of_its_connection", "websocket", "expect", "chunked", "two_lengths", "signed_length",
        "blank_before_colon", "list_of_lengths", "no_request", "nothing", "tls",
    ],
)  # fmt: skip
def test_s37_what_takes_more_than_a_look_is_left_to_the_parser(data: bytes) -> None:
    assert not is_one_request(data)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/admin/debug"])
def test_whoever_looks_after_the_gateway_is_not_judged(path: str) -> None:
    assert not is_one_request(b"GET %s HTTP/1.1\r\n%s\r\n" % (path.encode(), HOST))


def test_the_short_refusal_says_what_the_long_one_does() -> None:
    head, _, body = REFUSAL.partition(b"\r\n\r\n")
    long = problem_of(Overloaded(json.loads(body)["detail"]))

    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert json.loads(body) == json.loads(_bytes(long))
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"Retry-After: 1" in head
    assert b"Content-Type: application/problem+json" in head


def _bytes(response: web.Response) -> bytes:
    assert isinstance(response.body, bytes)
    return response.body


class Full(Overload):
    """Has no time for anything."""

    @property
    def is_limited(self) -> bool:
        return True

    def admits(self) -> bool:
        return False


FULL = Full()


def test_without_overload_nothing_is_judged() -> None:
    assert Overload().judge(GET) is Verdict.UNJUDGED


@pytest.mark.parametrize(
    ("data", "verdict"),
    [(GET, Verdict.REFUSED), (MCP, Verdict.REFUSED), (GET[:-2], Verdict.UNJUDGED)],
    ids=["get", "post", "not_whole"],
)
def test_r33_overload_refuses_whole_requests_unread(data: bytes, verdict: Verdict) -> None:
    assert FULL.judge(data) is verdict


async def _hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


def _client() -> "TestClient[web.Request, web.Application]":
    app = web.Application(middlewares=[make_overload_middleware(FULL)])  # type: ignore[list-item]
    app.router.add_route("*", "/{path:.*}", _hello)
    return TestClient(TestServer(app))


@pytest.mark.parametrize("path", ["/apis/shop/items", "/tools", "/mcp", "/"])
async def test_r33_what_the_short_way_does_not_judge_is_refused_before_its_body(path: str) -> None:
    async with _client() as client:
        answer = await client.post(path, data=b"x" * 100)

        assert answer.status == 503
        assert answer.headers["Retry-After"] == "1"
        assert answer.headers["Connection"] == "close"
        assert (await answer.json())["code"] == "overloaded"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/admin/debug"])
async def test_r33_probes_are_answered_all_the_same(path: str) -> None:
    async with _client() as client:
        assert (await client.get(path)).status == 200


async def test_an_overload_is_found_by_turns_of_the_event_loop() -> None:
    times = iter(number * 0.05 for number in range(10_000))
    overload = Overload(clock=lambda: next(times), worked=lambda: next(times))
    for _ in range(20):
        assert overload.admits()
        await asyncio.sleep(0)

    assert overload.is_limited
    assert [overload.admits() for _ in range(400)].count(False) == overload.refused > 0


async def test_a_processor_that_others_have_taken_is_no_overload() -> None:
    times = iter(number * 0.05 for number in range(10_000))
    overload = Overload(clock=lambda: next(times), worked=lambda: 0.0)
    for _ in range(100):
        assert overload.admits()
        await asyncio.sleep(0)

    assert not overload.is_limited


async def test_a_request_is_under_way_until_it_is_over() -> None:
    times = iter(number * 0.05 for number in range(10_000))
    overload = Overload(clock=lambda: next(times), worked=lambda: next(times))
    for _ in range(20):
        overload.admits()
        await asyncio.sleep(0)
    assert overload.is_limited

    for _ in range(300):
        assert overload.admits()
        with pytest.raises(KeyError), overload.serving():
            raise KeyError
    assert overload.refused == 0
