"""What the proxy changes of real traffic, and what it leaves alone: bytes on both sides."""

import asyncio
import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config import ApiConfig
from gateway.upstreams import ProxyReach
from tests.support.dialogues import TRACKER
from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import PATIENCE_SECONDS, GatewayProcess
from tests.support.plain_http import send_raw
from tests.support.raw_upstream import raw_upstream
from tests.support.serving import Served, serving

CONFIG = """
server:
  trusted_proxies: [127.0.0.1]
apis:
  - {{name: wide, spec: {spec}, base_url: {url}/base, proxy: any}}
  - {{name: pages, spec: {spec}, base_url: {url}/base, proxy: any, allow_html: true}}
  - {{name: tracker, spec: {spec}, base_url: {url}/v1, forward_headers: [X-HTTP-Method]}}
"""
GET = "GET /apis/wide/x HTTP/1.1"


@pytest.fixture(scope="module")
def upstream() -> Iterator[EchoUpstream]:
    with EchoUpstream() as running:
        yield running


@pytest.fixture(scope="module")
def proxy(
    upstream: EchoUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    directory = tmp_path_factory.mktemp("proxy")
    config = directory / "gateway.yaml"
    config.write_text(CONFIG.format(spec=TRACKER.description, url=upstream.url))
    with GatewayProcess(str(config), "--store", "memory://", directory=directory) as process:
        yield process


@pytest.fixture(autouse=True)
def _fresh(upstream: EchoUpstream) -> None:
    upstream.answer = Answer()
    upstream.seen.clear()


def in_front_of(url: str) -> AbstractAsyncContextManager[Served]:
    """The same server in this process, which is there sooner."""
    spec = str(TRACKER.description)
    return serving(ApiConfig(name="wide", spec=spec, base_url=url, proxy=ProxyReach.ANY))


def ask(proxy: GatewayProcess | Served, line: str, *headers: str, body: bytes = b"") -> bytes:
    head = "\r\n".join((line, f"Host: {urlsplit(proxy.url).netloc}", *headers, "Connection: close"))
    return head.encode("latin-1") + b"\r\n\r\n" + body


def test_the_whole_head_as_the_api_sees_it(proxy: GatewayProcess, upstream: EchoUpstream) -> None:
    """s40, s41 and s42 at once, on the wire."""
    send_raw(
        proxy.url,
        ask(
            proxy,
            "POST /apis/wide/a%2Fb//?q=%41 HTTP/1.1",
            "connection: X-Hop, x-forwarded-for, OCP-Context-ID, Via",
            "X-Hop: 1",
            "TE: trailers",
            "Keep-Alive: 5",
            "X-cAsE: kept",
            "Accept-Encoding: br, zstd",
            "X-Forwarded-For: 203.0.113.7, 192.0.2.1",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Prefix: /front",
            "X-Real-IP: 203.0.113.7",
            "X-Original-URL: /admin",
            "X_Forwarded_For: 203.0.113.7",
            "OCP-Context-ID: ocp-00000001",
            "Content-Length: 2",
            body=b"{}",
        ),
    )
    seen = upstream.last
    assert seen.request_line == "POST /base/a%2Fb//?q=%41 HTTP/1.1"
    assert seen.body == b"{}"
    port = urlsplit(proxy.url).netloc
    named = {name: value for name, value in seen.headers if not name.startswith("OCP-")}
    assert named.pop("X-Request-ID", "?")
    assert named.pop("Via").startswith("1.1 ocp-gateway-")
    assert named == {
        "Host": urlsplit(upstream.url).netloc,
        "X-cAsE": "kept",
        "Accept-Encoding": "br, zstd",
        "Content-Length": "2",
        "X-Forwarded-For": "192.0.2.1, 127.0.0.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": port,
        "X-Forwarded-Prefix": "/front/apis/wide",
        "User-Agent": "ocp-gateway",
    }
    assert seen.value("OCP-Context-ID") == "ocp-00000001"
    assert len(seen.headers) == len({name.lower() for name, _ in seen.headers})


def test_another_method_is_asked_for_only_where_that_changes_nothing(
    proxy: GatewayProcess, upstream: EchoUpstream
) -> None:
    wanted = ("X-HTTP-Method-Override: DELETE", "X-HTTP-Method: DELETE")
    issues = "/projects/gate/issues HTTP/1.1"
    for api, left in (("wide", 2), ("tracker", 1)):
        send_raw(proxy.url, ask(proxy, f"GET /apis/{api}{issues}", *wanted))
        names = [name for name, _ in upstream.last.headers if "Method" in name]
        assert len(names) == left


CHARACTERS = st.text(alphabet="ab/.%2eEfF5cC;:@!*'()_~-=&+,$", max_size=20)


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(path=CHARACTERS, query=CHARACTERS)
def test_s44_what_passes_goes_out_byte_for_byte_below_the_base_path(
    proxy: GatewayProcess, upstream: EchoUpstream, path: str, query: str
) -> None:
    upstream.seen.clear()
    target = f"/{path}?{query}" if query else f"/{path}"
    answer = send_raw(proxy.url, ask(proxy, f"GET /apis/wide{target} HTTP/1.1"))
    if answer.status == 400:
        assert not upstream.seen
        return
    assert answer.status == 200
    assert upstream.last.target == f"/base{target}"
    folded = path
    for _ in range(4):
        folded = folded.replace("%2f", "/").replace("%2F", "/").replace("%5c", "/")
        folded = folded.replace("%5C", "/").replace("%2e", ".").replace("%2E", ".")
        folded = folded.replace("%25", "%")
    segments = {segment.partition(";")[0] for segment in folded.split("/")}
    assert not {".", ".."} & segments


@pytest.mark.parametrize(
    ("reply", "status", "body", "dropped"),
    [
        pytest.param(
            b"HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            200,
            b"ok",
            "Link",
            id="interim answers",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
            200,
            b"2\r\nok\r\n0\r\n\r\n",
            "Trailer",
            id="trailers",
        ),
        pytest.param(b"HTTP/1.1 204 No\r\n\r\n", 204, b"", "Content-Length", id="204"),
        pytest.param(
            b"HTTP/1.1 206 Part\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nok",
            206,
            b"ok",
            "Transfer-Encoding",
            id="a range",
        ),
        pytest.param(
            b"HTTP/1.0 200 OK\r\n\r\nok", 200, b"2\r\nok\r\n0\r\n\r\n", "Content-Type", id="1.0"
        ),
    ],
)
async def test_framing_is_our_own(reply: bytes, status: int, body: bytes, dropped: str) -> None:
    async with raw_upstream(reply) as raw, in_front_of(raw.url) as process:
        answer = await asyncio.to_thread(send_raw, process.url, ask(process, GET))
    assert (answer.status, answer.body) == (status, body)
    assert not answer.values(dropped)


def test_s50_a_bomb_passes_as_the_bytes_that_it_is(
    proxy: GatewayProcess, upstream: EchoUpstream
) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000, mtime=0)
    upstream.answer = Answer(headers=(("Content-Encoding", "gzip"),), body=bomb)
    answer = send_raw(proxy.url, ask(proxy, GET))
    assert answer.body == bomb
    assert answer.values("Content-Encoding") == ["gzip"]
    assert answer.values("Content-Length") == [str(len(bomb))]


