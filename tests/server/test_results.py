"""`GET /results/{handle}`, and the way there."""

import gzip
import json
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest

from gateway.config import ApiConfig, ServerConfig
from gateway.errors import UnknownResult
from gateway.policy import Principal
from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.plain_http import call_tool, problem_of
from tests.support.serving import Served, serving

BODY = b"0123456789" * 100_000
SIZE = len(BODY)
LIMIT = 100
BROKEN_GZIP = gzip.compress(bytes(range(256)) * 10)[:-9]


@pytest.fixture
async def shop(echo: EchoUpstream, spec: str) -> AsyncIterator[Served]:
    config = ApiConfig(name="shop", spec=spec, base_url=echo.url, max_response_bytes=LIMIT)
    async with serving(config) as running:
        yield running


async def call(
    http: aiohttp.ClientSession, url: str, echo: EchoUpstream, media_type: str = "text/html"
) -> dict[str, object]:
    echo.answer = Answer(headers=(("Content-Type", media_type),), body=BODY)
    return await call_tool(http, url, "getItem", {"id": 7})


def text_of(answer: dict[str, object]) -> str:
    content = answer["content"]
    assert isinstance(content, list)
    (block,) = content
    return str(block["text"])


@pytest.fixture
async def url(shop: Served, http: aiohttp.ClientSession, echo: EchoUpstream) -> str:
    """Of a result that was too large."""
    rest = (await call(http, shop.url, echo))["rest"]
    assert isinstance(rest, dict)
    return f"{shop.url}/results/{rest['handle']}"


async def test_an_excerpt_names_the_request_that_reads_on(
    shop: Served, http: aiohttp.ClientSession, echo: EchoUpstream
) -> None:
    answer = await call(http, shop.url, echo)
    assert (answer["isError"], answer["structuredContent"]) == (False, None)
    text = text_of(answer)
    shown = text.split("\n")[1]
    match = re.search(r"GET (\S+) with the header (Range): (\S+) ", text)
    assert match is not None
    async with http.get(f"{shop.url}{match[1]}", headers={match[2]: match[3]}) as response:
        assert response.status == 206
        shown += await response.text()
    assert shown == BODY[: LIMIT + 65_536].decode()
    assert answer["rest"] == {
        "handle": match[1].removeprefix("/results/"),
        "start": LIMIT,
        "size": SIZE,
        "complete": True,
    }


async def test_a_result_that_fits_names_nothing(
    shop: Served, http: aiohttp.ClientSession, echo: EchoUpstream
) -> None:
    echo.answer = Answer(headers=(("Content-Type", "text/plain"),), body=b"x" * LIMIT)
    assert "rest" not in await call_tool(http, shop.url, "getItem", {"id": 7})


async def test_the_address_is_the_public_one(
    echo: EchoUpstream, spec: str, http: aiohttp.ClientSession
) -> None:
    api = ApiConfig(name="shop", spec=spec, base_url=echo.url, max_response_bytes=LIMIT)
    async with serving(api, server=ServerConfig(public_url="https://gw.example/x")) as running:
        answer = await call(http, running.url, echo)
    assert "GET https://gw.example/x/results/" in json.dumps(answer["content"])


