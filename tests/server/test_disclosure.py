"""What callers are told when something is wrong: nothing about how the gateway is made."""

import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from gateway import __version__
from gateway.config import ApiConfig
from gateway.upstreams import ProxyReach
from tests.support.serving import Served, serving, write_spec

PATHS = {
    "/items/{id}": {
        "get": {
            "operationId": "getItem",
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
            ],
            "responses": {},
        }
    }
}
JSON = {"Content-Type": "application/json"}
MADE_OF = re.compile(
    r"Traceback|File \"|\.py\b|site-packages|/home/|/tmp/|/root/|aiohttp|uvloop|Python/|CPython"
    r"|127\.0\.0\.1|localhost|memory://|sqlite|redis|Errno|Exception\b|object at 0x",
    re.IGNORECASE,
)
VERSION = re.compile(rf"\b{re.escape(__version__)}\b")


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """Its API is at a port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        spec = write_spec(tmp_path, PATHS)
        shop = ApiConfig(name="shop", spec=spec, base_url=base_url, retries=0)
        wide = ApiConfig(name="wide", spec=spec, base_url=base_url, proxy=ProxyReach.ANY, retries=0)
        late = ApiConfig(name="late", spec=str(tmp_path / "none.json"), base_url=base_url)
        async with serving(shop, wide, late) as served:
            yield served


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("GET", "/nowhere", {}, None),
        ("PUT", "/tools", {}, None),
        ("GET", "/tools?format=%00", {}, None),
        ("GET", "/tools/none", {}, None),
        ("POST", "/tools/shopGetItem", JSON, b"{"),
        ("POST", "/tools/shopGetItem", JSON, b'{"id": "x"}'),
        ("POST", "/tools/shopGetItem", JSON, b'{"id": 1}'),
        ("POST", "/tools/shopGetItem", JSON, b"[" * 100_000),
        ("POST", "/tools/shopGetItem", JSON, b"\xff\xfe"),
        ("POST", "/tools/shopGetItem", {"Content-Type": "text/plain"}, b"x"),
        ("GET", "/apis/none/x", {}, None),
        ("GET", "/apis/late/x", {}, None),
        ("GET", "/apis/shop/items/1", {}, None),
        ("GET", "/apis/wide/any", {"OCP-Session": "gzip:%%%"}, None),
        ("GET", "/apis/shop/a/%2e%2e/b", {}, None),
        ("GET", "/contexts?limit=x", {}, None),
        ("GET", "/contexts/none", {}, None),
        ("POST", "/contexts", JSON, b'{"goal": {}}'),
        ("GET", "/results/none", {}, None),
        ("GET", "/registry/none", {}, None),
        ("GET", "/search?per_page=x", {}, None),
        ("POST", "/mcp", JSON, b"{"),
        ("POST", "/mcp", JSON, b'{"jsonrpc": "2.0", "id": 1, "method": "none"}'),
        ("POST", "/mcp/none", JSON, b"{}"),
        ("GET", "/admin/debug", {}, None),
        ("GET", "/admin/pins", {}, None),
        ("GET", "/metrics", {"X-Forwarded-For": "192.0.2.1"}, None),
        ("GET", "/tools", {"Host": "evil.test"}, None),
        ("GET", "/tools", {"Origin": "https://evil.test"}, None),
        ("TRACE", "/tools", {}, None),
    ],
)  # fmt: skip
async def test_s94_a_refusal_tells_nothing_of_how_the_gateway_is_made(
    served: Served, method: str, path: str, headers: dict[str, str], body: bytes | None
) -> None:
    async with aiohttp.request(method, served.url + path, headers=headers, data=body) as answer:
        text = await answer.text()
        told = "\n".join((*(f"{k}: {v}" for k, v in answer.headers.items()), text))
    assert text
    assert MADE_OF.search(told) is None, told
    assert VERSION.search(told) is None, told
