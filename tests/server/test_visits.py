"""What is told of each request: its route, its answer's end, and whether it was cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from gateway.server.visits import make_visit_middleware, name_request, note_end

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Seen:
    """A Visit that remembers."""

    method: str
    client: str
    trusted: bool
    told: asyncio.Event = field(default_factory=asyncio.Event)
    route: str = ""
    status: int | None = None
    received: int = 0
    sent: int = 0
    aborted: bool = False
    request_id: str = "r-1"

    def ended(
        self, route: str, *, status: int | None, received: int, sent: int, aborted: bool
    ) -> None:
        self.route, self.status, self.aborted = route, status, aborted
        self.received, self.sent = received, sent
        self.told.set()


class Book:
    """Visits that are remembered."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.opened = asyncio.Event()

    def begin(self, method: str, headers: Mapping[str, str], client: str, *, trusted: bool) -> Seen:
        self.seen.append(Seen(method, client, trusted))
        self.opened.set()
        return self.seen[-1]


@contextlib.asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[tuple[str, Book]]:
    book = Book()
    app = web.Application(middlewares=[make_visit_middleware(book)])
    app.on_response_prepare.append(name_request)
    app.router.add_route("*", "/things/{id}", handler)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", book
    finally:
        await runner.cleanup()


async def the_end(book: Book) -> Seen:
    async with asyncio.timeout(10):
        await book.opened.wait()
        await book.seen[0].told.wait()
    return book.seen[0]


async def answer_plainly(request: web.Request) -> web.Response:
    return web.Response(text=f"{len(await request.read())} bytes")


async def test_an_answer_is_told_with_its_route_and_sizes() -> None:
    async with serving(answer_plainly) as (url, book):
        async with aiohttp.request("POST", f"{url}/things/7?q=1", data=b"12345") as answer:
            assert answer.headers["X-Request-ID"] == "r-1"
            await answer.read()
        seen = await the_end(book)
    assert (seen.method, seen.client, seen.trusted) == ("POST", "127.0.0.1", False)
    assert (seen.route, seen.status, seen.aborted) == ("/things/{id}", 200, False)
    assert seen.received == 5
    assert seen.sent > len("5 bytes")


@pytest.mark.parametrize(("method", "status"), [("HEAD", 204), ("GET", 304)])
async def test_an_answer_without_a_body_ends_like_any_other(method: str, status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serving(answer) as (url, book):
        async with aiohttp.request(method, f"{url}/things/7"):
            pass
        seen = await the_end(book)
    assert (seen.status, seen.aborted) == (status, False)


async def test_a_path_that_leads_nowhere_has_no_route() -> None:
    async with serving(answer_plainly) as (url, book):
        async with aiohttp.request("GET", f"{url}/secret-path") as answer:
            assert answer.status == 404
        seen = await the_end(book)
    assert seen.route == "-"


async def test_a_stream_that_its_handler_breaks_off_is_told_as_cut() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        out = web.StreamResponse()
        out.enable_chunked_encoding()
        await out.prepare(request)
        await out.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return out

    async with serving(answer) as (url, book):
        with pytest.raises(aiohttp.ClientError):
            async with aiohttp.request("GET", f"{url}/things/7") as response:
                await response.read()
        seen = await the_end(book)
    assert (seen.status, seen.aborted) == (200, True)


async def test_a_caller_that_leaves_before_the_answer_is_told_as_cut() -> None:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(answer) as (url, book), aiohttp.ClientSession() as http:
        asking = asyncio.ensure_future(http.get(f"{url}/things/7"))
        await book.opened.wait()
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        seen = await the_end(book)
    assert (seen.status, seen.aborted) == (None, True)


async def test_an_answer_that_has_closed_its_connection_is_whole() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        out = web.StreamResponse(headers={"Content-Length": "4"})
        out.force_close()
        await out.prepare(request)
        await out.write(b"done")
        await out.write_eof()
        assert request.transport is not None
        request.transport.close()
        return out

    async with serving(answer) as (url, book):
        async with aiohttp.request("GET", f"{url}/things/7") as response:
            assert await response.read() == b"done"
        seen = await the_end(book)
    assert not seen.aborted


@pytest.mark.parametrize("is_left", [True, False], ids=["left", "cut"])
async def test_a_pipe_that_either_side_has_left_was_not_cut(*, is_left: bool) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        out = web.StreamResponse(status=101, headers={"Upgrade": "websocket"})
        out.force_close()
        await out.prepare(request)
        if is_left:
            note_end(request)
        return out

    async with serving(answer) as (url, book):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET /things/7 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 101 ")
        seen = await the_end(book)
        writer.close()
    assert (seen.status, seen.aborted) == (101, not is_left)