async def test_the_whole_is_sent_as_something_that_no_browser_runs(
    url: str, http: aiohttp.ClientSession
) -> None:
    async with http.get(url) as response:
        assert response.status == 200
        assert await response.read() == BODY
        head = response.headers
    assert head["Content-Type"] == "text/html"
    assert head["X-Content-Type-Options"] == "nosniff"
    assert head["Content-Disposition"] == "attachment"
    assert head["Content-Security-Policy"].startswith("sandbox")
    assert head["Cache-Control"] == "private, no-store"
    assert (head["Accept-Ranges"], head["Content-Length"]) == ("bytes", str(SIZE))
    assert "OCP-Gateway-Complete" not in head


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=5-14", 5, 14),
        ("Bytes=5-14", 5, 14),
        (f"bytes={SIZE - 3}-", SIZE - 3, SIZE - 1),
        ("bytes=-3", SIZE - 3, SIZE - 1),
        (f"bytes=-{SIZE + 1}", 0, SIZE - 1),
        (f"bytes=10-{SIZE + 10}", 10, SIZE - 1),
        ("bytes=0-999999", 0, 999_999),
    ],
)
async def test_a_range_is_answered_with_206(
    url: str, http: aiohttp.ClientSession, asked: str, first: int, last: int
) -> None:
    async with http.get(url, headers={"Range": asked}) as response:
        assert response.status == 206
        assert response.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
        assert await response.read() == BODY[first : last + 1]


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=5-2"},
        {"Range": "bytes=-"},
        {"Range": "bytes=0-1,3-4"},
        {"Range": "lines=0-1"},
        {"Range": "bytes=" + "9" * 5_000 + "-"},
        {"Range": "bytes=0-1", "If-Range": '"tag"'},
    ],
    ids=["backwards", "nothing", "two", "another unit", "digits without end", "if something"],
)
async def test_a_range_that_is_none_we_serve_means_the_whole(
    url: str, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    async with http.get(url, headers=headers) as response:
        assert (response.status, len(await response.read())) == (200, SIZE)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=-0", f"bytes={10**17}-{10**17}"])
async def test_a_range_beyond_the_end_is_416(
    url: str, http: aiohttp.ClientSession, asked: str
) -> None:
    async with http.get(url, headers={"Range": asked}) as response:
        problem = await problem_of(response)
        assert (response.status, problem["code"]) == (416, "range_not_satisfiable")
        assert response.headers["Content-Range"] == f"bytes */{SIZE}"


async def test_head_tells_the_size(url: str, http: aiohttp.ClientSession) -> None:
    async with http.head(url, headers={"Range": "bytes=0-1"}) as response:
        assert (response.status, response.headers["Content-Length"]) == (200, str(SIZE))
        assert await response.read() == b""


@pytest.mark.parametrize("handle", ["0" * 32, "x", "a%2Fb", "a" * 5_000])
async def test_an_unknown_handle_is_404(
    shop: Served, http: aiohttp.ClientSession, handle: str
) -> None:
    async with http.get(f"{shop.url}/results/{handle}") as response:
        assert (response.status, (await problem_of(response))["code"]) == (404, "unknown_result")


async def test_another_principals_is_404_too(shop: Served, http: aiohttp.ClientSession) -> None:
    store = shop.gateway._answers.store
    assert store is not None
    draft = store.draft()
    await draft.append(b"secret")
    await draft.keep(Principal(name="key:a"), "f" * 32, media_type="text/plain", whole=True)
    async with http.get(f"{shop.url}/results/{'f' * 32}") as response:
        assert (response.status, (await problem_of(response))["code"]) == (404, "unknown_result")


async def test_what_is_not_the_whole_says_so(
    shop: Served, http: aiohttp.ClientSession, echo: EchoUpstream
) -> None:
    echo.answer = Answer(
        headers=(("Content-Type", "text/plain"), ("Content-Encoding", "gzip")), body=BROKEN_GZIP
    )
    rest = (await call_tool(http, shop.url, "getItem", {"id": 7}))["rest"]
    assert isinstance(rest, dict)
    assert not rest["complete"]
    async with http.get(f"{shop.url}/results/{rest['handle']}") as response:
        assert response.headers["OCP-Gateway-Complete"] == "false"
        assert len(await response.read()) == rest["size"]


async def test_what_is_dropped_while_it_is_sent_ends_with_a_cut_connection(
    url: str, shop: Served, http: aiohttp.ClientSession
) -> None:
    read, asked = shop.gateway.read_result, 0

    async def forget(*args: object, **kwargs: object) -> object:
        nonlocal asked
        asked += 1
        if asked > 2:
            raise UnknownResult("dropped")
        return await read(*args, **kwargs)  # type: ignore[arg-type]

    shop.gateway.read_result = forget  # type: ignore[method-assign,assignment]
    async with http.get(url) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
