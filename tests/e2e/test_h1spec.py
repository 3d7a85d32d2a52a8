"""What h1spec asks of a server, 33 questions, in words of our own: github.com/uNetworking/h1spec.

Fragments have to be waited for: here the rest of each request follows, and it is answered then.
"""

import pytest

from tests.e2e.test_smuggling import echo, gateway
from tests.support.gateway_process import GatewayProcess
from tests.support.raw_client import RawConnection

__all__ = ["echo", "gateway"]

WHOLE = b"GET /tools HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
FRAGMENTS = {
    "method": b"G",
    "url-1": b"GET ",
    "url-2": b"GET /tools",
    "url-3": b"GET /tools ",
    "version": b"GET /tools HTTP",
    "request-line": b"GET /tools HTTP/1.1",
    "newline-1": b"GET /tools HTTP/1.1\r",
    "newline-2": b"GET /tools HTTP/1.1\r\n",
    "name": b"GET /tools HTTP/1.1\r\nHos",
    "value-1": b"GET /tools HTTP/1.1\r\nHost:",
    "value-2": b"GET /tools HTTP/1.1\r\nHost: ",
    "value-3": b"GET /tools HTTP/1.1\r\nHost: 127.0.0.1",
    "value-4": b"GET /tools HTTP/1.1\r\nHost: 127.0.0.1\r",
    "request": b"GET /tools HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    "termination": b"GET /tools HTTP/1.1\r\nHost: 127.0.0.1\r\n\r",
}
GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
QUESTIONS = {
    "no-version": (b"GET / \r\n\r\n", range(400, 600)),
    "expect": (GET + b"Expect: 100-continue\r\n\r\n", range(200, 300)),
    "get": (GET + b"\r\n", range(200, 300)),
    "get-with-edges": (b"GET / HTTP/1.1\r\nhoSt:\t127.0.0.1\r\nempty:\r\n\r\n", range(200, 300)),
    "name-characters": (GET + b"X-Invalid[]: test\r\n\r\n", range(400, 500)),
    "no-host": (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", range(400, 500)),
    "hosts": (GET + b"Host: example.org\r\n\r\n", range(400, 500)),
    "length-far-below-0": (
        GET + b"Content-Length: -123456789123456789123456789\r\n\r\n",
        range(400, 500),
    ),
    "length-below-0": (GET + b"Content-Length: -1234\r\n\r\n", range(400, 500)),
    "length-no-number": (GET + b"Content-Length: abc\r\n\r\n", range(400, 500)),
    "empty-value": (GET + b"X-Empty-Header: \r\n\r\n", range(200, 300)),
    "control": (GET + b"X-Bad-Control-Char: test\x07\r\n\r\n", range(400, 500)),
    "version": (b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n", range(400, 600)),
    "prefix": (b"Extra line" + GET + b"\r\n", range(400, 600)),
    "line-ending": (GET + b"\rSome-Header: Test\r\n\r\n", range(400, 500)),
    "post": (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nhello",
        (*range(200, 300), 404, 405),
    ),
    "two-framings": (
        GET + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        range(400, 500),
    ),
    "length-and-too-little": (GET + b"Content-Length: \r\n\r\n", range(400, 500)),
}


@pytest.mark.parametrize("name", FRAGMENTS)
def test_s37_a_fragment_is_waited_for(gateway: GatewayProcess, name: str) -> None:
    fragment = FRAGMENTS[name]
    assert WHOLE.startswith(fragment)
    with RawConnection(gateway.url) as raw:
        raw.send(fragment)
        # Whatever the gateway made of that, it has made it when another request is answered.
        with RawConnection(gateway.url) as other:
            other.send(WHOLE)
            assert other.answer().status == 200
        raw.send(WHOLE.removeprefix(fragment))
        assert raw.answer().status == 200


@pytest.mark.parametrize("name", QUESTIONS)
def test_s37_h1spec(gateway: GatewayProcess, name: str) -> None:
    request, statuses = QUESTIONS[name]
    with RawConnection(gateway.url) as raw:
        raw.send(request)
        assert raw.answer().status in statuses


def test_there_are_33() -> None:
    assert len(FRAGMENTS) + len(QUESTIONS) == 33
