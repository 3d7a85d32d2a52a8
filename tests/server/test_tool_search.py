"""`mcp.tools: search` and its neighbours over HTTP, with a modern client's requests."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import pytest

from gateway.catalog import ToolOverride
from gateway.config import ApiConfig, McpConfig
from tests.support.echo_upstream import EchoUpstream
from tests.support.plain_http import call_tool
from tests.support.serving import Served, serving, write_spec
from tests.support.tools import parameter

Json = dict[str, object]

OWN = ["searchTools", "describeTool", "callTool"]
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


async def post(
    http: aiohttp.ClientSession,
    url: str,
    method: str,
    params: Mapping[str, object],
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Json]:
    head = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": method,
        **({"Mcp-Name": str(params["name"])} if "name" in params else {}),
        **(headers or {}),
    }
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}
    async with http.post(url, json=message, headers=head) as response:
        value = await response.json()
        assert isinstance(value, dict)
        return response.status, value


async def names_of(http: aiohttp.ClientSession, url: str) -> list[str]:
    _, answer = await post(http, url, "tools/list", {})
    return [tool["name"] for tool in answer["result"]["tools"]]  # type: ignore[index]


async def called(
    http: aiohttp.ClientSession, url: str, name: str, arguments: Mapping[str, object]
) -> Json:
    status, answer = await post(http, url, "tools/call", {"name": name, "arguments": arguments})
    assert status == 200
    result = answer["result"]
    assert isinstance(result, dict)
    return result


def text_of(result: Json) -> str:
    content = result["content"]
    assert isinstance(content, list)
    return str(content[0]["text"])


@pytest.fixture
async def searching(echo: EchoUpstream, spec: str) -> AsyncIterator[Served]:
    shop = ApiConfig(
        name="shop",
        spec=spec,
        base_url=echo.url,
        tools={"listItems": ToolOverride(mcp_headers={"q": "Query"})},
    )
    mart = ApiConfig(name="mart", spec=spec, base_url=f"{echo.url}/mart")
    async with serving(shop, mart, mcp=McpConfig(tools="search")) as running:
        yield running


async def test_every_view_lists_the_three(searching: Served, http: aiohttp.ClientSession) -> None:
    for door in ("/mcp", "/mcp/shop"):
        assert await names_of(http, f"{searching.url}{door}") == OWN


async def test_a_model_finds_reads_and_calls(
    searching: Served, http: aiohttp.ClientSession, echo: EchoUpstream
) -> None:
    url = f"{searching.url}/mcp"
    found = await called(http, url, "searchTools", {"query": "an item by its id", "api": "mart"})
    best = found["structuredContent"]["tools"][0]  # type: ignore[index]
    assert (best["name"], best["required"]) == ("martGetItem", ["id"])
    read = await called(http, url, "describeTool", {"name": best["name"]})
    schema = read["structuredContent"]["tools"][0]["inputSchema"]  # type: ignore[index]
    assert schema["required"] == ["id"]
    result = await called(http, url, "callTool", {"name": best["name"], "arguments": {"id": 7}})
    assert result["isError"] is False
    assert echo.last.target == "/mart/items/7"
    direct = await called(http, url, best["name"], {"id": 7})
    assert [each["structuredContent"]["request_line"] for each in (direct, result)] == [  # type: ignore[index]
        "GET /mart/items/7 HTTP/1.1"
    ] * 2


async def test_a_view_of_one_api_has_its_names(
    searching: Served, http: aiohttp.ClientSession
) -> None:
    url = f"{searching.url}/mcp/shop"
    found = await called(http, url, "searchTools", {"query": "list items"})
    tools = found["structuredContent"]["tools"]  # type: ignore[index]
    assert {(tool["api"], tool["name"]) for tool in tools} >= {("shop", "listItems")}
    assert {tool["api"] for tool in tools} == {"shop"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "shopGetItm", "arguments": {}}, "- /name: there is no tool of this name; did"),
        ({"name": "shopGetItem", "arguments": {"id": "x"}}, "- /arguments/id: "),
        ({"name": "shopGetItem", "id": 7}, "- /id: "),
    ],
    ids=["unknown", "faulty", "flat"],
)
async def test_faults_are_results_that_a_model_can_act_on(
    searching: Served, http: aiohttp.ClientSession, arguments: Json, said: str
) -> None:
    result = await called(http, f"{searching.url}/mcp", "callTool", arguments)
    assert result["isError"] is True
    assert said in text_of(result)


async def test_headers_that_no_list_names_are_not_asked_for(
    searching: Served, http: aiohttp.ClientSession
) -> None:
    result = await called(http, f"{searching.url}/mcp/shop", "listItems", {"q": "x"})
    assert result["isError"] is False
    shown = await called(http, f"{searching.url}/mcp/shop", "describeTool", {"name": "listItems"})
    assert "x-mcp-header" not in json.dumps(shown)


async def test_plain_http_lists_and_calls_all(
    searching: Served, http: aiohttp.ClientSession, echo: EchoUpstream
) -> None:
    async with http.get(f"{searching.url}/tools?format=mcp") as response:
        listed = [tool["name"] for tool in (await response.json())["tools"]]
    assert listed[-3:] == OWN
    assert "shopGetItem" in listed
    arguments = {"name": "shopGetItem", "arguments": {"id": 7}}
    assert (await call_tool(http, searching.url, "callTool", arguments))["status"] == 200
    async with http.post(
        f"{searching.url}/tools/callTool?dry_run=true", json=arguments
    ) as response:
        assert (await response.json())["url"].endswith("/items/7")
    faulty = {"name": "shopGetItem", "arguments": {"id": "x"}}
    async with http.post(f"{searching.url}/tools/callTool", json=faulty) as response:
        assert response.status == 422
        assert (await response.json())["errors"][0]["pointer"] == "/arguments/id"


async def test_pages(echo: EchoUpstream, spec: str, http: aiohttp.ClientSession) -> None:
    shop = ApiConfig(name="shop", spec=spec, base_url=echo.url)
    async with serving(shop, mcp=McpConfig(page_size=3)) as running:
        url = f"{running.url}/mcp"
        _, first = await post(http, url, "tools/list", {"cursor": ""})
        cursor = first["result"]["nextCursor"]  # type: ignore[index]
        _, second = await post(http, url, "tools/list", {"cursor": cursor})
        names = [tool["name"] for page in (first, second) for tool in page["result"]["tools"]]  # type: ignore[index]
        assert names == ["addItem", "getItem", "listItems", "sendForm"]
        assert "nextCursor" not in second["result"]  # type: ignore[operator]
        for bad in ("x", 7, f"{cursor}x"):
            status, answer = await post(http, url, "tools/list", {"cursor": bad})
            assert (status, answer["error"]["code"]) == (400, -32602)  # type: ignore[index]


async def test_headers_repeat_arguments(
    echo: EchoUpstream, spec: str, http: aiohttp.ClientSession
) -> None:
    tools = {"listItems": ToolOverride(mcp_headers={"q": "Query"})}
    shop = ApiConfig(name="shop", spec=spec, base_url=echo.url, tools=tools)
    async with serving(shop) as running:
        url = f"{running.url}/mcp"
        _, listed = await post(http, url, "tools/list", {})
        (query,) = (
            tool["inputSchema"]["properties"]["q"]
            for tool in listed["result"]["tools"]  # type: ignore[index]
            if tool["name"] == "listItems"
        )
        assert query["x-mcp-header"] == "Query"
        call = {"name": "listItems", "arguments": {"q": "ü"}}
        sent = {"Mcp-Param-Query": "=?base64?w7w=?="}
        status, answer = await post(http, url, "tools/call", call, sent)
        assert (status, answer["result"]["isError"]) == (200, False)  # type: ignore[index]
        status, answer = await post(http, url, "tools/call", call)
        assert (status, answer["error"]["code"]) == (400, -32020)  # type: ignore[index]
        # What is meant for this server stays here.
        assert "mcp-param-query" not in str(echo.last.headers).lower()


async def test_every_success_fits_what_is_published(
    echo: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    answer = {"schema": {"type": "array", "items": {"type": "integer"}}}
    operation = {
        "operationId": "listNumbers",
        "parameters": [parameter("q", "query", {"type": "string"})],
        "responses": {"200": {"description": "ok", "content": {"application/json": answer}}},
    }
    spec = write_spec(tmp_path, {"/numbers": {"get": operation}})
    shop = ApiConfig(name="shop", spec=spec, base_url=echo.url)
    async with serving(shop, mcp=McpConfig(output_schemas=True)) as running:
        _, listed = await post(http, f"{running.url}/mcp", "tools/list", {})
        (tool,) = listed["result"]["tools"]  # type: ignore[index]
        assert tool["outputSchema"]["anyOf"][1]["required"] == ["result"]
        async with http.get(f"{running.url}/tools?format=mcp") as response:
            assert (await response.json())["tools"] == [tool]
        # The echo answers an object, which nobody has described.
        result = await called(http, f"{running.url}/mcp", "listNumbers", {})
        assert isinstance(result["structuredContent"], dict)
