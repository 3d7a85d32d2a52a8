"""Pages in browsers: those on loopback that speak MCP, and those that the operator has named."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from gateway.config import ApiConfig, ServerConfig
from gateway.config.model import ApiKey
from gateway.config.secret import read_secret
from gateway.upstreams import ProxyReach
from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.mcp_core import encoded, message
from tests.support.serving import Served, serving

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


APP = "https://app.example"
KEY = "0123456789abcdef"
LISTED = ["/tools", "/tools/listItems", "/contexts", "/results/x", "/apis/wide/x", "/apis"]


@pytest.fixture
async def named(echo: EchoUpstream, spec: str) -> AsyncIterator[Served]:
    """Callers have to say who they are, and pages of APP may."""
    wide = ApiConfig(name="wide", spec=spec, base_url=echo.url, proxy=ProxyReach.ANY)
    key = ApiKey(id="page", key=read_secret("env:KEY", {"KEY": KEY}))
    server = ServerConfig(allowed_origins=(APP,))
    async with serving(wide, server=server, api_keys=(key,)) as made:
        yield made


def cors(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-")}


@pytest.mark.parametrize("path", [*LISTED, "/mcp"])
async def test_a_named_page_asks_before_it_says_who_it_is(
    named: Served, http: aiohttp.ClientSession, echo: EchoUpstream, path: str
) -> None:
    head = {**ASKED, "Origin": APP, "Access-Control-Request-Headers": "authorization"}
    async with http.options(named.url + path, headers=head) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"].split(", ")
        assert "POST" in answer.headers["Access-Control-Allow-Methods"].split(", ")
        assert int(answer.headers["Access-Control-Max-Age"]) == 600
        assert "Origin" in answer.headers.getall("Vary")
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Access-Control-Allow-Private-Network" not in answer.headers
    assert not echo.seen


async def test_a_public_page_may_ask_for_a_private_network(
    named: Served, http: aiohttp.ClientSession
) -> None:
    head = {**ASKED, "Origin": APP, "Access-Control-Request-Private-Network": "true"}
    async with http.options(f"{named.url}/tools", headers=head) as answer:
        assert answer.headers["Access-Control-Allow-Private-Network"] == "true"


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"X-API-Key": KEY}, 200)])
async def test_a_named_page_reads_answers_and_refusals(
    named: Served, http: aiohttp.ClientSession, headers: dict[str, str], status: int
) -> None:
    for path in ("/tools", "/contexts", "/apis/wide/x"):
        async with http.get(named.url + path, headers={**headers, "Origin": APP}) as answer:
            assert answer.status == status
            assert answer.headers["Access-Control-Allow-Origin"] == APP
            assert {"*", "ocp-context-id"} & set(
                answer.headers["Access-Control-Expose-Headers"].split(", ")
            )


async def test_an_apis_own_rule_is_not_the_gateways(
    named: Served, http: aiohttp.ClientSession, echo: EchoUpstream
) -> None:
    echo.answer = Answer(
        headers=(
            ("Access-Control-Allow-Origin", "*"),
            ("Access-Control-Allow-Credentials", "true"),
            ("Vary", "Accept"),
        ),
        body=b"",
    )
    key = {"X-API-Key": KEY}
    async with http.get(f"{named.url}/apis/wide/x", headers=key) as answer:
        assert not cors(answer)
        # Or a cache would hand this answer to a page that may have the other.
        assert answer.headers.getall("Vary") == ["Accept", "Origin"]
    async with http.get(f"{named.url}/apis/wide/x", headers={**key, "Origin": APP}) as answer:
        assert cors(answer) == {
            "Access-Control-Allow-Origin": APP,
            "Access-Control-Expose-Headers": "*",
        }
    async with http.get(f"{named.url}/apis/wide/x", headers={**key, "Origin": PAGE}) as answer:
        assert answer.status == 200
        assert not cors(answer)
    async with http.get(f"{named.url}/apis/wide/x", headers={**key, "Origin": EVIL}) as answer:
        assert answer.status == 403
        assert not cors(answer)


async def test_options_that_no_browser_sends_are_the_apis(
    named: Served, http: aiohttp.ClientSession, echo: EchoUpstream
) -> None:
    head = {"X-API-Key": KEY, "Origin": APP}
    async with http.options(f"{named.url}/apis/wide/x", headers=head) as answer:
        assert answer.status == 200
    assert echo.last.request_line.startswith("OPTIONS /x ")


async def test_what_has_authenticated_goes_no_further(
    named: Served, http: aiohttp.ClientSession, echo: EchoUpstream
) -> None:
    for consumed in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}):
        async with http.get(f"{named.url}/apis/wide/x", headers=consumed) as answer:
            assert answer.status == 200
        assert KEY not in repr(echo.last)
    sent = {"X-API-Key": KEY, "Authorization": "Bearer for-the-api"}
    async with http.get(f"{named.url}/apis/wide/x", headers=sent) as answer:
        assert answer.status == 200
    # Nobody has said that it is meant for the API.
    assert not echo.last.values("Authorization")
