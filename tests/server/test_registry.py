"""`/registry` and `/search` over HTTP."""

import asyncio
import json
import threading
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import jsonschema_rs
import pytest
from yarl import URL

from gateway.catalog import View
from gateway.config import ApiConfig, ServerConfig
from gateway.server import registry
from gateway.upstreams import ProxyReach
from tests.support.echo_upstream import EchoUpstream
from tests.support.plain_http import problem_of
from tests.support.serving import Served, serving, write_spec
from tests.support.tools import DONE

PROTOCOL = Path(__file__).parents[1] / "support" / "ocp-tool.schema.json"
PATHS = {"/a": {"get": {"operationId": "a", "responses": DONE}}}
OTHER = {"/a": {"get": {"operationId": "b", "responses": DONE}}}


async def fetch(http: aiohttp.ClientSession, url: str) -> object:
    async with http.get(url) as response:
        assert (response.status, response.content_type) == (200, "application/json")
        return json.loads(await response.read())


async def test_the_list_is_an_array_of_apis(served: Served, http: aiohttp.ClientSession) -> None:
    assert await fetch(http, f"{served.url}/registry") == [
        {
            "name": name,
            "display_name": "shop",  # the title of the description that both have
            "description": "",
            "base_url": f"{served.url}/apis/{name}",
        }
        for name in ("shop", "wide")
    ]


async def test_an_entry_has_the_api_and_its_tools_by_their_own_names(
    served: Served, http: aiohttp.ClientSession
) -> None:
    entry = await fetch(http, f"{served.url}/registry/shop")
    assert isinstance(entry, dict)
    tools = entry.pop("tools")
    assert entry == (await fetch(http, f"{served.url}/registry"))[0]  # type: ignore[index]
    assert [tool["name"] for tool in tools] == ["addItem", "getItem", "listItems", "sendForm"]
    validator = jsonschema_rs.Draft7Validator(json.loads(PROTOCOL.read_text()), offline=True)
    for tool in tools:
        validator.validate(tool)


async def test_what_an_entry_says_can_be_done(
    served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    entry = await fetch(http, f"{served.url}/registry/shop")
    assert isinstance(entry, dict)
    (tool,) = (tool for tool in entry["tools"] if tool["name"] == "getItem")
    url = entry["base_url"] + tool["path"].replace("{id}", "7")
    async with http.request(tool["method"], url) as response:
        assert response.status == 200
    assert [seen.target for seen in echo.seen] == ["/v1/items/7"]


async def test_the_public_url_is_where_agents_are_sent(
    spec: str, http: aiohttp.ClientSession
) -> None:
    shop = ApiConfig(name="shop", spec=spec, base_url="http://127.0.0.1:1")
    server = ServerConfig(public_url="https://gw.example/ocp")
    async with serving(shop, server=server) as made:
        entry = await fetch(http, f"{made.url}/registry/shop")
        assert isinstance(entry, dict)
        assert entry["base_url"] == "https://gw.example/ocp/apis/shop"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?q=SHO&per_page=10", ["shop", "wide"]),
        ("?q=wide", ["wide"]),
        ("?q=nothing", []),
        ("?q=", ["shop", "wide"]),
        ("", ["shop", "wide"]),
        ("?per_page=1", ["shop"]),
        ("?per_page=999999999", ["shop", "wide"]),
        ("?q=wide&page=1&category=all", ["wide"]),
    ],
)
async def test_a_search_answers_an_object_of_results(
    served: Served, http: aiohttp.ClientSession, query: str, names: list[str]
) -> None:
    found = await fetch(http, f"{served.url}/search{query}")
    assert isinstance(found, dict)
    assert list(found) == ["results"]
    assert [result["name"] for result in found["results"]] == names


async def test_a_search_shows_at_most_a_hundred(
    spec: str, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "MAX_PER_PAGE", 1)
    apis = [ApiConfig(name=name, spec=spec, base_url="http://127.0.0.1:1") for name in "ab"]
    async with serving(*apis) as made:
        found = await fetch(http, f"{made.url}/search?per_page=5")
        assert isinstance(found, dict)
        assert [result["name"] for result in found["results"]] == ["a"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/registry/nope", 404, "unknown_api"),
        ("/registry/Shop", 404, "unknown_api"),
        ("/registry/..%2fetc", 404, "unknown_api"),
        ("/search?per_page=0", 400, "bad_request"),
        ("/search?per_page=many", 400, "bad_request"),
    ],
)
async def test_what_is_not_there_is_said_to_be_so(
    served: Served, http: aiohttp.ClientSession, path: str, status: int, code: str
) -> None:
    async with http.get(URL(f"{served.url}{path}", encoded=True)) as response:
        problem = await problem_of(response)
        assert (response.status, problem["code"]) == (status, code)


