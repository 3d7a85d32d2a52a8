import asyncio
import gzip
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.errors import DescriptionError
from gateway.sources import Source, is_url, loading, parse, shown

GOOD = b"openapi: 3.1.0\n"
VALUE = {"openapi": "3.1.0"}


async def load_document(location: str) -> object:
    snapshot = await Source(location).read()
    assert snapshot is not None
    return parse(snapshot.texts.root)


@pytest.fixture
async def elsewhere() -> AsyncIterator[TestServer]:
    """Another origin, which nobody may be sent to."""
    seen: list[str] = []

    async def record(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(body=GOOD)

    app = web.Application()
    app.router.add_get("/{path:.*}", record)
    server = TestServer(app, host="127.0.0.1")
    async with server:
        yield server
    assert seen == []


async def good(request: web.Request) -> web.Response:
    return web.Response(body=GOOD)


async def bare_redirect(request: web.Request) -> web.Response:
    return web.Response(status=302)


async def status(request: web.Request) -> web.Response:
    return web.Response(status=int(request.match_info["code"]), body=GOOD)


async def hang(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"openapi: ")
    await asyncio.Event().wait()
    return response


async def zipped(request: web.Request) -> web.Response:
    body = gzip.compress(b"#" * 100_000)
    return web.Response(body=body, headers={"Content-Encoding": "gzip"})


async def broken_zip(request: web.Request) -> web.Response:
    return web.Response(body=b"no gzip", headers={"Content-Encoding": "gzip"})


async def chunks(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(100):
        await response.write(b"#" * 1000)
    return response


@pytest.fixture
async def server(elsewhere: TestServer) -> AsyncIterator[TestServer]:
    async def redirect(request: web.Request) -> web.Response:
        target = {
            "here": "/good",
            "relative": "good",
            "absolute": str(request.url.with_path("/good")),
            "hops3": "/to/hops2",
            "hops2": "/to/here",
            "hops4": "/to/hops3",
            "loop": "/to/loop",
            "elsewhere": str(elsewhere.make_url("/x")),
            "scheme": f"//{elsewhere.host}:{elsewhere.port}/x",
            "file": "file:///etc/passwd",
            "nowhere": "http://[",
        }[request.match_info["where"]]
        return web.Response(status=302, headers={"Location": target})

    app = web.Application()
    app.add_routes(
        [
            web.get("/good", good),
            web.get("/to/good", good),
            web.get("/to/{where}", redirect),
            web.get("/bare", bare_redirect),
            web.get("/status/{code}", status),
            web.get("/hang", hang),
            web.get("/zipped", zipped),
            web.get("/broken-zip", broken_zip),
            web.get("/chunks", chunks),
        ]
    )
    running = TestServer(app, host="127.0.0.1")
    async with running:
        yield running


@pytest.mark.parametrize(
    "path", ["/good", "/to/here", "/to/relative", "/to/absolute", "/to/hops3", "/good?token=x"]
)
async def test_a_description_is_fetched_and_redirects_within_its_origin_followed(
    server: TestServer, path: str
) -> None:
    assert await load_document(str(server.make_url(path))) == VALUE


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/status/404", "HTTP 404"),
        ("/status/204", "HTTP 204"),
        ("/status/500", "HTTP 500"),
        ("/status/304", "HTTP 304"),
        ("/bare", "HTTP 302"),
        ("/to/loop", "more than 3 redirects"),
        ("/to/hops4", "more than 3 redirects"),
        ("/to/elsewhere", "redirects to another origin are not followed"),
        ("/to/scheme", "redirects to another origin are not followed"),
        ("/to/file", "redirects to another origin are not followed"),
        ("/to/nowhere", "no valid HTTP answer"),
        ("/broken-zip", "no valid HTTP answer"),
    ],
)
async def test_an_answer_that_is_no_description_says_why(
    server: TestServer, path: str, reason: str
) -> None:
    url = str(server.make_url(path))
    with pytest.raises(DescriptionError) as caught:
        await load_document(url)
    assert str(caught.value) == reason


