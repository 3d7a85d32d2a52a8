"""The reverse proxy at /apis/{name}/, against the real process."""

import asyncio
import json
import threading
import zlib
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp

from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import PATIENCE_SECONDS, GatewayProcess
from tests.support.ocp import history, read_session
from tests.support.plain_http import problem_of, send_raw

ISSUES = "/apis/tracker/projects/gate/issues"


def raw_request(gateway: GatewayProcess, line: str, *headers: str, body: bytes = b"") -> bytes:
    host = urlsplit(gateway.url).netloc
    head = "\r\n".join((line, f"Host: {host}", *headers, "Connection: close"))
    return head.encode("latin-1") + b"\r\n\r\n" + body


async def test_target_headers_and_body_pass_unchanged(
    gateway: GatewayProcess, echo: EchoUpstream
) -> None:
    request = raw_request(
        gateway,
        "POST /apis/tracker/projects/a%2Fb%20%7E/issues?q=%41&&x=+1;y HTTP/1.1",
        "X-CaSe-Kept: Ab",
        "Accept: text/plain",
        "X-Twice: 1",
        "X-Twice: 2",
        "Content-Type: application/json; charset=utf-8",
        "Content-Length: 7",
        body=b'{"a": 1',
    )

    answer = await asyncio.to_thread(send_raw, gateway.url, request)

    assert answer.status == 200
    assert echo.last.request_line == ("POST /projects/a%2Fb%20%7E/issues?q=%41&&x=+1;y HTTP/1.1")
    assert echo.last.body == b'{"a": 1'
    for header in (
        ("X-CaSe-Kept", "Ab"),
        ("Accept", "text/plain"),
        ("X-Twice", "1"),
        ("X-Twice", "2"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Content-Length", "7"),
    ):
        assert header in echo.last.headers
    assert echo.last.value("Host") == urlsplit(echo.url).netloc


async def test_hop_by_hop_headers_and_underscore_twins_stop_here(
    gateway: GatewayProcess, echo: EchoUpstream
) -> None:
    request = raw_request(
        gateway,
        f"GET {ISSUES} HTTP/1.1",
        "Connection: X-Named-Hop",
        "X-Named-Hop: 1",
        "Keep-Alive: 300",
        "TE: trailers",
        "Proxy-Authorization: Basic U0VDUkVU",
        "OCP_Context_ID: ocp-deadbeef",
        "X-Forwarded-For: 203.0.113.9",
        "X_Forwarded_For: 203.0.113.9",
    )

    answer = await asyncio.to_thread(send_raw, gateway.url, request)

    assert answer.status == 200
    for name in ("X-Named-Hop", "Keep-Alive", "TE", "Proxy-Authorization", "OCP_Context_ID"):
        assert not echo.last.values(name), name
    assert "203.0.113.9" not in repr(echo.last.headers)


async def test_an_upload_streams_while_it_is_written(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    async def upload() -> AsyncIterator[bytes]:
        for piece in (b"first", b"second"):
            yield piece
            # The next piece is written only once this one has come out on the other side.
            arrived = await asyncio.to_thread(echo.arrivals.get, timeout=PATIENCE_SECONDS)
            assert arrived == piece

    async with http.put(
        f"{gateway.url}/apis/tracker/projects/gate/logo",
        data=upload(),
        headers={"Content-Type": "application/octet-stream"},
    ) as response:
        assert response.status == 200
    assert echo.last.body == b"firstsecond"


async def test_an_answer_streams_while_it_is_made(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    go_on = threading.Event()

    def download() -> Iterator[bytes]:
        yield b"first"
        go_on.wait(PATIENCE_SECONDS)
        yield b"second"

    echo.answer = Answer(headers=(("Content-Type", "text/plain"),), body=download())
    async with http.get(gateway.url + ISSUES) as response:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await response.content.readany() == b"first"
        go_on.set()
        assert await response.content.read() == b"second"


async def test_a_compressed_answer_is_not_touched(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    packed = zlib.compress(b"text " * 100)
    echo.answer = Answer(headers=(("Content-Encoding", "deflate"), ("ETag", '"1"')), body=packed)

    async with http.get(gateway.url + ISSUES) as response:
        assert await response.read() == packed
        assert response.headers["Content-Encoding"] == "deflate"
        assert response.headers["ETag"] == '"1"'


async def test_the_context_is_named_sent_and_recorded(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    headers = {"OCP-Context-ID": f"ocp-{uuid4().hex}", "OCP-Agent-Type": "pytest"}
    for _ in range(2):
        async with http.get(f"{gateway.url}{ISSUES}?token=SECRET", headers=headers) as response:
            assert response.headers["OCP-Context-ID"] == headers["OCP-Context-ID"]
            assert "OCP-Gateway-Recorded" not in response.headers

    session = read_session(echo.last)
    assert session["agent_type"] == "pytest"
    assert history(session) == [("api_call_get", "GET /projects/{project}/issues", "HTTP 200")]
    assert "SECRET" not in json.dumps(session)


async def test_a_request_without_ocp_headers_gets_a_context_of_its_own(
    gateway: GatewayProcess, http: aiohttp.ClientSession
) -> None:
    names = set()
    for _ in range(2):
        async with http.get(gateway.url + ISSUES) as response:
            names.add(response.headers["OCP-Context-ID"])
    assert len(names) == 2


async def test_broken_ocp_headers_are_ignored_and_never_passed_on(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    broken = {"OCP-Context-ID": "no spaces allowed", "OCP-Session": "%%%", "OCP-Other": "x"}

    async with http.get(gateway.url + ISSUES, headers=broken) as response:
        assert response.status == 200

    read_session(echo.last)
    assert not echo.last.values("OCP-Other")


async def test_an_upstreams_own_ocp_headers_do_not_pass(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    echo.answer = Answer(
        headers=(("OCP-Context-ID", "ocp-deadbeef"), ("OCP-Session", "forged")), body=b""
    )

    async with http.get(gateway.url + ISSUES) as response:
        assert response.headers["OCP-Context-ID"] != "ocp-deadbeef"
        assert "OCP-Session" not in response.headers


async def test_a_cookie_is_confined_to_its_api(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    cookie = "sid=1; Path=/; Domain=example.com; HttpOnly"
    echo.answer = Answer(headers=(("Set-Cookie", cookie),), body=b"")

    async with http.get(gateway.url + ISSUES) as response:
        (confined,) = response.headers.getall("Set-Cookie")

    parts = [part.strip().lower() for part in confined.split(";")]
    assert parts[0] == "sid=1"
    assert "path=/apis/tracker" in parts
    assert "httponly" in parts
    assert not any(part.startswith("domain") for part in parts)


async def test_only_described_operations_are_reached(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{gateway.url}/apis/tracker/admin") as unknown:
        assert (unknown.status, (await problem_of(unknown))["code"]) == (404, "unknown_operation")
    async with http.delete(gateway.url + ISSUES) as refused:
        assert refused.status == 405
        assert {"GET", "HEAD", "OPTIONS", "POST"} <= set(refused.headers["Allow"].split(", "))
    async with http.get(f"{gateway.url}/apis/nowhere/x") as nowhere:
        assert (nowhere.status, (await problem_of(nowhere))["code"]) == (404, "unknown_api")
    assert not echo.seen


async def test_head_works_wherever_get_does(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    async with http.head(gateway.url + ISSUES) as response:
        assert response.status == 200
        assert await response.read() == b""
    assert echo.last.request_line == "HEAD /projects/gate/issues HTTP/1.1"


async def test_dot_segments_do_not_climb_out(gateway: GatewayProcess, echo: EchoUpstream) -> None:
    # The last ones match a described template, so only the judgement of the segment stops them.
    for path in (
        "/../admin",
        "/projects/../../admin",
        "/projects/%2e%2e/%2e%2e/admin",
        "/projects/../issues",
        "/projects/%2e%2e/issues",
        "/projects/a%2f%2e%2e/issues",
        "/projects/%252e%252e/issues",
    ):
        request = raw_request(gateway, f"GET /apis/tracker{path} HTTP/1.1")
        answer = await asyncio.to_thread(send_raw, gateway.url, request)
        assert answer.status in (400, 404), path
    assert not echo.seen


async def test_an_upstream_error_status_passes_as_it_is(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    echo.answer = Answer(status=418, body=b"teapot")

    async with http.get(gateway.url + ISSUES) as response:
        assert (response.status, await response.read()) == (418, b"teapot")
