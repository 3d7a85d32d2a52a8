"""A description read again and again: what is asked, what is sent along, what counts as news."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from gateway.errors import ConfigError, DescriptionError
from gateway.sources import Source, loading

SENT = "Sat, 21 Nov 2026 12:00:10 GMT"
LONG_BEFORE = "Sat, 21 Nov 2026 12:00:00 GMT"


class Origin:
    """A server that says `body` with `headers`, and keeps the requests that it gets."""

    def __init__(self) -> None:
        self.seen: list[web.Request] = []
        self.status = 200
        self.body = b"one"
        self.headers: dict[str, str] = {}
        self.validates = True
        self.server = TestServer(self._app(), host="127.0.0.1")

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        self.seen.append(request)
        etag = self.headers.get("ETag")
        if self.validates and etag is not None and request.headers.get("If-None-Match") == etag:
            return web.Response(status=304)
        return web.Response(status=self.status, body=self.body, headers=self.headers)

    @property
    def url(self) -> URL:
        return self.server.make_url("/openapi.json")


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    made = Origin()
    async with made.server:
        yield made


async def text(source: Source) -> bytes | None:
    snapshot = await source.read()
    if snapshot is None:
        return None
    assert snapshot.digest == sha256(snapshot.texts.root).hexdigest()
    return snapshot.texts.root


async def test_an_etag_is_asked_about_until_it_is_another(origin: Origin) -> None:
    source = Source(str(origin.url))
    origin.headers = {"ETag": '"1"'}
    assert await text(source) == b"one"
    assert await text(source) is None
    origin.headers, origin.body = {"ETag": 'W/"2"'}, b"two"
    assert await text(source) == b"two"
    assert await text(source) is None
    asked = [request.headers.get("If-None-Match") for request in origin.seen]
    assert asked == [None, '"1"', '"1"', 'W/"2"']


async def test_a_tag_that_stays_does_not_hide_another_body(origin: Origin) -> None:
    source = Source(str(origin.url))
    origin.headers = {"ETag": '"1"'}
    assert await text(source) == b"one"
    origin.validates, origin.body = False, b"two"
    assert await text(source) == b"two"


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ({"Last-Modified": LONG_BEFORE, "Date": SENT}, LONG_BEFORE),
        ({"Last-Modified": SENT, "Date": SENT}, None),
        ({"Last-Modified": "yesterday", "Date": SENT}, None),
        ({"Last-Modified": LONG_BEFORE, "Date": "today"}, None),
        ({"Last-Modified": LONG_BEFORE, "Date": SENT[:-4] + " -0000"}, None),
        ({}, None),
    ],
    ids=["old", "within the second", "no date", "no time of sending", "no zone", "nothing"],
)
async def test_a_time_is_asked_about_only_where_it_tells_one_version_from_the_next(
    origin: Origin, headers: dict[str, str], asked: str | None
) -> None:
    origin.headers = headers
    source = Source(str(origin.url))
    await source.read()
    await source.read()
    assert origin.seen[1].headers.get("If-Modified-Since") == asked


async def test_a_tag_that_cannot_be_sent_back_is_forgotten(origin: Origin) -> None:
    origin.headers = {"ETag": '"é"'}
    source = Source(str(origin.url))
    assert await text(source) == b"one"
    assert await text(source) == b"one"
    assert "If-None-Match" not in origin.seen[1].headers


async def test_a_fault_in_between_forgets_nothing(origin: Origin) -> None:
    source = Source(str(origin.url))
    origin.headers = {"ETag": '"1"'}
    await source.read()
    origin.headers, origin.status = {}, 500
    with pytest.raises(DescriptionError, match=r"^HTTP 500$"):
        await source.read()
    origin.headers, origin.status = {"ETag": '"1"'}, 200
    assert await text(source) is None


async def test_not_modified_is_no_answer_to_a_first_request(origin: Origin) -> None:
    origin.status = 304
    with pytest.raises(DescriptionError, match=r"^HTTP 304$"):
        await Source(str(origin.url)).read()


async def test_headers_are_made_for_each_request(origin: Origin) -> None:
    tokens = iter(["first", "second"])
    source = Source(str(origin.url), headers=lambda: (("Authorization", next(tokens)),))
    await source.read()
    await source.read()
    assert [r.headers["Authorization"] for r in origin.seen] == ["first", "second"]


async def test_headers_follow_redirects_within_the_origin_only(origin: Origin) -> None:
    elsewhere = Origin()
    source = Source(str(origin.url), headers=lambda: (("Authorization", "secret"),))
    async with elsewhere.server:
        origin.status, origin.headers = 302, {"Location": str(elsewhere.url)}
        with pytest.raises(DescriptionError, match=r"^redirects to another origin"):
            await source.read()
        origin.headers = {"Location": "/moved"}
        with pytest.raises(DescriptionError, match=r"^more than 3 redirects$"):
            await source.read()
    assert not elsewhere.seen
    assert {r.headers["Authorization"] for r in origin.seen} == {"secret"}


async def test_a_secret_that_is_not_there_is_a_fault_and_nothing_is_sent(origin: Origin) -> None:
    def missing() -> tuple[tuple[str, str], ...]:
        raise ConfigError("the environment variable of env:TOKEN is not set")

    with pytest.raises(DescriptionError, match="env:TOKEN"):
        await Source(str(origin.url), headers=missing).read()
    assert not origin.seen


async def test_a_secret_that_breaks_the_head_is_not_sent(origin: Origin) -> None:
    source = Source(str(origin.url), headers=lambda: (("Authorization", "a\r\nX-Evil: b"),))
    with pytest.raises(DescriptionError) as caught:
        await source.read()
    assert "Evil" not in str(caught.value)
    assert not origin.seen


async def test_a_file_is_read_as_it_is_now(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    source = Source(str(file), headers=lambda: pytest.fail("a file is sent no headers"))
    assert source.files == (file,)
    for data in (b"one", b"one", b"two"):
        file.write_bytes(data)
        assert await text(source) == data
    file.unlink()
    with pytest.raises(DescriptionError, match=r"^No such file or directory$"):
        await source.read()


@pytest.mark.parametrize(("writes", "found"), [(1, b"2"), (2, b"3"), (3, None), (9, None)])
async def test_a_text_that_is_written_while_it_is_read_is_read_again(
    tmp_path: Path, writes: int, found: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"1")
    read = loading.read_file
    newer = iter(range(2, writes + 2))

    def torn(path: Path) -> bytes:
        data = read(path)
        for number in newer:
            (tmp_path / "new").write_bytes(b"%d" % number)
            (tmp_path / "new").rename(path)
            break
        return data

    monkeypatch.setattr(loading, "read_file", torn)
    source = Source(str(file))
    if found is None:
        with pytest.raises(DescriptionError, match=r"^is being written$"):
            await source.read()
    else:
        assert await text(source) == found


def test_a_url_is_no_file() -> None:
    assert Source("HTTPS://x.example/a").files == ()


async def test_a_snapshot_does_not_show_its_text(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"private")
    assert "private" not in repr(await Source(str(tmp_path / "a")).read())


async def test_a_source_that_resumes_asks_for_news_only(origin: Origin) -> None:
    origin.headers = {"ETag": '"1"'}
    before = Source(str(origin.url))
    snapshot = await before.read()
    assert snapshot is not None
    seen = before.seen(snapshot)
    assert (seen.conditions, seen.files) == (((("If-None-Match", '"1"'),),), {})
    it = Source(str(origin.url))
    assert not await it.is_as(seen)
    it.resume(seen, None)
    assert await it.read() is None
    origin.headers, origin.body = {"ETag": '"2"'}, b"two"
    assert await text(it) == b"two"