@pytest.mark.parametrize("path", ["/zipped", "/chunks"])
async def test_what_is_larger_than_the_limit_is_refused_decoded_or_not(
    server: TestServer, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(server.make_url(path))
    assert await load_document(url) is None
    monkeypatch.setattr(loading, "MAX_BYTES", 99_999)
    with pytest.raises(DescriptionError, match=r"^larger than"):
        await load_document(url)


async def test_a_slow_answer_is_given_up(
    server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "FETCH_SECONDS", 0.05)
    url = str(server.make_url("/hang"))
    with pytest.raises(DescriptionError, match=r"^no complete answer in 0.05 s$"):
        await load_document(url)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nopenapi: 3",
            "no valid HTTP answer",
            id="cut short",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "no valid HTTP answer",
            id="no chunk size",
        ),
        pytest.param(b"SSH-2.0-x\r\n", "no valid HTTP answer", id="another protocol"),
        pytest.param(b"", "no valid HTTP answer", id="nothing"),
    ],
)
async def test_a_server_that_breaks_http_is_one_clear_line(answer: bytes, reason: str) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as liar:
        url = f"http://127.0.0.1:{liar.sockets[0].getsockname()[1]}/x"
        with pytest.raises(DescriptionError, match=f"^{reason}$"):
            await load_document(url)


async def test_a_refused_connection_is_one_clear_line() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}/openapi.json"
        with pytest.raises(DescriptionError, match=r"^cannot be reached$"):
            await load_document(url)


async def test_secrets_in_a_url_are_not_shown(server: TestServer) -> None:
    url = server.make_url("/status/404").with_user("user").with_password("pw")
    with pytest.raises(DescriptionError) as caught:
        await load_document(str(url.with_query(token="secret")))  # noqa: S106
    assert str(caught.value) == "HTTP 404"


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("https://u:p@x.example/a?b=c#d", "https://x.example/a#d"),
        ("HTTP://x.example/a", "http://x.example/a"),
        ("specs/a.yaml", "specs/a.yaml"),
        ("http://[", "the URL"),
    ],
)
def test_a_location_is_shown_without_secrets(location: str, text: str) -> None:
    assert shown(location) == text


@pytest.mark.parametrize(
    ("location", "expected"),
    [("http://x", True), ("HTTPS://x", True), ("file:///x", False), ("httpd.yaml", False)],
)
def test_a_url_is_http(location: str, expected: bool) -> None:
    assert is_url(location) is expected


@pytest.mark.parametrize("url", ["http://[", "http://", "http://:80/x", "http://x:99999/"])
async def test_a_url_that_is_none_is_one_clear_line(url: str) -> None:
    with pytest.raises(DescriptionError):
        await load_document(url)


async def test_a_file_is_read_as_it_is_now(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(GOOD)
    assert await load_document(str(file)) == VALUE
    file.write_bytes(b"openapi: 3.0.3")
    assert await load_document(str(file)) == {"openapi": "3.0.3"}


async def test_a_missing_file_says_so(tmp_path: Path) -> None:
    file = tmp_path / "none.yaml"
    with pytest.raises(DescriptionError) as caught:
        await load_document(str(file))
    assert str(caught.value) == "No such file or directory"


async def test_a_directory_is_no_description(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match="Is a directory"):
        await load_document(str(tmp_path))


async def test_a_path_that_no_system_has_is_one_clear_line() -> None:
    with pytest.raises(DescriptionError, match="not a path"):
        await load_document("a\0b")


async def test_a_fault_in_a_file_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a: 1\na: 2")
    with pytest.raises(DescriptionError) as caught:
        await load_document(str(file))
    assert str(caught.value) == "the key 'a' stands twice at line 2, column 1"


async def test_a_file_larger_than_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "MAX_BYTES", len(GOOD))
    file = tmp_path / "a.yaml"
    file.write_bytes(GOOD)
    assert await load_document(str(file)) == VALUE
    file.write_bytes(GOOD + b"\n")
    with pytest.raises(DescriptionError, match=r"^is larger than"):
        await load_document(str(file))


async def test_a_pipe_is_no_description(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(DescriptionError, match="is no file"):
        await Source(str(tmp_path / "pipe.json")).read()
