"""Keys at the door: what is open, what needs one, and where a key never arrives."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from gateway.config import ApiConfig
from gateway.config.model import ApiKey
from gateway.config.secret import read_secret
from tests.support.echo_upstream import EchoUpstream
from tests.support.serving import Served, serving, write_spec

KEY = "k-0123456789abcdef"
CALLER = {"X-API-Key": KEY}


@pytest.fixture
def upstream() -> Iterator[EchoUpstream]:
    with EchoUpstream() as upstream:
        yield upstream


@pytest.fixture
async def served(tmp_path: Path, upstream: EchoUpstream) -> AsyncIterator[Served]:
    spec = write_spec(tmp_path, {"/a": {"get": {"operationId": "getA", "responses": {}}}})
    api = ApiConfig(
        name="shop",
        spec=spec,
        base_url=upstream.url,
        forward_headers=frozenset({"authorization", "x-api-key"}),
    )
    keys = (ApiKey(id="ci", key=read_secret(KEY, {})),)
    async with serving(api, api_keys=keys) as served:
        yield served


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
async def test_s92_what_holds_no_data_is_open(served: Served, path: str) -> None:
    async with aiohttp.request("GET", served.url + path) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tools"),
        ("GET", "/tools/getA"),
        ("POST", "/tools/getA"),
        ("GET", "/apis"),
        ("GET", "/apis/shop/a"),
        ("GET", "/apis/nothing/a"),
        ("GET", "/contexts"),
        ("GET", "/registry"),
        ("GET", "/search?q=a"),
        ("POST", "/mcp"),
        ("GET", "/mcp/shop"),
        ("GET", "/results/0"),
        ("GET", "/nowhere"),
        ("GET", "/%2fhealthz"),
    ],
)
async def test_s92_everything_else_needs_a_key(served: Served, method: str, path: str) -> None:
    async with aiohttp.request(method, served.url + path) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert (await answer.json())["code"] == "unauthorized"


async def test_a_call_with_a_key_arrives_without_it(served: Served, upstream: EchoUpstream) -> None:
    for headers in (CALLER, {"Authorization": f"Bearer {KEY}"}):
        async with aiohttp.request("GET", served.url + "/apis/shop/a", headers=headers) as answer:
            assert answer.status == 200
        async with aiohttp.request(
            "POST", served.url + "/tools/getA", json={}, headers=headers
        ) as answer:
            assert answer.status == 200
    assert len(upstream.seen) == 4
    assert KEY not in repr(upstream.seen)


async def test_who_has_a_key_has_contexts_of_its_own(served: Served) -> None:
    async with aiohttp.request("POST", served.url + "/contexts", json={}, headers=CALLER) as made:
        assert made.status == 201
    async with aiohttp.request("GET", served.url + "/contexts", headers=CALLER) as listed:
        assert len((await listed.json())["contexts"]) == 1
