"""Clients that are slow, early, too many or in doubt (S-47, S-48, S-49, R-09, R-13)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from gateway.server.connections import invite_body
from gateway.server.entrance import ANSWERED_ABOVE
from gateway.server.heads import read_body
from gateway.server.pace import PATIENCE, Patience
from tests.support.entrances import Handler, Standing, standing, until

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a\r\n"
LIMIT = 100_000
HASTE = Patience(head=0.05, body=0.05, body_rate=10_000, body_credit=0.1, look=0.01, linger=0.05)


async def read_all(request: web.Request) -> web.Response:
    body = await read_body(request, LIMIT)
    return web.Response(text=f"<{request.raw_path} {len(body)}>")


async def refuse(request: web.Request) -> web.Response:
    return web.Response(status=404, text="<none>")


@pytest.fixture
async def stand() -> AsyncIterator[Standing]:
    async with standing(read_all) as stand:
        yield stand


async def rest(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(20):
        return await reader.read()


async def until_read(stand: Standing, what: bytes, reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(20):
        return await reader.readuntil(what)


async def rest_or_nothing(reader: asyncio.StreamReader) -> bytes:
    try:
        return await rest(reader)
    except ConnectionError:
        return b""


def look_in(stand: Standing, seconds: float) -> None:
    """What the clocks say when so much time has passed."""
    connection = stand.connection
    assert connection.transport is not None
    connection.look(asyncio.get_running_loop().time() + seconds, connection.transport)


async def test_s47_nobody_waits_for_a_first_byte(stand: Standing) -> None:
    reader, _ = await stand.connect()
    await until(lambda: stand.entrance.connections)
    look_in(stand, PATIENCE.head - 1)
    assert stand.connection.idle_since is not None
    look_in(stand, PATIENCE.head + 1)
    assert await rest(reader) == b""
    assert stand.entrance.late == {"first_byte": 1}


async def test_s47_a_head_has_to_end(stand: Standing) -> None:
    reader, writer = await stand.connect(GET[:20])
    await until(lambda: stand.entrance.connections and stand.connection.idle_since is None)
    look_in(stand, PATIENCE.head - 1)
    writer.write(GET[20:22])
    await until(lambda: b"".join([bytes(stand.connection.door._head)]) == GET[:22])
    look_in(stand, PATIENCE.head + 1)
    answer = await rest(reader)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close" in answer
    assert stand.entrance.late == {"head": 1}


async def test_s47_so_has_the_head_behind_an_answer(stand: Standing) -> None:
    reader, _ = await stand.connect(GET + GET[:10])
    await until_read(stand, b"<", reader)
    await until(lambda: not stand.connection._is_busy)
    look_in(stand, PATIENCE.head + 1)
    assert b"HTTP/1.1 408 " in await rest(reader)


async def test_s47_a_body_has_to_come(stand: Standing) -> None:
    reader, _ = await stand.connect(POST + b"Content-Length: 10\r\n\r\nabc")
    await until(lambda: stand.entrance.connections and stand.connection.idle_since is None)
    look_in(stand, PATIENCE.body - 1)
    look_in(stand, PATIENCE.body + 1)
    answer = await rest(reader)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close" in answer
    assert stand.entrance.late == {"body": 1}


async def test_s47_who_waits_for_something_else_than_the_body_is_cut() -> None:
    ended = asyncio.Event()

    async def wait(request: web.Request) -> web.Response:
        try:
            await asyncio.sleep(3_600)
        finally:
            ended.set()
        return web.Response()

    async with standing(wait) as stand:
        reader, _ = await stand.connect(POST + b"Content-Length: 10\r\n\r\nabc")
        await until(lambda: stand.entrance.connections and stand.connection.idle_since is None)
        look_in(stand, PATIENCE.body + 1)
        stand.connection.data_received(b"d")
        look_in(stand, 2 * PATIENCE.body + 2)
        async with asyncio.timeout(20):
            await ended.wait()
        assert await rest_or_nothing(reader) == b""
        assert stand.entrance.late == {"body": 1, "end": 1}


async def test_s47_a_body_is_not_late_while_nobody_reads_it() -> None:
    go_on = asyncio.Event()

    async def read_later(request: web.Request) -> web.Response:
        await go_on.wait()
        return await read_all(request)

    async with standing(read_later) as stand:
        reader, writer = await stand.connect(POST + b"Content-Length: 1000000\r\n\r\n")
        writer.write(b"x" * 900_000)
        await until(lambda: stand.entrance.connections and stand.connection._holds_reading)
        look_in(stand, 1_000)
        assert not stand.entrance.late
        go_on.set()
        assert (await rest(reader)).startswith(b"HTTP/1.1 413 ")


async def test_s47_a_request_that_takes_its_time_is_left_alone() -> None:
    go_on = asyncio.Event()

    async def wait(request: web.Request) -> web.Response:
        await go_on.wait()
        return web.Response(text="<done>")

    async with standing(wait) as stand:
        reader, _ = await stand.connect(GET)
        await until(lambda: stand.entrance.connections and stand.connection.idle_since is None)
        look_in(stand, 100_000)
        go_on.set()
        assert await until_read(stand, b"<done>", reader)
        assert not stand.entrance.late


async def send_whole(request: web.Request) -> web.StreamResponse:
    """More than any socket buffer holds, and complete for its handler."""
    return web.Response(body=b"x" * 10_000_000)


async def send_on(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65_536)


@pytest.mark.parametrize("send", [send_whole, send_on])
async def test_r09_s47_who_takes_nothing_of_an_answer_is_cut(send: Handler) -> None:
    async with standing(send) as stand:
        await stand.connect(GET)
        await until(
            lambda: (
                stand.entrance.connections
                and stand.connection.transport is not None
                and stand.connection.transport.get_write_buffer_size()
            )
        )
        look_in(stand, 0)
        look_in(stand, PATIENCE.unread - 1)
        assert not stand.entrance.late
        look_in(stand, PATIENCE.unread + 1)
        await until(lambda: not stand.entrance.connections)
        assert stand.entrance.late == {"unread": 1}


@pytest.mark.parametrize(
    "data",
    [b"", GET[:20], POST + b"Content-Length: 1000\r\n\r\n", POST + b"Content-Length: 9\r\n\r\na"],
    ids=["nothing", "half-a-head", "no-body", "half-a-body"],
)
async def test_s47_f12_slow_clients_go_and_others_are_served(data: bytes) -> None:
    async with standing(read_all, patience=HASTE) as stand:
        slow = [await stand.connect(data) for _ in range(50)]
        good, writer = await stand.connect()
        for _ in range(20):
            writer.write(GET)
            assert await until_read(stand, b"<", good)
        gone = [await rest(reader) for reader, _ in slow]
        assert all(answer[:13] in (b"", b"HTTP/1.1 408 ") for answer in gone)
        (late,) = stand.entrance.late.values()
        assert late >= 50


async def test_s49_a_body_is_invited_when_somebody_reads_it(stand: Standing) -> None:
    head = POST + b"Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    reader, writer = await stand.connect(head)
    assert await until_read(stand, b"\r\n\r\n", reader) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"abc")
    assert b"</a 3>" in await rest(reader)


async def test_s49_a_body_that_comes_anyway_needs_no_invitation(stand: Standing) -> None:
    head = POST + b"Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\nabc"
    reader, _ = await stand.connect(head)
    assert (await rest(reader)).startswith(b"HTTP/1.1 200 ")


async def test_s49_an_old_client_gets_no_interim_answer(stand: Standing) -> None:
    head = b"POST /a HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    reader, writer = await stand.connect(head)
    await until(lambda: stand.entrance.connections and stand.connection.idle_since is None)
    writer.write(b"abc")
    assert (await rest(reader)).startswith(b"HTTP/1.0 200 ")


@pytest.mark.parametrize("framing", [b"Content-Length: 3", b"Transfer-Encoding: chunked"])
async def test_s49_whoever_is_refused_keeps_the_body(framing: bytes) -> None:
    async with standing(refuse) as stand:
        reader, _ = await stand.connect(POST + framing + b"\r\nExpect: 100-continue\r\n\r\n")
        answer = await rest(reader)
        assert answer.startswith(b"HTTP/1.1 404 ")
        assert b"Connection: close" in answer


async def test_a_waiting_body_is_not_late(stand: Standing) -> None:
    async def hold(request: web.Request) -> web.Response:
        await go_on.wait()
        await invite_body(request)
        return await read_all(request)

    go_on = asyncio.Event()
    async with standing(hold) as own:
        head = POST + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        reader, writer = await own.connect(head)
        await until(lambda: own.entrance.connections and own.connection.idle_since is None)
        look_in(own, 1_000)
        go_on.set()
        assert await until_read(own, b"\r\n\r\n", reader) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        assert await until_read(own, b"</a 3>", reader)


async def test_a_short_rest_of_a_body_makes_room_for_the_next_request() -> None:
    async with standing(refuse) as stand:
        reader, writer = await stand.connect(POST + b"Content-Length: 10\r\n\r\nabc")
        assert b"close" not in await until_read(stand, b"<none>", reader)
        writer.write(b"0123456" + LAST)
        assert (await rest(reader)).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    "head",
    [POST + b"Content-Length: 900000\r\n\r\nabc", POST + b"Transfer-Encoding: chunked\r\n\r\n"],
    ids=["long", "of-unknown-length"],
)
async def test_a_long_rest_is_dropped_with_its_connection(head: bytes) -> None:
    async with standing(refuse) as stand:
        reader, writer = await stand.connect(head)
        answer = await until_read(stand, b"<none>", reader)
        assert b"Connection: close" in answer
        writer.write(LAST)
        assert await rest(reader) == b""


async def test_an_answer_is_read_although_its_caller_is_still_sending() -> None:
    async with standing(refuse) as stand:
        reader, writer = await stand.connect(POST + b"Content-Length: 900000\r\n\r\nabc")
        await until_read(stand, b"HTTP/1.1 404 ", reader)
        for _ in range(80):
            writer.write(b"x" * 10_000)
            await writer.drain()
        assert b"<none>" in await rest(reader)


async def test_s47_a_rest_that_does_not_come_is_no_fault_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with standing(refuse) as stand:
        reader, _ = await stand.connect(POST + b"Content-Length: 10\r\n\r\nabc")
        await until_read(stand, b"<none>", reader)
        look_in(stand, PATIENCE.body + 1)
        assert await rest(reader) == b""
    assert not caplog.records


async def test_s48_a_body_in_chunks_ends_at_the_limit(stand: Standing) -> None:
    reader, writer = await stand.connect(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    writer.write(b"1\r\nx\r\n" * (LIMIT + 10_000))
    answer = await rest(reader)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in answer


async def test_s39_answers_come_in_order_and_the_refusal_last(stand: Standing) -> None:
    reader, _ = await stand.connect(GET * 40 + b"GET / HTTP/3.0\r\n\r\n" + GET)
    answers = (await rest(reader)).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers[:41]] == [b"200"] * 40 + [b"505"]
    assert b"Connection: close" in answers[40]


async def test_s39_a_body_that_breaks_in_the_queue_is_refused_in_its_turn(stand: Standing) -> None:
    reader, writer = await stand.connect(GET + POST + b"Transfer-Encoding: chunked\r\n\r\n")
    await until_read(stand, b"<", reader)
    writer.write(b"zz\r\n" + GET)
    answers = (await rest(reader)).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"400"]


async def test_nothing_is_read_behind_a_last_request(stand: Standing) -> None:
    reader, _ = await stand.connect(LAST + GET + b"nonsense\r\n\r\n")
    assert (await rest(reader)).count(b"HTTP/1.1 ") == 1
    assert not stand.entrance.refused


async def test_who_asks_about_the_server_itself_is_answered(stand: Standing) -> None:
    reader, _ = await stand.connect(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n" + LAST)
    answer = await rest(reader)
    assert answer.startswith(b"HTTP/1.1 204 ")
    assert b"</last 0>" in answer


async def test_r13_too_many_are_told_so_and_room_is_made() -> None:
    async with standing(read_all, patience=HASTE, max_connections=3) as stand:
        idle = [await stand.connect(GET) for _ in range(3)]
        for reader, _ in idle:
            await until_read(stand, b"</a 0>", reader)
        reader, _ = await stand.connect(GET)
        answer = await rest(reader)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After" in answer
        assert stand.entrance.refused == {"too_many_connections": 1}

        # Those that wait for nothing in particular go first.
        hasty = Patience(crowded_idle=0.0, look=0.01)
        stand.entrance._patience = hasty
        for reader, _ in idle:
            await rest(reader)
        reader, _ = await stand.connect(LAST)
        assert b"</last 0>" in await rest(reader)


async def test_r13_far_too_many_are_cut_at_once() -> None:
    async with standing(read_all, max_connections=1) as stand:
        readers = [(await stand.connect())[0] for _ in range(60)]
        await until(lambda: stand.entrance.refused.get("too_many_connections", 0) >= 59)
        told = [bool(await rest_or_nothing(reader)) for reader in readers[1:]]
        assert told == [True] * ANSWERED_ABOVE + [False] * (59 - ANSWERED_ABOVE)


async def test_what_nobody_has_caught_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(request: web.Request) -> web.StreamResponse:
        return None  # type: ignore[return-value]

    async with standing(fail) as stand:
        reader, _ = await stand.connect(LAST)
        answer = await rest(reader)
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"Traceback" not in answer
