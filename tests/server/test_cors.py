"""Pages in browsers that speak MCP."""

import aiohttp
import pytest

from tests.support.mcp_core import encoded, message
from tests.support.serving import Served

PAGE = "http://localhost:6274"
EVIL = "https://evil.example"
ASKED = {"Access-Control-Request-Method": "POST"}
INITIALIZE = encoded(message("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}}))
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("path", ["/mcp", "/mcp/wide"])
async def test_a_page_on_loopback_may_ask_and_read(
    served: Served, http: aiohttp.ClientSession, path: str
) -> None:
    wanted = "Content-Type, Mcp-Session-Id, Mcp-Param-Region, X-Other, mcp-param-a b"
    head = {**ASKED, "Origin": PAGE, "Access-Control-Request-Headers": wanted}
    async with http.options(served.url + path, headers=head) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert answer.headers["Access-Control-Allow-Methods"] == "POST, GET, DELETE"
        granted = answer.headers["Access-Control-Allow-Headers"].split(", ")
        assert {"content-type", "mcp-session-id", "mcp-param-region"} <= set(granted)
        assert not {"x-other", "mcp-param-a b"} & set(granted)
    head = {**JSON, "Origin": PAGE}
    async with http.post(served.url + path, data=INITIALIZE, headers=head) as answer:
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert answer.headers["Vary"] == "Origin"
        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"mcp-session-id", "ocp-context-id"} <= set(exposed)


async def test_a_page_from_elsewhere_may_not(served: Served, http: aiohttp.ClientSession) -> None:
    for method in ("OPTIONS", "POST"):
        head = {**ASKED, **JSON, "Origin": EVIL}
        async with http.request(method, f"{served.url}/mcp", headers=head) as answer:
            assert answer.status == 403
            assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("path", ["/tools", "/contexts", "/mcpx"])
async def test_other_paths_are_not_for_pages(
    served: Served, http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(served.url + path, headers={"Origin": PAGE}) as answer:
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


async def test_options_that_no_browser_sends_are_no_method_of_mcp(
    served: Served, http: aiohttp.ClientSession
) -> None:
    async with http.options(f"{served.url}/mcp") as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "POST"
