"""Bodies of answers: bounds, selections, and what becomes of a large one."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from gateway.calls import Rest, Text, ToolResult
from gateway.catalog import Catalog, ToolOverride
from gateway.engine import ToolCall, answers
from gateway.errors import StoreUnavailable, UnknownResult, UpstreamError, UpstreamTimeout
from gateway.policy import ANONYMOUS, Principal
from gateway.stores import ResultFiles
from gateway.stores.results import _Draft
from tests.support.engine import SHOP, Answer, Stage, broken, stage

TEXT = (("Content-Type", "text/plain"),)
JSON = (("Content-Type", "application/json"),)
GZIP = (*TEXT, ("Content-Encoding", "gzip"))
OTHER = Principal(name="key:other")


@pytest.fixture
async def kept() -> AsyncIterator[ResultFiles]:
    store = ResultFiles()
    yield store
    await store.aclose()
    assert store.usage == (0, 0)


def keeping(store: ResultFiles, **changes: object) -> Stage:
    on = stage(**changes)
    on.gateway.keep_results(store, url="/results/")
    return on


def selecting(on: Stage, expression: str) -> Stage:
    """The same stage; `getItem` has this expression."""
    tools = {
        name: replace(tool, override=ToolOverride(select=expression))
        for name, tool in SHOP.tools.items()
    }
    on.gateway.catalog = Catalog([replace(SHOP, tools=tools)])
    return on


async def call(on: Stage, answer: Answer, principal: Principal = ANONYMOUS) -> ToolResult:
    on.client.answer = answer
    made = await on.gateway.call_tool(
        ToolCall(name="getItem", arguments={"id": "7"}, principal=principal)
    )
    return made.result


def texts(made: ToolResult) -> list[str]:
    return [content.text for content in made.content if isinstance(content, Text)]


def rest_of(made: ToolResult) -> Rest:
    assert made.rest is not None
    return made.rest


async def whole(on: Stage, handle: str, principal: Principal = ANONYMOUS) -> bytes:
    part = await on.gateway.read_result(principal, handle, length=10**9)
    assert part.size == len(part.data)
    return part.data


class TestWithoutAPlaceToKeep:
    async def test_reading_stops_at_the_limit(self) -> None:
        on = stage(max_response_bytes=10)
        chunks = (b"12345678", b"90abc", b"never read")
        answer = Answer(headers=TEXT, chunks=chunks, breaks=AssertionError("read on"))
        made = await call(on, answer)
        first, shown, last = texts(made)[0].split("\n")
        assert first.startswith("[Excerpt: the first 10 bytes of more than 10 bytes")
        assert shown == "1234567890"
        assert "The rest was not kept" in last
        assert made.rest is None

    async def test_s50_the_limit_holds_for_what_a_small_body_inflates_to(self) -> None:
        on = stage(max_response_bytes=1_000)
        answer = Answer(headers=GZIP, chunks=(gzip.compress(b"x" * 100_000),))
        (text,) = texts(await call(on, answer))
        assert text.startswith("[Excerpt: the first 1,000 bytes of more than 1,000 bytes")

    async def test_nothing_can_be_read(self) -> None:
        with pytest.raises(UnknownResult):
            await stage().gateway.read_result(ANONYMOUS, "0" * 32)


@pytest.mark.parametrize("headers", [TEXT, GZIP], ids=["plain", "gzip"])
async def test_exactly_the_limit_is_no_excerpt(
    kept: ResultFiles, headers: tuple[tuple[str, str], ...]
) -> None:
    body = b"1234567890"
    chunks = (body,) if headers is TEXT else (gzip.compress(body),)
    made = await call(keeping(kept, max_response_bytes=10), Answer(headers=headers, chunks=chunks))
    assert texts(made) == ["1234567890"]
    assert kept.usage == (0, 0)


class TestALargerBody:
    async def test_is_shown_in_part_and_kept_whole(self, kept: ResultFiles) -> None:
        on = keeping(kept, max_response_bytes=10)
        chunks = (b"12345678", b"90abc", b"def" * 100_000, b"end")
        made = await call(on, Answer(headers=TEXT, chunks=chunks))
        rest = rest_of(made)
        assert (rest.start, rest.size, rest.whole) == (10, 300_016, True)
        assert len(rest.handle) == 32
        first, shown, last = texts(made)[0].split("\n")
        assert first.startswith("[Excerpt: the first 10 bytes of 300,016 bytes")
        assert shown == "1234567890"
        assert f"GET /results/{rest.handle} " in last
        part = await on.gateway.read_result(ANONYMOUS, rest.handle, start=10, length=6)
        assert (part.data, part.start, part.media_type) == (b"abcdef", 10, "text/plain")
        assert await whole(on, rest.handle) == b"".join(chunks)

    async def test_is_kept_without_its_coding(self, kept: ResultFiles) -> None:
        on = keeping(kept, max_response_bytes=1_000)
        body = b"0123456789" * 400_000
        made = await call(on, Answer(headers=GZIP, chunks=(gzip.compress(body),)))
        assert await whole(on, rest_of(made).handle) == body

    async def test_belongs_to_its_caller(self, kept: ResultFiles) -> None:
        on = keeping(kept, max_response_bytes=10)
        made = await call(on, Answer(headers=TEXT, chunks=(b"x" * 20,)))
        with pytest.raises(UnknownResult):
            await on.gateway.read_result(OTHER, rest_of(made).handle)

    async def test_that_is_no_text_is_left_out_and_kept(self, kept: ResultFiles) -> None:
        on = keeping(kept, max_response_bytes=10)
        body = bytes(range(256))
        headers = (("Content-Type", "image/png"),)
        made = await call(on, Answer(headers=headers, chunks=(body,)))
        assert rest_of(made).start == 0
        assert await whole(on, rest_of(made).handle) == body

    @pytest.mark.parametrize(
        ("field", "media_type"),
        [
            ("text/csv; charset=latin-1", "text/csv; charset=latin-1"),
            ("text/plain\x80", "application/octet-stream"),
            ("text", "application/octet-stream"),
        ],
    )
    async def test_keeps_a_type_that_can_be_sent(
        self, kept: ResultFiles, field: str, media_type: str
    ) -> None:
        on = keeping(kept, max_response_bytes=10)
        made = await call(on, Answer(headers=(("Content-Type", field),), chunks=(b"x" * 20,)))
        part = await on.gateway.read_result(ANONYMOUS, rest_of(made).handle)
        assert (part.media_type, part.data) == (media_type, b"")

    async def test_is_kept_up_to_a_bound(
        self, kept: ResultFiles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(answers, "KEPT_BYTES", 25)
        on = keeping(kept, max_response_bytes=10)
        chunks = (b"x" * 20, b"y" * 20, b"never read")
        answer = Answer(headers=TEXT, chunks=chunks, breaks=AssertionError("read on"))
        made = await call(on, answer)
        assert (rest_of(made).size, rest_of(made).whole) == (25, False)
        assert "up to byte 24 (it is larger" in texts(made)[0]
        assert await whole(on, rest_of(made).handle) == b"x" * 20 + b"y" * 5

    @pytest.mark.parametrize("packed", [b"", b"\x00\x00\x00\xff\xff" * 20], ids=["none", "blocks"])
    async def test_a_coding_that_makes_nothing_of_much_is_left(
        self, kept: ResultFiles, monkeypatch: pytest.MonkeyPatch, packed: bytes
    ) -> None:
        monkeypatch.setattr(answers, "KEPT_BYTES", 50)
        on = keeping(kept, max_response_bytes=10)
        headers = (*TEXT, ("Content-Encoding", "deflate"))
        endless = (b"\x78\x01", packed, packed, packed)
        answer = Answer(headers=headers, chunks=endless, breaks=broken(UpstreamTimeout))
        made = await call(on, answer)
        assert made.is_error is (packed == b"")
        assert ("of more than 0 bytes" in texts(made)[0]) is (packed != b"")
        assert kept.usage == (0, 0)


class TestABodyThatBreaksOff:
    @pytest.mark.parametrize("error", [UpstreamTimeout, UpstreamError])
    async def test_after_the_limit_is_an_excerpt_of_what_came(
        self, kept: ResultFiles, error: type[UpstreamError]
    ) -> None:
        on = keeping(kept, max_response_bytes=10)
        answer = Answer(headers=TEXT, chunks=(b"x" * 20,), breaks=broken(error))
        made = await call(on, answer)
        assert not made.is_error
        assert (rest_of(made).size, rest_of(made).whole) == (20, False)
        assert "broke off" in texts(made)[0]

    async def test_within_a_coding_counts_as_broken_off(self, kept: ResultFiles) -> None:
        on = keeping(kept, max_response_bytes=10)
        packed = gzip.compress(bytes(range(256)) * 10)
        made = await call(on, Answer(headers=GZIP, chunks=(packed[:-9],)))
        assert not rest_of(made).whole

    async def test_before_the_limit_is_a_failure(self, kept: ResultFiles) -> None:
        on = keeping(kept, max_response_bytes=10)
        made = await call(on, Answer(headers=TEXT, chunks=(b"x",), breaks=broken(UpstreamError)))
        assert (made.is_error, made.status, made.rest) == (True, 200, None)

    @pytest.mark.parametrize(
        ("headers", "chunk"), [(GZIP, b"no gzip"), ((("Content-Encoding", "br"),), b"x")]
    )
    async def test_that_cannot_be_decoded_is_an_error(
        self, kept: ResultFiles, headers: tuple[tuple[str, str], ...], chunk: bytes
    ) -> None:
        made = await call(keeping(kept), Answer(headers=headers, chunks=(chunk,)))
        assert (made.is_error, made.status) == (True, 200)
        assert "coding" in texts(made)[0]

    async def test_by_cancellation_leaves_nothing(self, kept: ResultFiles) -> None:
        on = keeping(kept, max_response_bytes=10)
        stalls = asyncio.Event()
        answer = Answer(headers=TEXT, chunks=(b"x" * 20,), stalls=stalls)
        task = asyncio.ensure_future(call(on, answer))
        await stalls.wait()
        assert kept.usage == (1, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert kept.usage == (0, 0)


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_of_what_is_no_success_little_is_read_and_nothing_kept(
    kept: ResultFiles, status: int
) -> None:
    on = keeping(kept, max_response_bytes=10)
    chunks = (b"x" * 70_000, b"never read")
    answer = Answer(
        status=status,
        headers=(*TEXT, ("Location", "/x")),
        chunks=chunks,
        breaks=AssertionError("read on"),
    )
    made = await call(on, answer)
    assert (made.is_error, made.rest) == (status >= 400, None)
    assert len(texts(made)[0]) < 3_000
    assert kept.usage == (0, 0)


class Full(ResultFiles):
    """Has room for what is appended first only."""

    def reserve(self, size: int, *, files: int = 0) -> None:
        if not files:
            raise StoreUnavailable("full")
        super().reserve(size, files=files)


class Failing(ResultFiles):
    """Takes everything and cannot keep it."""

    def draft(self) -> _Draft:
        draft = super().draft()
        draft._flush = self._fail  # type: ignore[method-assign]
        return draft

    async def _fail(self) -> None:
        raise StoreUnavailable("disk gone")


class TestNoRoom:
    @pytest.mark.parametrize("store", [Full(), Failing()], ids=["on the way", "at the end"])
    async def test_is_said(self, store: ResultFiles) -> None:
        on = keeping(store, max_response_bytes=10)
        made = await call(on, Answer(headers=TEXT, chunks=(b"x" * 20, b"y" * 20)))
        assert (made.is_error, made.rest) == (False, None)
        assert "The rest was not kept (there was no room for it)" in texts(made)[0]
        assert store.usage == (0, 0)

    async def test_costs_the_selection(self) -> None:
        on = selecting(keeping(Failing(), max_response_bytes=10), "a")
        made = await call(on, Answer(headers=JSON, chunks=(b'{"a": "0123456789"}',)))
        assert "not applied: the answer is too large" in texts(made)[0]


class TestSelect:
    async def test_shapes_what_is_shown(self, kept: ResultFiles) -> None:
        on = selecting(keeping(kept), "items[].name")
        body = json.dumps({"items": [{"name": "a", "x": 1}, {"name": "b"}]}).encode()
        headers = (("Content-Type", "application/hal+json; charset=utf-8"), ("ETag", '"1"'))
        made = await call(on, Answer(headers=headers, chunks=(body,)))
        assert texts(made) == ['["a","b"]']
        assert made.structured is not None
        assert made.structured.value == ["a", "b"]
        assert set(made.headers) == {("ETag", '"1"'), ("Content-Type", "application/json")}

    async def test_sees_all_of_a_larger_body(self, kept: ResultFiles) -> None:
        on = selecting(keeping(kept, max_response_bytes=1_000), "items[-1]")
        body = json.dumps({"items": list(range(200_000))}).encode()
        made = await call(on, Answer(headers=JSON, chunks=(body[:700], body[700:])))
        assert (texts(made), made.rest) == (["199999"], None)
        assert kept.usage == (0, 0)

    async def test_what_it_selects_may_be_large_itself(self, kept: ResultFiles) -> None:
        on = selecting(keeping(kept, max_response_bytes=10), "items")
        body = b'{"items": [1, 2, 3, 4, 5, 6], "secret": 1}'
        made = await call(on, Answer(headers=TEXT_AS_JSON, chunks=(body,)))
        part = await on.gateway.read_result(ANONYMOUS, rest_of(made).handle, length=100)
        assert (part.data, part.media_type) == (b"[1,2,3,4,5,6]", "application/json")
        assert part.whole
        assert texts(made)[0].split("\n")[1] == "[1,2,3,4,5"

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (Answer(headers=JSON, chunks=(b'{"n": 1}',)), "length() cannot take null"),
            (Answer(headers=JSON, chunks=(b"{broken",)), "the answer is no usable JSON"),
        ],
        ids=["its value", "no JSON"],
    )
    async def test_that_cannot_be_applied_shows_everything_and_says_so(
        self, kept: ResultFiles, answer: Answer, reason: str
    ) -> None:
        made = await call(selecting(keeping(kept), "length(items)"), answer)
        note, everything = texts(made)
        assert note == f"[The configured selection was not applied: {reason}.]"
        assert everything == answer.chunks[0].decode()
        assert (made.is_error, made.structured) == (False, None)

    @pytest.mark.parametrize("bound", ["KEPT_BYTES", "SELECT_BYTES"])
    async def test_of_a_body_that_is_too_large_is_not_applied(
        self, kept: ResultFiles, monkeypatch: pytest.MonkeyPatch, bound: str
    ) -> None:
        monkeypatch.setattr(answers, bound, 30)
        on = selecting(keeping(kept, max_response_bytes=10), "items")
        body = b'{"items": [1, 2, 3, 4, 5, 6, 7, 8]}'
        made = await call(on, Answer(headers=JSON, chunks=(body,)))
        note, excerpt = texts(made)
        assert "the answer is too large for it" in note
        assert excerpt.startswith("[Excerpt")
        assert made.rest is not None

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(headers=TEXT, chunks=(b"hello",)),
            Answer(status=204, headers=(), chunks=()),
            Answer(status=404, chunks=(b'{"a": 1}',)),
            Answer(status=302, headers=(*JSON, ("Location", "/x")), chunks=(b"{}",)),
        ],
        ids=["text", "nothing", "an error", "a redirect"],
    )
    async def test_is_for_json_only(self, kept: ResultFiles, answer: Answer) -> None:
        expected = await call(keeping(kept), answer)
        assert await call(selecting(keeping(kept), "a"), answer) == expected


TEXT_AS_JSON = (("Content-Type", "application/json; charset=utf-8"),)
