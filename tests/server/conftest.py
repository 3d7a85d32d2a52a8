from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from gateway.config import ApiConfig
from gateway.upstreams import ProxyReach
from tests.support.echo_upstream import EchoUpstream
from tests.support.serving import Served, serving, write_spec
from tests.support.tools import DONE, TEXT, parameter

PATHS = {
    "/items": {
        "get": {
            "operationId": "listItems",
            "parameters": [parameter("q", "query", TEXT)],
            "responses": DONE,
        },
        "post": {
            "operationId": "addItem",
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "responses": DONE,
        },
    },
    "/items/{id}": {
        "parameters": [parameter("id", "path", {"type": "integer"})],
        "get": {"operationId": "getItem", "responses": DONE},
    },
    "/forms": {
        "post": {
            "operationId": "sendForm",
            "requestBody": {
                "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
            },
            "responses": DONE,
        }
    },
}


@pytest.fixture
def echo() -> Iterator[EchoUpstream]:
    with EchoUpstream() as upstream:
        yield upstream


@pytest.fixture
def spec(tmp_path: Path) -> str:
    return write_spec(tmp_path, PATHS)


@pytest.fixture
async def served(echo: EchoUpstream, spec: str) -> AsyncIterator[Served]:
    """`shop`, described, and `wide`, of which every path is reached; both lead to `echo`."""
    shop = ApiConfig(name="shop", spec=spec, base_url=f"{echo.url}/v1", max_body_bytes=1_000)
    wide = ApiConfig(name="wide", spec=spec, base_url=echo.url, proxy=ProxyReach.ANY)
    async with serving(shop, wide) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(auto_decompress=False, timeout=timeout) as session:
        yield session
