"""`mcp.context_argument` over HTTP: lists, single tools, calls."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from gateway.catalog import Make, View
from gateway.config import ApiConfig, McpConfig
from gateway.policy import ANONYMOUS
from gateway.server.tools import ToolsEndpoint
from tests.support.echo_upstream import EchoUpstream
from tests.support.engine import publishing_stage, stage
from tests.support.plain_http import call_tool
from tests.support.serving import Served, serving

ID = "ocp-0123456789abcdef0123456789abcdef"
OWN = ["ocpContextCreate", "ocpContextGet", "ocpContextUpdate"]


@pytest.fixture
async def shop(echo: EchoUpstream, spec: str) -> AsyncIterator[Served]:
    config = ApiConfig(name="shop", spec=spec, base_url=echo.url)
    async with serving(config, mcp=McpConfig(context_argument=True)) as running:
        yield running


async def ask(http: aiohttp.ClientSession, url: str, status: int = 200) -> dict[str, object]:
    async with http.get(url) as response:
        assert response.status == status, await response.text()
        value = await response.json(content_type=None)
        assert isinstance(value, dict)
        return value


async def listed(http: aiohttp.ClientSession, url: str) -> dict[str, dict[str, object]]:
    tools = (await ask(http, url))["tools"]
    assert isinstance(tools, list)
    return {tool["name"]: tool for tool in tools}


@pytest.mark.parametrize("query", ["", "&api=shop"])
async def test_the_mcp_format_has_the_argument_and_the_tools(
    shop: Served, http: aiohttp.ClientSession, query: str
) -> None:
    tools = await listed(http, f"{shop.url}/tools?format=mcp{query}")

    assert list(tools)[-3:] == OWN
    with_argument = [name for name, tool in tools.items() if "ocpContextId" in json.dumps(tool)]
    assert with_argument == list(tools)
    assert list(await listed(http, f"{shop.url}/tools?format=ocp{query}")) == list(tools)[:-3]
    assert "ocpContextId" not in json.dumps(await ask(http, f"{shop.url}/tools?format=ocp{query}"))


async def test_without_the_setting_there_is_neither(
    served: Served, http: aiohttp.ClientSession
) -> None:
    assert "ocpContext" not in json.dumps(await ask(http, f"{served.url}/tools?format=mcp"))
    assert "ocpContext" not in json.dumps(await ask(http, f"{served.url}/tools"))
    await ask(http, f"{served.url}/tools/ocpContextGet?format=mcp", 404)


async def test_a_single_tool_is_shown_as_it_is_listed(
    shop: Served, http: aiohttp.ClientSession
) -> None:
    tools = await listed(http, f"{shop.url}/tools?format=mcp")

    shown = {n: await ask(http, f"{shop.url}/tools/{n}?format=mcp") for n in ("getItem", *OWN)}
    assert {name: one["tool"] for name, one in shown.items()} == {n: tools[n] for n in shown}
    no_source = dict.fromkeys(("api", "method", "path", "operationId"))
    assert [shown[name]["source"] for name in OWN] == [no_source] * 3
    await ask(http, f"{shop.url}/tools/ocpContextGet", 404)


async def test_the_mcp_endpoints_list_the_same(shop: Served, http: aiohttp.ClientSession) -> None:
    tools = await listed(http, f"{shop.url}/tools?format=mcp")
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    head = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/list",
    }
    ask_list = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
    for door in ("/mcp", "/mcp/shop"):
        async with http.post(f"{shop.url}{door}", json=ask_list, headers=head) as response:
            result = (await response.json())["result"]
        assert result["tools"] == list(tools.values())


async def test_a_conversation_by_argument(
    shop: Served, http: aiohttp.ClientSession, echo: EchoUpstream
) -> None:
    made = await call_tool(http, shop.url, "ocpContextCreate", {"current_goal": "count"})
    context_id = str(made["context_id"])
    assert (made["status"], made["headers"], made["isError"]) == (None, {}, False)
    called = await call_tool(http, shop.url, "getItem", {"id": 7, "ocpContextId": context_id})
    got = await call_tool(http, shop.url, "ocpContextGet", {"ocpContextId": context_id})

    assert called["context_id"] == got["context_id"] == context_id
    assert echo.seen[-1].request_line.startswith("GET /items/7 ")
    assert got["structuredContent"] == {
        **(await ask(http, f"{shop.url}/contexts/{context_id}")),
        "history": got["structuredContent"]["history"],  # type: ignore[index]
        "session": got["structuredContent"]["session"],  # type: ignore[index]
        "last_updated": got["structuredContent"]["last_updated"],  # type: ignore[index]
    }


@pytest.mark.parametrize(
    ("name", "arguments", "status"),
    [
        ("getItem", {"id": 7, "ocpContextId": "a b"}, 422),
        ("ocpContextUpdate", {"ocpContextId": ID, "history": []}, 422),
        ("ocpContextGet", {"ocpContextId": ID}, 404),
        ("ocpContextGet", {}, 404),
    ],
    ids=str,
)
async def test_refusals_are_problems(
    shop: Served,
    http: aiohttp.ClientSession,
    name: str,
    arguments: dict[str, object],
    status: int,
) -> None:
    async with http.post(f"{shop.url}/tools/{name}", json=arguments) as response:
        assert response.status == status
        assert response.content_type == "application/problem+json"


async def test_a_preview_names_the_context_of_the_argument(
    shop: Served, http: aiohttp.ClientSession
) -> None:
    url = f"{shop.url}/tools/getItem?dry_run=true"
    async with http.post(url, json={"id": 7, "ocpContextId": ID}) as response:
        preview = await response.json()

    assert preview["headers"]["OCP-Context-ID"] == ID
    assert preview["url"].endswith("/items/7")
    async with http.post(f"{shop.url}/tools/ocpContextGet?dry_run=true", json={}) as response:
        assert response.status == 400


async def test_lists_with_and_without_the_argument_are_kept_apart() -> None:
    names: list[str] = []

    def recall(of: View, name: str, make: Make) -> bytes:
        names.append(name)
        return make(of)

    plain, publishing = stage().gateway, publishing_stage().gateway
    for gateway in (plain, publishing):
        endpoint = ToolsEndpoint(
            gateway, principal_of=lambda _: ANONYMOUS, max_body_bytes=1, recall=recall
        )
        for form in ("mcp", "ocp"):
            await endpoint._list(gateway.view(), form)

    assert len(set(names)) == 3
