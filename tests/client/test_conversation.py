"""Connections that say more than they were asked for do not get to the next caller."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

import pytest

from gateway.client import Resilience
from gateway.client.conversation import MAX_INTERIM, Conversation
from gateway.errors import UpstreamError, UpstreamLost
from gateway.messages import Request, RequestHead
from gateway.upstreams import Upstream

PATIENCE = 10
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"


@dataclass(slots=True)
class Scripted:
    """An upstream whose connections the test leads by hand."""

    url: str = ""
    connections: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(
        default_factory=asyncio.Queue
    )

    @property
    def upstream(self) -> Upstream:
        return Upstream(name="shop", origin=self.url, retries=1, timeout_seconds=PATIENCE)

    async def next_one(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(PATIENCE):
            return await self.connections.get()


@asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    script = Scripted()

    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        script.connections.put_nowait((reader, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield script
        finally:
            for writer in writers:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()


async def ask(client: Resilience, upstream: Upstream, method: str = "GET") -> bytes:
    request = Request(head=RequestHead(method=method, target="/"))
    async with client.send(request, upstream, deadline=None) as response:
        return b"".join([chunk async for chunk in response.body])


async def heard(reader: asyncio.StreamReader) -> None:
    async with asyncio.timeout(PATIENCE):
        await reader.readuntil(b"\r\n\r\n")


async def is_dropped(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(PATIENCE):
        try:
            return await reader.read() == b""
        except ConnectionResetError:
            return True


@pytest.mark.parametrize(
    "said",
    [ANSWER + b"evil", b"HTTP/1.1 100 Continue\r\n\r\n", b"evil", b"\r\n"],
    ids=["an answer", "an interim answer", "bytes", "a line's end"],
)
async def test_r06_what_an_idle_connection_says_ends_it(client: Resilience, said: bytes) -> None:
    async with scripted() as script, asyncio.TaskGroup() as group:
        first = group.create_task(ask(client, script.upstream))
        reader, writer = await script.next_one()
        await heard(reader)
        writer.write(ANSWER + b"good")
        assert await first == b"good"

        writer.write(said)
        assert await is_dropped(reader)

        second = group.create_task(ask(client, script.upstream))
        reader, writer = await script.next_one()
        await heard(reader)
        writer.write(ANSWER + b"next")
        assert await second == b"next"


async def test_an_upstream_that_speaks_first_is_cut_off() -> None:
    cut: list[bool] = []

    class Connection(asyncio.Transport):
        def abort(self) -> None:
            cut.append(True)

    conversation = Conversation(loop=asyncio.get_running_loop())
    conversation.connection_made(Connection())
    conversation.data_received(ANSWER + b"soon")
    assert cut


@pytest.mark.parametrize(("said", "attempts"), [(b"", 2), (b"HTTP/1.1 200", 1)])
async def test_r05_a_connection_that_has_spoken_is_not_asked_again(
    client: Resilience, said: bytes, attempts: int
) -> None:
    async with scripted() as script, asyncio.TaskGroup() as group:
        asking = group.create_task(outcome(client, script.upstream))
        for _ in range(attempts):
            reader, writer = await script.next_one()
            await heard(reader)
            writer.write(said)
            writer.close()
        assert await asking is (UpstreamError if said else UpstreamLost)
        assert script.connections.empty()


async def outcome(client: Resilience, upstream: Upstream) -> type[UpstreamError] | None:
    try:
        await ask(client, upstream)
    except UpstreamError as error:
        return type(error)
    return None


@pytest.mark.parametrize(
    ("times", "expected"), [(MAX_INTERIM, None), (MAX_INTERIM + 1, UpstreamError)]
)
async def test_r06_interim_answers_are_bounded(
    client: Resilience, times: int, expected: type[UpstreamError] | None
) -> None:
    async with scripted() as script, asyncio.TaskGroup() as group:
        asking = group.create_task(outcome(client, script.upstream))
        reader, writer = await script.next_one()
        await heard(reader)
        writer.write(b"HTTP/1.1 103 Hints\r\n\r\n" * times + ANSWER + b"good")
        assert await asking is expected


async def test_r06_the_bound_is_for_one_request(client: Resilience) -> None:
    async with scripted() as script, asyncio.TaskGroup() as group:
        connection = None
        for _ in range(3):
            asking = group.create_task(ask(client, script.upstream))
            connection = connection or await script.next_one()
            reader, writer = connection
            await heard(reader)
            writer.write(b"HTTP/1.1 103 Hints\r\n\r\n" * MAX_INTERIM + ANSWER + b"good")
            assert await asking == b"good"


async def test_an_answer_before_the_uploads_end_spoils_the_connection_for_others(
    client: Resilience,
) -> None:
    go_on = asyncio.Event()

    async def upload() -> AsyncIterator[bytes]:
        yield b"a" * 10
        await go_on.wait()
        yield b"b" * 10

    async with scripted() as script, asyncio.TaskGroup() as group:
        request = Request(
            head=RequestHead(method="PUT", target="/", headers=(("Content-Length", "20"),)),
            body=upload(),
        )

        async def send() -> int:
            async with client.send(request, script.upstream, deadline=None) as response:
                assert [chunk async for chunk in response.body] == [b"full"]
                return response.head.status

        asking = group.create_task(send())
        reader, writer = await script.next_one()
        await heard(reader)
        writer.write(b"HTTP/1.1 413 Full\r\nContent-Length: 4\r\n\r\nfull")
        assert await asking == 413
        assert b"b" not in await asyncio.wait_for(reader.read(), PATIENCE)
        go_on.set()


async def test_r06_a_body_that_makes_no_sense_is_known_at_once(client: Resilience) -> None:
    async with scripted() as script, asyncio.TaskGroup() as group:
        request = Request(head=RequestHead(method="GET", target="/"))
        patient = replace(script.upstream, timeout_seconds=1_000.0)

        async def read() -> None:
            async with client.send(request, patient, deadline=None) as response:
                assert await anext(response.body) == b"ab"
                writer.write(b"zz\r\n")
                with pytest.raises(UpstreamError):
                    await anext(response.body)

        reading = group.create_task(read())
        reader, writer = await script.next_one()
        await heard(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        async with asyncio.timeout(PATIENCE):
            await reading