def test_what_has_no_type_gets_none(proxy: GatewayProcess, upstream: EchoUpstream) -> None:
    upstream.answer = Answer(body=b"?")
    assert not send_raw(proxy.url, ask(proxy, GET)).values("Content-Type")


async def test_events_come_one_by_one(
    proxy: GatewayProcess, upstream: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    go_on = threading.Event()

    def events() -> Iterator[bytes]:
        yield b"data: 1\n\n"
        go_on.wait(PATIENCE_SECONDS)
        yield b"data: 2\n\n"

    upstream.answer = Answer(headers=(("Content-Type", "text/event-stream"),), body=events())
    async with http.get(f"{proxy.url}/apis/wide/x") as answer:
        assert answer.headers["X-Accel-Buffering"] == "no"
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await answer.content.readany() == b"data: 1\n\n"
        go_on.set()
        assert await answer.content.read() == b"data: 2\n\n"


@pytest.mark.parametrize(
    ("location", "seen"),
    [
        ("{up}/base/items/7", "/apis/wide/items/7"),
        ("/base/items/7?a=%2F", "/apis/wide/items/7?a=%2F"),
        ("/login", "{up}/login"),
        ("../../../tools", "{up}/tools"),
        ("http://169.254.169.254/latest", "http://169.254.169.254/latest"),
        ("{gw}/base/x", "/apis/wide/x"),
        ("{gw}/apis/wide/x", "{gw}/apis/wide/x"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_s45_redirects_are_passed_on_and_lead_through_us(
    proxy: GatewayProcess, upstream: EchoUpstream, status: int, location: str, seen: str
) -> None:
    places = {"up": upstream.url, "gw": proxy.url}
    headers = (("Location", location.format(**places)),)
    upstream.answer = Answer(status=status, headers=headers, body=b"")
    answer = send_raw(proxy.url, ask(proxy, GET, "Authorization: Bearer x"))
    assert (answer.status, answer.values("Location")) == (status, [seen.format(**places)])
    assert len(upstream.seen) == 1


def test_s46_cookies_belong_to_who_sends_them(
    proxy: GatewayProcess, upstream: EchoUpstream
) -> None:
    upstream.answer = Answer(headers=(("Set-Cookie", "a=1; Path=/; Domain=x.test"),), body=b"")
    answer = send_raw(proxy.url, ask(proxy, GET, "Cookie: of=one"))
    assert answer.values("Set-Cookie") == ["a=1; Path=/apis/wide"]
    send_raw(proxy.url, ask(proxy, GET, "Cookie: of=another"))
    assert upstream.last.values("Cookie") == ["of=another"]
    send_raw(proxy.url, ask(proxy, GET))
    assert not upstream.last.values("Cookie")


def test_s46_pages_act_as_pages_of_ours_only_where_that_is_allowed(
    proxy: GatewayProcess, upstream: EchoUpstream
) -> None:
    headers = (("Content-Type", "text/html"), ("Service-Worker-Allowed", "/"))
    upstream.answer = Answer(headers=headers, body=b"<p>")
    sandboxed = send_raw(proxy.url, ask(proxy, GET))
    assert sandboxed.values("Content-Security-Policy") == ["sandbox"]
    assert not sandboxed.values("Service-Worker-Allowed")
    free = send_raw(proxy.url, ask(proxy, "GET /apis/pages/x HTTP/1.1"))
    assert not free.values("Content-Security-Policy")
    assert free.values("Service-Worker-Allowed") == ["/"]


async def test_an_answer_before_the_uploads_end_is_passed_on() -> None:
    reply = b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nstop"
    async with raw_upstream(reply, stay=True) as raw, in_front_of(raw.url) as process:
        place = urlsplit(process.url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        head = f"POST /apis/wide/x HTTP/1.1\r\nHost: {place.netloc}\r\n"
        writer.write(f"{head}Content-Length: 5000000\r\n\r\nfirst".encode())
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = await reader.readuntil(b"stop")
            # The rest of the upload would be read as the next request.
            assert b"connection: close" in answer.lower()
            assert answer.startswith(b"HTTP/1.1 413 ")
            await raw.left.wait()
        writer.close()


def test_http_1_0_reads_to_the_end_of_the_connection(
    proxy: GatewayProcess, upstream: EchoUpstream
) -> None:
    upstream.answer = Answer(body=(b"a", b"b"))
    place = urlsplit(proxy.url)
    with socket.create_connection((place.hostname, place.port), PATIENCE_SECONDS) as connection:
        head = (
            f"GET /apis/wide/x HTTP/1.0\r\nHost: {place.netloc}\r\nConnection: keep-alive\r\n\r\n"
        )
        connection.sendall(head.encode())
        with connection.makefile("rb") as stream:
            answer, _, body = stream.read().partition(b"\r\n\r\n")
    assert body == b"ab"
    assert b"chunked" not in answer
