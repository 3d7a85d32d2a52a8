"""The door's reading of requests beside that of aiohttp's own parsers."""

import asyncio

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpProcessingError, HttpRequestParser
from aiohttp.http_parser import HttpRequestParserC, HttpRequestParserPy
from hypothesis import given
from hypothesis import strategies as st

from gateway.server.door import MAX_PIPELINED, REFUSED, Door
from tests.support.raw_requests import CASES, Case, get

Told = list[tuple[str, str, bytes]]


def make_door() -> Door:
    loop = asyncio.get_running_loop()
    return Door(BaseProtocol(loop), loop=loop, max_body=10**9)


async def told_by_door(*pieces: bytes) -> tuple[Told, bool]:
    """The requests, and whether more was refused or broke off."""
    door = make_door()
    messages = []
    for piece in pieces:
        messages += door.feed_data(piece)[0]
        door.message_consumed()
    refused = door.refusal is not None or door.broken is not None
    whole = [(m, p) for m, p in messages if m is not REFUSED and p.is_eof()]
    return [(m.method, m.path, await p.read()) for m, p in whole], refused


async def told_by(parser: type[HttpRequestParser], data: bytes) -> Told | None:
    """None where the parser refuses any of it."""
    loop = asyncio.get_running_loop()
    made = parser(BaseProtocol(loop), loop, 65_536, max_line_size=65_536, max_field_size=65_536)
    try:
        messages, _, _ = made.feed_data(data)
    except HttpProcessingError:
        return None
    return [(m.method, m.path, await p.read()) for m, p in messages if p.is_eof()]


@pytest.mark.parametrize("parser", [HttpRequestParserC, HttpRequestParserPy], ids=["c", "python"])
@pytest.mark.parametrize("case", [c for c in CASES if c.sent], ids=lambda case: case.name)
async def test_s37_what_the_door_accepts_others_read_alike(
    parser: type[HttpRequestParser], case: Case
) -> None:
    ours, refused = await told_by_door(case.raw)
    assert not refused
    assert ours == await told_by(parser, case.raw)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_s37_a_verdict_does_not_hang_on_how_the_bytes_arrive(case: Case) -> None:
    raw = case.raw[:3_000] + case.raw[-3_000:] if len(case.raw) > 6_000 else case.raw
    one_by_one = [raw[i : i + 1] for i in range(len(raw))]
    assert await told_by_door(*one_by_one) == await told_by_door(raw)


PIECES = st.sampled_from(
    [
        *(b"GET ", b"POST ", b"/a", b" HTTP/1.1", b"\r\n", b"\r\n\r\n", b"Host: a\r\n", b"hello"),
        *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n"),
        *(b"0\r\n\r\n", b"Connection: close\r\n", b"Upgrade: websocket\r\n", b"X: y\r\n"),
        get(),
    ]
)


@given(st.lists(PIECES | st.binary(max_size=2), max_size=12), st.integers(0, 200))
def test_s37_any_bytes_are_requests_that_others_would_read_or_a_refusal(
    pieces: list[bytes], cut: int
) -> None:
    data = b"".join(pieces)

    async def compare() -> None:
        ours, refused = await told_by_door(data)
        assert await told_by_door(data[:cut], data[cut:]) == (ours, refused)
        if not refused:
            for parser in (HttpRequestParserC, HttpRequestParserPy):
                theirs = await told_by(parser, data)
                # They refuse a connection's bytes behind its last request, which we do not read.
                assert theirs is None or theirs[: len(ours)] == ours

    asyncio.run(compare())


async def test_s48_pipelined_requests_wait_outside() -> None:
    door = make_door()
    messages, _, _ = door.feed_data(get() * 100)
    count = len(messages)
    assert count == MAX_PIPELINED
    while True:
        door.message_consumed()
        more, _, _ = door.feed_data(b"")
        if not more:
            break
        count += len(more)
    assert count == 100


@pytest.mark.parametrize("case", [c for c in CASES if c.status], ids=lambda case: case.name)
async def test_s37_what_is_in_doubt_is_no_request(case: Case) -> None:
    assert await told_by_door(case.raw + get()) == ([], True)


async def test_nothing_is_a_request_behind_the_last_one() -> None:
    door = make_door()
    messages, _, _ = door.feed_data(get(b"Connection: close\r\n") + get())
    assert len(messages) == 1
    assert door.is_shut


async def test_a_refusal_is_told_once_and_nothing_after_it() -> None:
    door = make_door()
    assert [message for message, _ in door.feed_data(b"GET\r\n\r\n" + get())[0]] == [REFUSED]
    assert door.feed_data(get()) == ([], False, b"")
    assert door.is_shut
