"""`/apis/{name}/...` over real sockets on both sides."""

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import aiohttp
import pytest

from gateway.config import ApiConfig
from gateway.messages import header
from gateway.upstreams import ProxyReach
from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.plain_http import RawAnswer, problem_of, send_raw
from tests.support.raw_upstream import RawUpstream, raw_upstream
from tests.support.serving import Served, serving

PATIENCE = 30
HEAD = b"HTTP/1.1 200 OK\r\n"


async def say(served: Served, line: str, *headers: str, body: bytes = b"") -> RawAnswer:
    """The answer to one request, sent as these very bytes."""
    own = () if any(h.lower().startswith("host:") for h in headers) else (host(served),)
    head = "\r\n".join((line, *own, *headers, "Connection: close"))
    return await asyncio.to_thread(
        send_raw, served.url, head.encode("latin-1") + b"\r\n\r\n" + body
    )


def host(served: Served) -> str:
    return f"Host: {urlsplit(served.url).netloc}"


class TestTargets:
    @pytest.mark.parametrize(
        "rest", ["/a%2Fb", "/%7E/%c3%a9", "//x//", "/x?q=%41&&b=+c;d", "/100%25", "/a;b=c", ""]
    )
    async def test_pass_byte_for_byte(self, served: Served, echo: EchoUpstream, rest: str) -> None:
        answer = await say(served, f"GET /apis/wide{rest} HTTP/1.1")
        assert answer.status == 200
        assert echo.last.target == (rest or "/")

    @pytest.mark.parametrize(
        "rest",
        [
            "/../admin",
            "/a/%2e%2e/b",
            "/..%2fadmin",
            "/%252e%252e/x",
            "/a/..;/b",
            "/a\\..\\b",
            "/a%5c..%5cb",
            "/.",
        ],
    )
    async def test_with_dot_segments_are_refused(
        self, served: Served, echo: EchoUpstream, rest: str
    ) -> None:
        assert (await say(served, f"GET /apis/wide{rest} HTTP/1.1")).status == 400
        assert not echo.seen

    @pytest.mark.parametrize(
        ("target", "status"),
        [
            ("/APIS/wide/x", 404),
            ("/%61pis/wide/x", 404),
            ("/apis/nowhere/x", 404),
            ("/apis//x", 404),
            ("/apis/", 404),
            ("/apis/WIDE/x", 404),
            ("/x/../apis/wide/x", 404),
            ("/apis/wide/x#/y", 400),
        ],
    )
    async def test_that_are_not_ours_go_nowhere(
        self, served: Served, echo: EchoUpstream, target: str, status: int
    ) -> None:
        assert (await say(served, f"GET {target} HTTP/1.1")).status == status
        assert not echo.seen

    async def test_of_no_api_cost_no_look_at_a_session(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looks: list[str] = []
        monkeypatch.setattr("gateway.context.headers.decode_session", lambda *_: looks.append(""))
        ocp = ("OCP-Context-ID: ocp-00000001", "OCP-Session: e30=")
        answer = await say(served, "GET /apis/none/x HTTP/1.1", *ocp)
        assert (answer.status, looks) == (404, [])
        assert header(answer.headers, "OCP-Context-ID") == "ocp-00000001"

    @pytest.mark.parametrize(
        "target", ["http://evil.test/apis/wide/x", "//evil.test/apis/wide/x", "*", "apis/wide/x"]
    )
    async def test_in_another_form_lead_nowhere(
        self, served: Served, echo: EchoUpstream, target: str
    ) -> None:
        assert (await say(served, f"GET {target} HTTP/1.1")).status in (400, 404)
        assert not echo.seen


class TestHeads:
    async def test_connection_takes_the_callers_headers_along_but_never_ours(
        self, served: Served, echo: EchoUpstream
    ) -> None:
        await say(
            served,
            "GET /apis/wide/x HTTP/1.1",
            "connection: X-Own, OCP-Context-ID, ocp-version, authorization",
            "X-Own: 1",
            "Authorization: Bearer x",
            "OCP-Context-ID: ocp-00000001",
            "X_Forwarded_For: 203.0.113.9",
            "OCP_Session: forged",
        )
        assert echo.last.value("OCP-Context-ID") == "ocp-00000001"
        assert echo.last.value("OCP-Version") == "1.0"
        for name in ("X-Own", "Authorization", "X_Forwarded_For", "OCP_Session"):
            assert not echo.last.values(name), name

    async def test_bytes_beyond_ascii_pass_both_ways(
        self, served: Served, echo: EchoUpstream
    ) -> None:
        cafe = "café".encode().decode("latin-1")
        echo.answer = Answer(headers=(("X-Up", cafe),), body=b"")
        answer = await say(served, "GET /apis/wide/x HTTP/1.1", f"X-Down: {cafe}")
        assert echo.last.value("X-Down") == cafe
        assert answer.values("X-Up") == [cafe]

    async def test_host_is_the_upstreams_and_the_server_names_no_versions(
        self, served: Served, echo: EchoUpstream
    ) -> None:
        answer = await say(served, "GET /apis/wide/x HTTP/1.1")
        assert echo.last.value("Host") == urlsplit(echo.url).netloc
        assert answer.values("Server") == ["ocp-gateway"]

    async def test_cookies_stay_with_their_api(self, served: Served, echo: EchoUpstream) -> None:
        echo.answer = Answer(
            headers=(("Set-Cookie", "a=1; Domain=x; Path=/"), ("Set-Cookie", "b=2")), body=b""
        )
        answer = await say(served, "GET /apis/wide/x HTTP/1.1")
        assert answer.values("Set-Cookie") == ["a=1; Path=/apis/wide", "b=2; Path=/apis/wide"]
        await say(served, "GET /apis/shop/items HTTP/1.1")
        assert not echo.last.values("Cookie")

    async def test_pages_are_sandboxed(self, served: Served, echo: EchoUpstream) -> None:
        echo.answer = Answer(headers=(("Content-Type", "text/html"),), body=b"<script>")
        answer = await say(served, "GET /apis/wide/x HTTP/1.1")
        assert answer.values("Content-Security-Policy") == ["sandbox"]
        assert answer.values("X-Content-Type-Options") == ["nosniff"]

    @pytest.mark.parametrize("status", [301, 307, 404, 418, 503, 599])
    async def test_the_status_is_the_upstreams(
        self, served: Served, echo: EchoUpstream, status: int
    ) -> None:
        echo.answer = Answer(status=status, headers=(("Location", "http://x.test/"),), body=b"x")
        answer = await say(served, "GET /apis/wide/x HTTP/1.1")
        assert (answer.status, answer.body) == (status, b"x")
        assert answer.values("Location") == ["http://x.test/"]


class TestBodies:
    async def test_a_compressed_upload_is_not_touched(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        packed = gzip.compress(b"text " * 100)
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        async with http.post(f"{served.url}/apis/wide/x", data=packed, headers=headers) as response:
            assert response.status == 200
        assert echo.last.body == packed
        assert echo.last.value("Content-Encoding") == "gzip"
        assert echo.last.value("Content-Length") == str(len(packed))

    async def test_stream_both_ways_at_once(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        async def upload() -> AsyncIterator[bytes]:
            yield b"first"
            assert await asyncio.to_thread(echo.arrivals.get, timeout=PATIENCE) == b"first"
            yield b"second"

        async with http.post(f"{served.url}/apis/wide/x", data=upload()) as response:
            assert response.status == 200
        assert echo.last.body == b"firstsecond"

        more = threading.Event()

        def download() -> Iterator[bytes]:
            yield b"first"
            more.wait(PATIENCE)
            yield b"second"

        echo.answer = Answer(body=download())
        async with http.get(f"{served.url}/apis/wide/x") as response:
            assert await response.content.readany() == b"first"
            more.set()
            assert await response.content.read() == b"second"

    async def test_r09_a_slow_reader_holds_the_upstream_back(self, served: Served) -> None:
        """Nothing but the sockets' own buffers fills up while nobody reads."""
        size, sent = 200_000_000, 0

        async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % size)
            try:
                while sent < size:
                    writer.write(b"x" * 65_536)
                    await writer.drain()
                    sent += 65_536
                    progressed.set()
            except ConnectionError:
                pass
            finally:
                writer.close()

        progressed = asyncio.Event()
        async with await asyncio.start_server(pour, "127.0.0.1", 0) as upstream:
            origin = f"http://127.0.0.1:{upstream.sockets[0].getsockname()[1]}"
            wide = replace(served.gateway.upstreams["wide"], origin=origin)
            served.gateway.upstreams = {"wide": wide}
            address = urlsplit(served.url)
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(f"GET /apis/wide/x HTTP/1.1\r\n{host(served)}\r\n\r\n".encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            await until_still(progressed)
            writer.close()
            assert sent < size / 4

    async def test_an_upload_over_the_limit_is_refused_before_it_is_sent(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        async with http.post(f"{served.url}/apis/shop/items", data=b"x" * 1_001) as response:
            assert (response.status, (await problem_of(response))["code"]) == (
                413,
                "payload_too_large",
            )
        assert not echo.seen

    async def test_an_upload_of_unknown_length_is_cut_at_the_limit(
        self, served: Served, http: aiohttp.ClientSession
    ) -> None:
        async def upload() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b"x" * 100

        async with http.post(f"{served.url}/apis/shop/items", data=upload()) as response:
            assert response.status == 413
            assert (await problem_of(response))["code"] == "payload_too_large"

    async def test_exactly_the_limit_passes(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        async with http.post(f"{served.url}/apis/shop/items", data=b"x" * 1_000) as response:
            assert response.status == 200
        assert len(echo.last.body) == 1_000

    @pytest.mark.parametrize("status", [204, 304])
    async def test_an_answer_that_has_none_has_none(
        self, served: Served, spec: str, status: int
    ) -> None:
        reply = b"HTTP/1.1 %d No\r\nETag: x\r\n\r\n" % status
        async with raw_upstream(reply) as upstream, in_front_of(upstream, spec) as made:
            answer = await say(made, "GET /apis/raw/x HTTP/1.1")
        assert (answer.status, answer.body, answer.values("ETag")) == (status, b"", ["x"])
        assert not answer.values("Transfer-Encoding")

    async def test_the_answer_to_head_keeps_its_length(
        self, served: Served, echo: EchoUpstream
    ) -> None:
        echo.answer = Answer(body=b"12345")
        answer = await say(served, "HEAD /apis/wide/x HTTP/1.1")
        assert (answer.values("Content-Length"), answer.body) == (["5"], b"")

    async def test_a_length_that_is_known_is_kept(self, served: Served, echo: EchoUpstream) -> None:
        echo.answer = Answer(body=b"12345")
        answer = await say(served, "GET /apis/wide/x HTTP/1.1")
        assert (answer.values("Content-Length"), answer.body) == (["5"], b"12345")
        assert not answer.values("Transfer-Encoding")

    async def test_http_1_0_gets_an_unmeasured_body_to_the_end_of_the_connection(
        self, served: Served, echo: EchoUpstream
    ) -> None:
        echo.answer = Answer(body=(b"a", b"b"))
        answer = await say(served, "GET /apis/wide/x HTTP/1.0")
        assert (answer.status, answer.body) == (200, b"ab")
        assert not answer.values("Transfer-Encoding")


async def until_still(progressed: asyncio.Event) -> None:
    """Until nothing has moved for a while."""
    while True:
        progressed.clear()
        try:
            async with asyncio.timeout(0.5):
                await progressed.wait()
        except TimeoutError:
            return


@asynccontextmanager
async def in_front_of(upstream: RawUpstream, spec: str) -> AsyncIterator[Served]:
    """A gateway whose API `raw` is that upstream."""
    raw = ApiConfig(
        name="raw", spec=spec, base_url=upstream.url, proxy=ProxyReach.ANY, timeout_seconds=PATIENCE
    )
    async with serving(raw) as made:
        yield made


class TestBrokenUpstreams:
    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"hello", id="no HTTP"),
            pytest.param(HEAD + b"X: a\x00b\r\n\r\n", id="NUL in a header"),
            pytest.param(b"HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", id="101"),
        ],
    )
    async def test_make_a_problem(
        self, spec: str, http: aiohttp.ClientSession, reply: bytes
    ) -> None:
        async with raw_upstream(reply) as upstream, in_front_of(upstream, spec) as made:
            async with http.get(f"{made.url}/apis/raw/x") as response:
                assert (response.status, (await problem_of(response))["code"]) == (
                    502,
                    "upstream_failed",
                )
                assert "OCP-Context-ID" in response.headers
            async with http.get(f"{made.url}/healthz") as response:
                assert response.status == 200

    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(HEAD + b"Content-Length: 100\r\n\r\nshort", id="shorter than it said"),
            pytest.param(
                HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n", id="no last chunk"
            ),
        ],
    )
    async def test_mid_body_cut_the_connection(
        self, spec: str, http: aiohttp.ClientSession, reply: bytes
    ) -> None:
        async with raw_upstream(reply) as upstream, in_front_of(upstream, spec) as made:
            with pytest.raises(aiohttp.ClientError):
                async with http.get(f"{made.url}/apis/raw/x") as response:
                    await response.read()
            async with http.get(f"{made.url}/healthz") as response:
                assert response.status == 200

    async def test_a_caller_that_leaves_takes_the_upstream_along(
        self, spec: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        async with raw_upstream(head, stay=True) as upstream, in_front_of(upstream, spec) as made:
            async with aiohttp.ClientSession() as leaving:
                response = await leaving.get(f"{made.url}/apis/raw/x")
                assert await response.content.readany() == b"first"
                response.close()
            async with asyncio.timeout(PATIENCE):
                await upstream.left.wait()
        assert not caplog.records

    async def test_a_caller_that_leaves_while_waiting_takes_the_upstream_along(
        self, spec: str
    ) -> None:
        async with (
            raw_upstream(stay=True) as upstream,
            in_front_of(upstream, spec) as made,
            aiohttp.ClientSession() as leaving,
        ):
            asking = asyncio.ensure_future(leaving.get(f"{made.url}/apis/raw/x"))
            async with asyncio.timeout(PATIENCE):
                await upstream.asked.wait()
                asking.cancel()
                await upstream.left.wait()


async def test_a_gateway_in_front_of_itself_is_a_loop(
    spec: str, http: aiohttp.ClientSession
) -> None:
    own = ApiConfig(name="own", spec=spec, base_url="http://127.0.0.1:1", proxy=ProxyReach.ANY)
    async with serving(own) as made:
        around = replace(made.gateway.upstreams["own"], origin=made.url, base_path="/apis/own")
        made.gateway.upstreams = {"own": around}
        async with http.get(f"{made.url}/apis/own/x") as response:
            assert response.status == 508
            assert (await problem_of(response))["code"] == "loop_detected"


async def test_a_ring_of_gateways_ends_at_the_one_that_was_there_before(
    spec: str, http: aiohttp.ClientSession
) -> None:
    """Replicas know each other's marks as little as these do."""
    own = ApiConfig(name="own", spec=spec, base_url="http://127.0.0.1:1", proxy=ProxyReach.ANY)
    async with serving(own) as first, serving(own) as second, serving(own) as third:
        for made, following in ((first, second), (second, third), (third, first)):
            api = made.gateway.upstreams["own"]
            around = replace(api, origin=following.url, base_path="/apis/own")
            made.gateway.upstreams = {"own": around}
        async with http.get(f"{first.url}/apis/own/x") as response:
            assert response.status == 508
            assert (await problem_of(response))["code"] == "loop_detected"
        back = replace(third.gateway.upstreams["own"], origin=second.url)
        third.gateway.upstreams = {"own": back}
        async with http.get(f"{first.url}/apis/own/x") as response:
            assert response.status == 508


async def test_a_tool_that_is_not_described_is_405_with_allow(
    served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    async with http.put(f"{served.url}/apis/shop/items") as response:
        assert response.status == 405
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
        assert (await problem_of(response))["code"] == "method_not_allowed"
    assert not echo.seen
