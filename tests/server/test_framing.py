from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, MethodNotAllowed
from gateway.server.framing import MAX_HEADERS, MAX_TARGET, Framing, read_head
from tests.support.raw_requests import CODINGS, HEADERS, LENGTHS, LINES, Case

HEADS = (*LENGTHS, *CODINGS, *LINES, *HEADERS)
HOST = b"Host: a\r\n"
MAX_BODY = 1_000


def head(fields: bytes = b"", line: bytes = b"POST /a HTTP/1.1") -> bytes:
    return line + b"\r\n" + HOST + fields + b"\r\n"


@pytest.mark.parametrize(
    ("raw", "framing"),
    [
        (head(), Framing()),
        (b"GET / HTTP/1.0\r\n\r\n", Framing()),
        (head(b"Content-Length: 7\r\n"), Framing(length=7)),
        (head(b"content-length:007 \r\n"), Framing(length=7)),
        (head(b"X-Content-Length: 7\r\nContent-Lengths: 7\r\n"), Framing()),
        (head(b"X: y\r\nTransfer-Encoding: Chunked\r\n"), Framing(length=None)),
        (
            head(b"Expect: 100-Continue\r\nContent-Length: 7\r\n"),
            Framing(length=7, invites=True),
        ),
        (head(b"Expect: 100-continue\r\nContent-Length: 0\r\n"), Framing()),
        (head(b"Expect: 100-continue\r\n"), Framing()),
        (head(b"Expect: whatever\r\nContent-Length: 7\r\n", b"PUT / HTTP/1.0"), Framing(length=7)),
        (head(line=b"OPTIONS * HTTP/1.1"), Framing()),
        (head(line=b"GET /" + b"a" * (MAX_TARGET - 1) + b" HTTP/1.1"), Framing()),
        (head(b"X: y\r\n" * (MAX_HEADERS - 1)), Framing()),
    ],
    ids=lambda value: value[:40].decode() if isinstance(value, bytes) else "",
)
def test_a_head_says_how_its_body_is_framed(raw: bytes, framing: Framing) -> None:
    assert read_head(raw, max_body=MAX_BODY) == framing


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (head(line=b"GET /" + b"a" * MAX_TARGET + b" HTTP/1.1"), 414),
        (head(b"X: y\r\n" * MAX_HEADERS), 431),
        (head(b"Content-Length: 1001\r\n"), 413),
        (head(b"Content-Length: 7\r\nExpect: 200-ok\r\n"), 417),
        (head(line=b"GET / HTTP/3.0"), 505),
        (head(line=b"CONNECT a:1 HTTP/1.1"), 405),
        (head(line=b"OPTIONS * HTTP/1.1 "), 400),
        (head(line=b"GET * HTTP/1.1"), 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\n" + HOST * 2 + b"\r\n", 400),
    ],
    ids=lambda value: value[:40].decode() if isinstance(value, bytes) else str(value),
)
def test_a_head_is_refused(raw: bytes, status: int) -> None:
    with pytest.raises(GatewayError) as refused:
        read_head(raw, max_body=MAX_BODY)
    assert refused.value.status == status


@pytest.mark.parametrize(
    "case", [c for c in HEADS if c.status and b"\r\n\r\n" in c.raw], ids=lambda case: case.name
)
def test_s37_a_head_in_doubt_is_refused_by_its_bytes_alone(case: Case) -> None:
    with pytest.raises(GatewayError) as refused:
        read_head(case.raw[: case.raw.index(b"\r\n\r\n") + 4], max_body=MAX_BODY)
    assert refused.value.status == case.status


def test_what_is_never_served_names_what_is() -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        read_head(head(line=b"TRACE / HTTP/1.1"), max_body=0)
    assert "GET" in refused.value.allowed


WORDS = (
    *(b"GET", b" ", b"/", b"HTTP/1.1", b"\r\n", b"\n", b"\r", b":", b"Host: a", b"\x00", b"\t"),
    *(b"Content-Length: ", b"5", b"Transfer-Encoding: ", b"chunked", b"Expect: ", b"\xff", b","),
)


@given(st.lists(st.sampled_from(WORDS) | st.binary(max_size=3), max_size=30))
def test_any_bytes_are_framed_or_refused(pieces: list[bytes]) -> None:
    raw = b"".join(pieces) + b"\r\n\r\n"
    with suppress(GatewayError):
        framing = read_head(raw[: raw.index(b"\r\n\r\n") + 4], max_body=MAX_BODY)
        assert framing.length is None or framing.length <= MAX_BODY
