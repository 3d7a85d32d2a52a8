"""Who may talk to the server at all."""

import asyncio
from ipaddress import ip_network
from urllib.parse import urlsplit

import aiohttp
import pytest

from gateway.config import ApiConfig, ServerConfig
from gateway.server.guard import Guard
from tests.support.echo_upstream import EchoUpstream
from tests.support.plain_http import send_raw
from tests.support.serving import Served, serving

LOCAL = Guard(names=("127.0.0.1",), public_url=None)
LISTED = Guard(names=(), public_url=None, origins=("https://App.example:8443",))
PUBLIC = Guard(names=("fe80::1", "gw.internal", "x.test:81"), public_url="https://Gw.Example:8443")


@pytest.mark.parametrize(
    ("guard", "host", "accepted"),
    [
        (LOCAL, "localhost", True),
        (LOCAL, "LOCALHOST:1", True),
        (LOCAL, "127.0.0.1:8080", True),
        (LOCAL, "[::1]:8080", True),
        (LOCAL, "evil", False),
        (LOCAL, "localhost.evil", False),
        (LOCAL, "127.0.0.1.evil", False),
        (LOCAL, "127.0.0.1:99999", False),
        (LOCAL, "127.0.0.1:", False),
        (LOCAL, "localhost, evil", False),
        (LOCAL, "localhost\tevil", False),
        (LOCAL, "user@localhost", False),
        (LOCAL, "localhost/evil", False),
        (LOCAL, "::1", False),
        (LOCAL, "", False),
        (PUBLIC, "gw.example:8443", True),
        (PUBLIC, "gw.example:1", False),
        (PUBLIC, "gw.internal:1234", True),
        (PUBLIC, "x.test:81", True),
        (PUBLIC, "x.test", False),
        (PUBLIC, "[fe80::1]:80", True),
        (PUBLIC, "localhost", True),
    ],
)
def test_hosts(guard: Guard, host: str, accepted: bool) -> None:
    assert guard.accepts_host(host) is accepted


@pytest.mark.parametrize(
    ("guard", "origin", "accepted"),
    [
        (LOCAL, "http://localhost", True),
        (LOCAL, "http://127.0.0.1:1", True),
        (LOCAL, "https://[::1]:3000", True),
        (LOCAL, "http://evil", False),
        (LOCAL, "http://localhost.evil", False),
        (LOCAL, "null", False),
        (LOCAL, "file://", False),
        (LOCAL, "file://localhost", False),
        (LOCAL, "localhost", False),
        (LOCAL, "http://localhost/", False),
        (LOCAL, "http://localhost http://evil", False),
        (LOCAL, "", False),
        (PUBLIC, "https://gw.example:8443", True),
        (PUBLIC, "http://gw.example:8443", False),
        (PUBLIC, "https://gw.example", False),
        (PUBLIC, "https://gw.internal", False),
        (LISTED, "https://app.example:8443", True),
        (LISTED, "https://app.example", False),
        (LISTED, "https://app.example:8443.evil", False),
        (LISTED, "null", False),
    ],
)
def test_origins(guard: Guard, origin: str, accepted: bool) -> None:
    assert guard.accepts_origin(origin) is accepted


EVERYWHERE = ["/", "/tools", "/tools/x", "/apis", "/apis/wide/x", "/mcp", "/mcp/shop", "/nope"]


@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        (("Host: evil",), 421, b"misdirected_request"),
        (("Host: localhost", "Origin: http://evil"), 403, b"origin_not_allowed"),
        (("Host: localhost", "Origin: null"), 403, b"origin_not_allowed"),
        (
            ("Host: localhost", "Origin: http://localhost", "Origin: http://evil"),
            403,
            b"origin_not_allowed",
        ),
    ],
    ids=["host", "origin", "null origin", "two origins"],
)
async def test_strangers_are_refused_everywhere(
    served: Served,
    echo: EchoUpstream,
    path: str,
    headers: tuple[str, ...],
    status: int,
    code: bytes,
) -> None:
    head = "\r\n".join((f"POST {path} HTTP/1.1", *headers, "Content-Length: 0"))
    request = f"{head}\r\nConnection: close\r\n\r\n".encode()
    answer = await asyncio.to_thread(send_raw, served.url, request)
    assert answer.status == status
    assert code in answer.body
    assert not answer.values("Access-Control-Allow-Origin")
    assert not echo.seen


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *[(path, 200) for path in ("/healthz", "/readyz", "/healthz?x=1", "/readyz?verbose")],
        *[(path, 421) for path in ("/healthz/x", "/healthz%3Fx", "/tools?/healthz")],
        ("//healthz", 400),  # no origin form
        *[(path, 421) for path in ("/healthz/../tools", "/healthz/%2e%2e/tools", "/x/../healthz")],
    ],
)
async def test_only_the_probes_are_open(served: Served, path: str, status: int) -> None:
    strange = "Host: 10.0.0.7:8080\r\nOrigin: http://evil\r\nConnection: close"
    request = f"GET {path} HTTP/1.1\r\n{strange}\r\n\r\n".encode()
    answer = await asyncio.to_thread(send_raw, served.url, request)
    assert answer.status == status


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
@pytest.mark.parametrize("path", ["/apis/wide/x", "/tools"])
async def test_methods_that_are_never_served(
    served: Served, echo: EchoUpstream, method: str, path: str
) -> None:
    target = urlsplit(served.url).netloc if method == "CONNECT" else path
    request = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = await asyncio.to_thread(send_raw, served.url, request.encode())
    assert answer.status == 405
    assert answer.values("Allow") == ["DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"]
    assert not echo.seen


@pytest.mark.parametrize(
    ("network", "asked", "status"),
    [
        ("127.0.0.0/8", "evil.test", 421),
        ("127.0.0.0/8", "evil.test, localhost", 200),
        ("127.0.0.0/8", "localhost, evil.test", 421),
        ("127.0.0.0/8", "localhost:1", 200),
        ("127.0.0.0/8", "a b", 421),
        ("10.0.0.0/8", "evil.test", 200),
    ],
)
async def test_s42_the_host_that_a_trusted_proxy_names_is_judged_alike(
    spec: str, http: aiohttp.ClientSession, network: str, asked: str, status: int
) -> None:
    shop = ApiConfig(name="shop", spec=spec, base_url="http://127.0.0.1:1")
    server = ServerConfig(trusted_proxies=(ip_network(network),))
    async with (
        serving(shop, server=server) as made,
        http.get(f"{made.url}/tools", headers={"X-Forwarded-Host": asked}) as answer,
    ):
        assert answer.status == status
