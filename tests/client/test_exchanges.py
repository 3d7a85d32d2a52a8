"""The client for upstreams, against real sockets."""

import asyncio
import contextlib
import os
import resource
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import pytest

from gateway.client import Resilience
from gateway.errors import (
    BadRequest,
    PayloadTooLarge,
    RequestTimeout,
    UpstreamBusy,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from gateway.messages import Headers, Request, RequestHead, Response, header, header_values
from gateway.policy.circuit import FAILURES
from gateway.upstreams import Upstream
from tests.support.clients import make_client
from tests.support.echo_upstream import Answer, EchoUpstream, Seen
from tests.support.raw_upstream import raw_upstream

PATIENCE = 10


@pytest.fixture
def echo() -> Iterator[EchoUpstream]:
    with EchoUpstream() as upstream:
        yield upstream


def at(url: str, *, retries: int = 0, timeout_seconds: float = PATIENCE) -> Upstream:
    return Upstream(name="shop", origin=url, retries=retries, timeout_seconds=timeout_seconds)


def asking(
    method: str = "GET",
    target: str = "/",
    *,
    headers: Headers = (),
    body: bytes | AsyncIterator[bytes] | None = None,
) -> Request:
    return Request(head=RequestHead(method=method, target=target, headers=headers), body=body)


async def read(response: Response) -> bytes:
    return b"".join([chunk async for chunk in response.body])


async def exchange(
    client: Resilience, request: Request, upstream: Upstream, *, deadline: float | None = None
) -> tuple[int, bytes]:
    async with client.send(request, upstream, deadline=deadline) as response:
        return response.head.status, await read(response)


def dies_on_reuse() -> Callable[[Seen], Answer]:
    """The first connection answers once and breaks off at the second request."""
    first: list[Seen] = []

    def answer(seen: Seen) -> Answer:
        first.append(seen)
        return Answer(hang_up=len(first) == 2)

    return answer


class TestRetries:
    """What the upstream saw is what counts: a second copy of a request may be a second order."""

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST", "PATCH"])
    async def test_r05_a_dead_kept_connection_is_not_retried_behind_our_back(
        self, client: Resilience, echo: EchoUpstream, method: str
    ) -> None:
        echo.answer = dies_on_reuse()
        await exchange(client, asking(), at(echo.url))

        with pytest.raises(UpstreamError):
            await exchange(client, asking(method, "/again"), at(echo.url))

        assert [seen.connection for seen in echo.seen] == [1, 1]
        assert [seen.target for seen in echo.seen].count("/again") == 1

    @pytest.mark.parametrize(
        ("method", "times"), [("GET", 2), ("PUT", 2), ("DELETE", 2), ("POST", 1), ("PATCH", 1)]
    )
    async def test_r05_only_idempotent_methods_are_sent_again(
        self, client: Resilience, echo: EchoUpstream, method: str, times: int
    ) -> None:
        echo.answer = Answer(hang_up=True)
        with pytest.raises(UpstreamError):
            await exchange(client, asking(method, body=b"x"), at(echo.url, retries=1))
        assert [seen.body for seen in echo.seen] == [b"x"] * times

    async def test_r05_a_streamed_body_is_never_sent_again(
        self, client: Resilience, echo: EchoUpstream
    ) -> None:
        echo.answer = Answer(hang_up=True)
        with pytest.raises(UpstreamError):
            await exchange(client, asking("PUT", body=pieces(b"x")), at(echo.url, retries=3))
        assert [seen.body for seen in echo.seen] == [b"x"]

    async def test_a_status_is_never_retried(self, client: Resilience, echo: EchoUpstream) -> None:
        echo.answer = Answer(status=503, body=b"")
        assert (await exchange(client, asking(), at(echo.url, retries=3)))[0] == 503
        assert len(echo.seen) == 1


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


class TestTheRequestOnTheWire:
    @pytest.mark.parametrize(
        "target",
        [
            "/a/%2E%2E/b",
            "/a/../b",
            "/%7Euser/%c3%a9",
            "/a%2Fb;c=d/",
            "//double//",
            "/x?q=%41&&b=+c&d=%2B;e",
            "/x?a=[1]&b={c}|d",
            "/100%",
        ],
    )
    async def test_the_target_arrives_byte_for_byte(
        self, client: Resilience, echo: EchoUpstream, target: str
    ) -> None:
        await exchange(client, asking(target=target), at(echo.url))
        assert echo.last.request_line == f"GET {target} HTTP/1.1"

    @pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/a\n", "/\x7f", "/é", "", "/a\t"])
    async def test_what_no_request_line_can_hold_is_not_sent(
        self, client: Resilience, echo: EchoUpstream, target: str
    ) -> None:
        with pytest.raises(BadRequest):
            await exchange(client, asking(target=target), at(echo.url))
        assert not echo.seen

    async def test_headers_keep_order_case_and_bytes_and_none_are_added_unasked(
        self, client: Resilience, echo: EchoUpstream
    ) -> None:
        headers = (
            ("x-lower", "1"),
            ("X-UPPER", "2"),
            ("x-lower", "3"),
            ("X-Utf8", "caf\u00c3\u00a9"),
            ("User-Agent", "me"),
        )
        await exchange(client, asking(headers=headers), at(echo.url))
        assert tuple(h for h in echo.last.headers if h[0] != "Host") == headers

    async def test_a_caller_without_a_name_gets_ours(
        self, client: Resilience, echo: EchoUpstream
    ) -> None:
        await exchange(client, asking(), at(echo.url))
        assert echo.last.value("User-Agent") == "ocp-gateway"

    async def test_a_known_length_is_kept_and_an_unknown_one_is_chunked(
        self, client: Resilience, echo: EchoUpstream
    ) -> None:
        sized = asking("PUT", headers=(("Content-Length", "2"),), body=pieces(b"a", b"b"))
        await exchange(client, sized, at(echo.url))
        assert echo.last.value("Content-Length") == "2"
        assert not echo.last.values("Transfer-Encoding")

        await exchange(client, asking("PUT", body=pieces(b"a", b"b")), at(echo.url))
        assert echo.last.value("Transfer-Encoding") == "chunked"
        assert echo.last.body == b"ab"

    async def test_a_streamed_body_that_refuses_says_so_itself(
        self, client: Resilience, echo: EchoUpstream
    ) -> None:
        async def too_much() -> AsyncIterator[bytes]:
            yield b"x"
            raise PayloadTooLarge("the body is larger than 1 bytes")

        with pytest.raises(PayloadTooLarge):
            await exchange(client, asking("POST", body=too_much()), at(echo.url))


class TestTheAnswer:
    async def test_s46_cookies_of_one_exchange_do_not_reach_another(
        self, client: Resilience, echo: EchoUpstream
    ) -> None:
        echo.answer = Answer(headers=(("Set-Cookie", "sid=1; Path=/"),), body=b"")
        # By name: aiohttp's own jar keeps no cookies of bare addresses.
        upstream = at(f"http://localhost:{echo.port}")
        for _ in range(2):
            await exchange(client, asking(), upstream)
        assert not echo.last.values("Cookie")

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_s45_redirects_are_not_followed(
        self, client: Resilience, echo: EchoUpstream, status: int
    ) -> None:
        with EchoUpstream() as elsewhere:
            echo.answer = Answer(status=status, headers=(("Location", elsewhere.url),), body=b"")
            async with client.send(asking(), at(echo.url), deadline=None) as response:
                assert response.head.status == status
                assert header(response.head.headers, "Location") == elsewhere.url
            assert not elsewhere.seen

    async def test_headers_keep_order_case_and_repetition_and_the_body_its_coding(
        self, client: Resilience, echo: EchoUpstream
    ) -> None:
        headers = (("x-b", "1"), ("X-A", "caf\u00e9"), ("x-b", "2"), ("Content-Encoding", "gzip"))
        echo.answer = Answer(headers=headers, body=b"\x1f\x8bnot really")
        async with client.send(asking(), at(echo.url), deadline=None) as response:
            assert response.head.headers[:4] == headers
            assert await read(response) == b"\x1f\x8bnot really"

    async def test_chunks_come_as_they_arrive(self, client: Resilience, echo: EchoUpstream) -> None:
        go_on = threading.Event()

        def slowly() -> Iterator[bytes]:
            yield b"first"
            go_on.wait(PATIENCE)
            yield b"second"

        echo.answer = Answer(body=slowly())
        async with client.send(asking(), at(echo.url), deadline=None) as response:
            assert await anext(response.body) == b"first"
            go_on.set()
            assert await anext(response.body) == b"second"

    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"hello\r\n", id="no HTTP"),
            pytest.param(b"<html>0.9</html>", id="HTTP/0.9"),
            pytest.param(b"HTTP/1.1 200 OK\r\nX: 1\r\n", id="half a head"),
            pytest.param(b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n", id="NUL in a header"),
            pytest.param(b"HTTP/1.1 200 OK\r\nX 1\r\n\r\n", id="header without colon"),
            pytest.param(b"HTTP/1.1 2xx OK\r\n\r\n", id="status that is no number"),
            pytest.param(b"HTTP/1.1 200 OK\r\nX: a\x01b\r\n\r\n", id="control in a header"),
            pytest.param(b"HTTP/1.1 099 Weird\r\n\r\n", id="status below 100"),
            pytest.param(b"HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", id="101"),
            pytest.param(
                b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", id="lengths"
            ),
            pytest.param(
                b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", id="header too long"
            ),
        ],
    )
    async def test_r06_s51_s52_an_answer_that_is_none_is_an_upstream_error(
        self, client: Resilience, reply: bytes
    ) -> None:
        async with raw_upstream(reply) as upstream:
            with pytest.raises(UpstreamError) as caught:
                await exchange(client, asking(), at(upstream.url))
            assert (caught.value.status, caught.value.code) == (502, "upstream_failed")
            assert upstream.requests == 1

    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(b"Content-Length: 10\r\n\r\nshort", id="shorter than it said"),
            pytest.param(b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", id="ends in a chunk"),
            pytest.param(b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", id="no last chunk"),
            pytest.param(b"Transfer-Encoding: chunked\r\n\r\nzz\r\na\r\n", id="bad chunk size"),
        ],
    )
    async def test_r06_a_broken_body_is_an_upstream_error(
        self, client: Resilience, reply: bytes
    ) -> None:
        async with raw_upstream(b"HTTP/1.1 200 OK\r\n" + reply) as upstream:
            with pytest.raises(UpstreamError):
                await exchange(client, asking(), at(upstream.url))

    @pytest.mark.parametrize(
        ("method", "reply", "expected"),
        [
            ("GET", b"HTTP/1.1 204 No\r\n\r\n", (204, b"")),
            ("GET", b"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n", (304, b"")),
            ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", (200, b"")),
            ("GET", b"HTTP/1.1 999 Odd\r\nContent-Length: 1\r\n\r\nx", (999, b"x")),
            ("GET", b"HTTP/1.0 200 OK\r\n\r\nto the end", (200, b"to the end")),
            ("GET", b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No\r\n\r\n", (204, b"")),
        ],
        ids=["204", "304 with a length", "HEAD", "999", "HTTP/1.0", "103 first"],
    )
    async def test_odd_but_legal_answers_pass(
        self, client: Resilience, method: str, reply: bytes, expected: tuple[int, bytes]
    ) -> None:
        async with raw_upstream(reply) as upstream:
            assert await exchange(client, asking(method), at(upstream.url)) == expected

    async def test_r08_leaving_early_closes_the_connection(self, client: Resilience) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        async with raw_upstream(head, stay=True) as upstream:
            async with client.send(asking(), at(upstream.url), deadline=None) as response:
                assert await anext(response.body) == b"first"
            async with asyncio.timeout(PATIENCE):
                await upstream.left.wait()

    async def test_r08_a_cancelled_wait_closes_the_connection(self, client: Resilience) -> None:
        async with raw_upstream(stay=True) as upstream:
            task = asyncio.ensure_future(exchange(client, asking(), at(upstream.url)))
            async with asyncio.timeout(PATIENCE):
                await upstream.asked.wait()
                task.cancel()
                await upstream.left.wait()
            with pytest.raises(asyncio.CancelledError):
                await task

    async def test_a_finished_connection_is_used_again(
        self, client: Resilience, echo: EchoUpstream
    ) -> None:
        for _ in range(3):
            await exchange(client, asking(), at(echo.url))
        assert {seen.connection for seen in echo.seen} == {1}


class TestTimeouts:
    SHORT = 0.05

    async def test_r07_to_the_head(self, client: Resilience) -> None:
        async with raw_upstream(stay=True) as upstream:
            slow = at(upstream.url, retries=3, timeout_seconds=self.SHORT)
            with pytest.raises(UpstreamTimeout):
                await exchange(client, asking(), slow)
            assert upstream.requests == 1

    async def test_r07_between_chunks(self, client: Resilience) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst"
        async with raw_upstream(head, stay=True) as upstream:
            with pytest.raises(UpstreamTimeout):
                await exchange(client, asking(), at(upstream.url, timeout_seconds=self.SHORT))

    async def test_r07_in_total_where_there_is_a_deadline(self, client: Resilience) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst"
        deadline = asyncio.get_running_loop().time() + self.SHORT
        async with raw_upstream(head, stay=True) as upstream:
            with pytest.raises(UpstreamTimeout):
                await exchange(client, asking(), at(upstream.url), deadline=deadline)

    async def test_a_long_answer_is_no_slow_one(
        self, client: Resilience, echo: EchoUpstream
    ) -> None:
        passed = threading.Event()
        echo.answer = Answer(body=(b"x" for _ in range(3)), hold=passed)
        passed.set()
        upstream = replace(at(echo.url), timeout_seconds=PATIENCE)
        assert await exchange(client, asking(), upstream) == (200, b"xxx")


async def test_a_name_that_does_not_resolve_is_unreachable(client: Resilience) -> None:
    with pytest.raises(UpstreamUnreachable):
        await exchange(client, asking(), at("http://no-such-host.invalid"))


async def test_a_plain_upstream_behind_https_is_unreachable(
    client: Resilience,
) -> None:
    async def speak_plainly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speak_plainly, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UpstreamUnreachable):
            await exchange(client, asking(), at(f"https://127.0.0.1:{port}"))