async def test_an_api_that_is_not_loaded_is_not_listed_and_answers_503(
    spec: str, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    shop = ApiConfig(name="shop", spec=spec, base_url="http://127.0.0.1:1")
    late = ApiConfig(name="late", spec=str(tmp_path / "none"), base_url="http://127.0.0.1:1")
    async with serving(shop, late) as made:
        assert len(await fetch(http, f"{made.url}/registry")) == 1  # type: ignore[arg-type]
        async with http.get(f"{made.url}/registry/late") as response:
            problem = await problem_of(response)
            assert (response.status, problem["code"]) == (503, "api_unavailable")


async def test_an_api_that_is_not_proxied_is_none_that_agents_can_reach(
    spec: str, http: aiohttp.ClientSession
) -> None:
    off = ApiConfig(name="off", spec=spec, base_url="http://127.0.0.1:1", proxy=ProxyReach.OFF)
    async with serving(off) as made:
        assert await fetch(http, f"{made.url}/registry") == []
        assert await fetch(http, f"{made.url}/search?q=off") == {"results": []}
        async with http.get(f"{made.url}/registry/off") as response:
            assert (response.status, (await problem_of(response))["code"]) == (404, "unknown_api")


@pytest.mark.parametrize("path", ["/registry", "/registry/shop", "/search?q=shop"])
async def test_every_answer_has_a_tag_that_answers_304_and_a_head(
    served: Served, http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(f"{served.url}{path}") as response:
        tag, length = response.headers["ETag"], response.headers["Content-Length"]
    async with http.get(f"{served.url}{path}", headers={"If-None-Match": tag}) as response:
        assert (response.status, await response.read()) == (304, b"")
        assert response.headers["ETag"] == tag
    async with http.head(f"{served.url}{path}") as response:
        assert (response.status, response.headers["ETag"]) == (200, tag)
        assert response.headers["Content-Length"] == length


async def test_another_catalog_and_another_address_have_another_tag(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async def tag(paths: Mapping[str, object], public_url: str | None) -> str:
        spec = write_spec(tmp_path, paths)
        shop = ApiConfig(name="shop", spec=spec, base_url="http://127.0.0.1:1")
        async with (
            serving(shop, server=ServerConfig(public_url=public_url)) as made,
            http.get(f"{made.url}/registry/shop") as response,
        ):
            return response.headers["ETag"]

    assert await tag(PATHS, "http://a.example") == await tag(PATHS, "http://a.example")
    assert await tag(PATHS, "http://a.example") != await tag(PATHS, "http://b.example")
    assert await tag(PATHS, "http://a.example") != await tag(OTHER, "http://a.example")


async def test_tools_are_encoded_once_while_others_are_served(
    served: Served, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    others_were_served, made = threading.Event(), list[View]()

    def slow(view: View) -> bytes:
        assert others_were_served.wait(30)
        made.append(view)
        return b"[]"

    monkeypatch.setattr(registry, "_encode_tools", slow)
    async with asyncio.TaskGroup() as group:
        asks = [group.create_task(fetch(http, f"{served.url}/registry/shop")) for _ in "ab"]
        await fetch(http, f"{served.url}/healthz")
        others_were_served.set()
    assert len(made) == 1
    assert asks[0].result() == asks[1].result()


async def test_s42_behind_a_trusted_proxy_addresses_are_the_ones_that_its_callers_use(
    spec: str, http: aiohttp.ClientSession
) -> None:
    shop = ApiConfig(name="shop", spec=spec, base_url="http://127.0.0.1:1")
    claims = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "localhost:8443",
        "X-Forwarded-Prefix": "/gw",
    }
    for network, url in (
        ("127.0.0.1/32", "https://localhost:8443/gw/apis/shop"),
        ("10.0.0.0/8", None),
    ):
        server = ServerConfig(trusted_proxies=(ip_network(network),))
        async with (
            serving(shop, server=server) as made,
            http.get(f"{made.url}/registry/shop", headers=claims) as answer,
        ):
            entry = json.loads(await answer.read())
            assert entry["base_url"] == (url or f"{made.url}/apis/shop")
