"""Operations whose servers are not the API's: what reaches whom, over real sockets."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from gateway.config import ApiConfig
from gateway.upstreams import OcpHeaders, ProxyReach
from tests.support.echo_upstream import EchoUpstream, Seen
from tests.support.plain_http import call_tool, problem_of
from tests.support.serving import Served, serving, write_spec

SECRETS = {"Authorization": "Bearer s3cret", "Cookie": "c=s3cret", "X-Key": "s3cret"}
# Sent by every request, named by none of the headers above.
PLAIN = {"host", "accept", "user-agent", "content-length", "content-type"}


@pytest.fixture
def canary() -> Iterator[EchoUpstream]:
    with EchoUpstream() as upstream:
        yield upstream


def spec_of(directory: Path, echo: EchoUpstream, canary: EchoUpstream) -> str:
    def at(url: str) -> dict[str, object]:
        return {"servers": [{"url": url}]}

    paths = {
        "/files": {"post": {"operationId": "upload", **at(f"{canary.url}/up")}},
        "/status/{id}": {
            "get": {"operationId": "getStatus"},
            "put": {"operationId": "putStatus", **at("/v1")},
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {}}],
            **at(f"{echo.url}/health"),
        },
        "/items": {"get": {"operationId": "listItems"}},
    }
    return write_spec(directory, paths, servers=[{"url": f"{echo.url}/v1"}])


@pytest.fixture
async def served(tmp_path: Path, echo: EchoUpstream, canary: EchoUpstream) -> AsyncIterator[Served]:
    """`shop` is where its description says, `fixed` where the operator says: at `echo`."""
    spec = spec_of(tmp_path, echo, canary)
    common = ApiConfig(
        spec=spec,
        headers=(("X-Env", "s3cret"),),
        forward_headers=frozenset({"x-key", "authorization"}),
        ocp_headers=OcpHeaders.FULL,
    )
    async with serving(
        _named(common, "shop"),
        _named(common, "wide", proxy=ProxyReach.ANY),
        _named(common, "fixed", base_url=f"{echo.url}/v1"),
    ) as running:
        yield running


def _named(api: ApiConfig, name: str, **changes: object) -> ApiConfig:
    return replace(api, name=name, **changes)  # type: ignore[arg-type]


def sent(seen: Seen) -> set[str]:
    return {name.lower() for name, _ in seen.headers} - PLAIN


async def test_a_tool_reaches_another_origin_without_a_secret(
    served: Served, http: aiohttp.ClientSession, echo: EchoUpstream, canary: EchoUpstream
) -> None:
    headers = {**SECRETS, "OCP-Context-ID": "ocp-0123456789", "OCP-Current-Goal": "win"}
    answer = await call_tool(http, served.url, "shopUpload", {}, headers)
    assert (answer["status"], answer["recorded"]) == (200, True)
    assert canary.last.request_line == "POST /up/files HTTP/1.1"
    identifiers = {"ocp-context-id", "ocp-agent-type", "ocp-version", "x-request-id"}
    assert sent(canary.last) == identifiers
    assert "s3cret" not in json.dumps(canary.last.headers)
    assert not echo.seen


@pytest.mark.parametrize(
    ("tool", "target"), [("shopGetStatus", "/health/status/7"), ("shopPutStatus", "/v1/status/7")]
)
async def test_a_tool_reaches_another_path_as_the_api_itself(
    served: Served, http: aiohttp.ClientSession, echo: EchoUpstream, tool: str, target: str
) -> None:
    await call_tool(http, served.url, tool, {"id": 7}, SECRETS)
    assert echo.last.target == target
    assert (echo.last.value("X-Env"), echo.last.value("X-Key")) == ("s3cret", "s3cret")
    assert echo.last.values("OCP-Session")


@pytest.mark.parametrize(
    ("tool", "target"), [("fixedUpload", "/v1/files"), ("fixedGetStatus", "/health/status/7")]
)
async def test_base_url_wins(
    served: Served,
    http: aiohttp.ClientSession,
    echo: EchoUpstream,
    canary: EchoUpstream,
    tool: str,
    target: str,
) -> None:
    await call_tool(http, served.url, tool, {"id": 7} if "Status" in tool else {})
    assert echo.last.target == target
    assert not canary.seen


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("shop/items?x=1", "/v1/items?x=1"),
        ("shop/status/7?x=1", "/health/status/7?x=1"),
        ("wide/status/7", "/health/status/7"),
        ("wide/other", "/v1/other"),
    ],
)
async def test_the_proxy_follows_within_the_origin(
    served: Served, http: aiohttp.ClientSession, echo: EchoUpstream, path: str, target: str
) -> None:
    async with http.get(f"{served.url}/apis/{path}") as response:
        assert response.status == 200
    assert echo.last.target == target


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
async def test_the_proxy_does_not_follow_to_another_origin(
    served: Served,
    http: aiohttp.ClientSession,
    echo: EchoUpstream,
    canary: EchoUpstream,
    method: str,
) -> None:
    url = f"{served.url}/apis/shop/files"
    async with http.request(method, url, headers=SECRETS) as response:
        problem = await problem_of(response)
        assert (response.status, problem["code"]) == (404, "unknown_operation")
        assert "another server" in str(problem["detail"])
    assert not echo.seen
    assert not canary.seen


async def test_where_every_path_is_proxied_that_path_is_the_apis_own(
    served: Served, http: aiohttp.ClientSession, echo: EchoUpstream, canary: EchoUpstream
) -> None:
    async with http.post(f"{served.url}/apis/wide/files") as response:
        assert response.status == 200
    assert echo.last.target == "/v1/files"
    assert not canary.seen