async def test_host_is_the_upstreams(client: Resilience, echo: EchoUpstream) -> None:
    async with client.send(asking(), at(echo.url), deadline=None) as response:
        await read(response)
    assert header_values(echo.last.headers, "Host") == (echo.url.removeprefix("http://"),)


async def test_an_upload_may_take_longer_than_the_upstream_has_to_answer(
    client: Resilience, echo: EchoUpstream
) -> None:
    async def steadily() -> AsyncIterator[bytes]:
        for _ in range(8):
            await asyncio.sleep(0.1)  # the subject: a pace, not a wait for something
            yield b"x"

    head = RequestHead(method="POST", target="/up", headers=())
    request = Request(head=head, body=steadily())
    async with client.send(request, at(echo.url, timeout_seconds=0.5), deadline=None) as response:
        assert response.head.status == 200
    assert echo.last.body == b"x" * 8


async def test_an_upload_that_stalls_is_the_callers_fault(
    client: Resilience, echo: EchoUpstream
) -> None:
    async def stalling() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    head = RequestHead(method="POST", target="/up", headers=())
    request = Request(head=head, body=stalling())
    with pytest.raises(RequestTimeout):
        async with client.send(request, at(echo.url, timeout_seconds=0.2), deadline=None):
            pass


async def test_time_starts_when_the_upload_is_done(client: Resilience, echo: EchoUpstream) -> None:
    async def quickly() -> AsyncIterator[bytes]:
        yield b"x"

    never = threading.Event()
    echo.answer = Answer(hold=never)
    head = RequestHead(method="POST", target="/up", headers=())
    request = Request(head=head, body=quickly())
    try:
        with pytest.raises(UpstreamTimeout):
            async with client.send(request, at(echo.url, timeout_seconds=0.2), deadline=None):
                pass
    finally:
        never.set()


async def test_r13_no_sockets_left_is_not_the_apis_fault(client: Resilience) -> None:
    async with raw_upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as upstream:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.open(os.devnull, os.O_RDONLY)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            for _ in range(2 * FAILURES):
                with pytest.raises(UpstreamBusy, match="no connection to spare"):
                    await exchange(client, asking(), at(upstream.url))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert await exchange(client, asking(), at(upstream.url)) == (200, b"hi")


async def test_r07_connecting_is_given_up_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.client.aiohttp_client.CONNECT_SECONDS", 0.05)
    client = make_client()
    # Its backlog is full: nobody takes a connection from it, and one more is not answered.
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with contextlib.ExitStack() as crowd:
            for _ in range(8):
                waiting = crowd.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            with pytest.raises(UpstreamUnreachable):
                await exchange(client, asking(), at(f"http://127.0.0.1:{full.getsockname()[1]}"))
    await client.aclose()


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        (b"Transfer-Encoding: chunked\r\n", b"1.0"),
        (b"Transfer-Encoding: gzip, chunked\r\n", b"1.1"),
        (b"Transfer-Encoding: identity\r\n", b"1.1"),
        (b"Content-Length: 1000000000000000000\r\n", b"1.1"),
        (b"", b"2.0"),
        (b"", b"1.2"),
    ],
)
async def test_s52_what_others_would_frame_differently_is_refused(
    client: Resilience, headers: bytes, version: bytes
) -> None:
    reply = b"HTTP/" + version + b" 200 OK\r\n" + headers + b"\r\n2\r\nhi\r\n0\r\n\r\n"
    async with raw_upstream(reply) as upstream:
        with pytest.raises(UpstreamError):
            await exchange(client, asking(), at(upstream.url))


async def test_a_head_of_many_long_fields_is_refused(client: Resilience) -> None:
    fields = b"".join(b"X-%d: %s\r\n" % (n, b"x" * 60_000) for n in range(5))
    async with raw_upstream(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n") as upstream:
        with pytest.raises(UpstreamError, match="too large a head"):
            await exchange(client, asking(), at(upstream.url))


async def test_a_fragment_is_not_lost_without_a_word(
    client: Resilience, echo: EchoUpstream
) -> None:
    with pytest.raises(BadRequest):
        await exchange(client, asking(target="/a#b"), at(echo.url))
    assert not echo.seen
