"""A served API with operations left out and tools changed, as callers see it."""

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from gateway.catalog import Rule, ToolOverride
from gateway.config import ApiConfig
from gateway.upstreams import ProxyReach
from tests.support.echo_upstream import EchoUpstream
from tests.support.plain_http import call_tool, problem_of
from tests.support.serving import Served, serving, write_spec
from tests.support.tools import DONE, TEXT, parameter

TOOLS = {
    "getItem": ToolOverride(name="show_item", description="One item"),
    "addItem": ToolOverride(hidden=True),
    "listItems": ToolOverride(set={"q": "only"}),
}
EXCLUDE = (Rule(path="/forms"),)


@pytest.fixture
async def chosen(echo: EchoUpstream, spec: str) -> AsyncIterator[Served]:
    shop = ApiConfig(name="shop", spec=spec, base_url=echo.url, exclude=EXCLUDE, tools=TOOLS)
    wide = ApiConfig(
        name="wide",
        spec=spec,
        base_url=echo.url,
        exclude=EXCLUDE,
        tools=TOOLS,
        proxy=ProxyReach.ANY,
    )
    async with serving(shop, wide) as running:
        yield running


async def get(http: aiohttp.ClientSession, url: str) -> tuple[int, dict[str, object]]:
    async with http.get(url) as response:
        return response.status, json.loads(await response.read())


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?api=shop&format=mcp", ["listItems", "show_item"]),
        ("?api=shop&format=ocp", ["getItem", "listItems"]),
        (
            "?format=mcp",
            ["shopListItems", "shopShow_item", "wideListItems", "wideShow_item"],
        ),
        ("?format=ocp", ["shopGetItem", "shopListItems", "wideGetItem", "wideListItems"]),
    ],
)
async def test_lists_have_the_names_of_their_format(
    chosen: Served, http: aiohttp.ClientSession, query: str, names: list[str]
) -> None:
    _, listed = await get(http, f"{chosen.url}/tools{query}")
    tools = listed["tools"]
    assert isinstance(tools, list)
    assert [tool["name"] for tool in tools] == names


@pytest.mark.parametrize("name", ["show_item", "getItem", "shopGetItem", "shopShow_item"])
async def test_one_tool_is_shown_and_called_under_each_of_its_names(
    chosen: Served, echo: EchoUpstream, http: aiohttp.ClientSession, name: str
) -> None:
    for form, shown in (("mcp", "show_item"), ("ocp", "getItem")):
        status, found = await get(http, f"{chosen.url}/tools/{name}?api=shop&format={form}")
        tool = found["tool"]
        assert isinstance(tool, dict)
        assert (status, tool["name"], tool["description"]) == (200, shown, "One item")
    answer = await call_tool(http, chosen.url, f"{name}?api=shop", {"id": 7})
    assert (answer["status"], echo.last.target) == (200, "/items/7")


async def test_fixed_arguments_are_sent(
    chosen: Served, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    await call_tool(http, chosen.url, "listItems?api=shop", {})
    assert echo.last.target == "/items?q=only"
    url = f"{chosen.url}/tools/listItems?api=shop"
    async with http.post(url, json={"q": "mine"}) as response:
        assert response.status == 422


@pytest.mark.parametrize("name", ["addItem", "shopAddItem", "sendForm", "shopSendForm"])
async def test_what_is_hidden_or_left_out_is_unknown(
    chosen: Served, http: aiohttp.ClientSession, name: str
) -> None:
    for query in ("", "?api=shop"):
        url = f"{chosen.url}/tools/{name}{query}"
        status, problem = await get(http, url)
        assert (status, problem["code"]) == (404, "unknown_tool")
        async with http.post(url, json={}) as response:
            assert response.status == 404


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/apis/shop/forms", "POST", 404),
        ("/apis/shop/forms", "OPTIONS", 404),
        ("/apis/shop/items", "POST", 405),
        ("/apis/shop/items", "GET", 200),
        ("/apis/wide/forms", "POST", 200),
        ("/apis/wide/items", "POST", 200),
    ],
)
async def test_the_proxy_reaches_it_only_where_every_path_is_reached(
    chosen: Served, http: aiohttp.ClientSession, path: str, method: str, status: int
) -> None:
    async with http.request(method, f"{chosen.url}{path}") as response:
        assert response.status == status
        if status == 405:
            assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


async def test_a_setting_without_a_tool_is_logged_and_the_rest_serves(
    spec: str, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    tools = {"getItems": ToolOverride(hidden=True), "getItem": ToolOverride(set={"nope": 1})}
    api = ApiConfig(
        name="shop",
        spec=spec,
        base_url="http://127.0.0.1:1",
        tools=tools,
        include=(Rule(tag="none"), Rule(path="/items/*")),
    )
    async with serving(api) as running:
        _, listed = await get(http, f"{running.url}/tools?format=mcp")
    assert listed["tools"] == []
    logged = [(record.levelno, record.getMessage()) for record in caplog.records]
    unknown = "there is no tool of this name; did you mean getItem?"
    lost = "GET /items/{id} skipped: configuration: tools/getItem/set/nope"
    assert logged == [
        (logging.WARNING, "shop: configuration: include/0: matches no operation"),
        (logging.ERROR, f"shop: configuration: tools/getItems: {unknown}"),
        (logging.ERROR, f"shop: {lost}: there is no argument of this name"),
    ]


USERS = {
    "/users/{id}": {
        "parameters": [parameter("id", "path", TEXT)],
        "get": {"operationId": "getUser", "responses": DONE},
        "delete": {"operationId": "deleteUser", "responses": DONE},
    },
    "/users/admin": {
        "get": {"operationId": "getAdmin", "responses": DONE},
        "delete": {"operationId": "deleteAdmin", "responses": DONE},
    },
}
HIDDEN = {name: ToolOverride(hidden=True) for name in ("getAdmin", "deleteAdmin")}


@pytest.mark.parametrize(
    ("exclude", "tools"),
    [
        pytest.param((Rule(path="/users/admin"),), {}, id="left out"),
        pytest.param((), HIDDEN, id="hidden"),
    ],
)
async def test_a_templated_sibling_does_not_open_what_is_closed(
    tmp_path: Path,
    echo: EchoUpstream,
    http: aiohttp.ClientSession,
    exclude: tuple[Rule, ...],
    tools: dict[str, ToolOverride],
) -> None:
    spec = write_spec(tmp_path, USERS)
    shop, wide = (
        ApiConfig(
            name=name, spec=spec, base_url=echo.url, exclude=exclude, tools=tools, proxy=proxy
        )
        for name, proxy in (("shop", ProxyReach.DESCRIBED), ("wide", ProxyReach.ANY))
    )
    async with serving(shop, wide) as running:
        for method in ("GET", "HEAD", "DELETE", "OPTIONS", "PATCH"):
            async with http.request(method, f"{running.url}/apis/shop/users/admin") as response:
                assert response.status == 404
                if method != "HEAD":
                    assert (await problem_of(response))["code"] == "unknown_operation"
        assert not echo.seen
        async with http.delete(f"{running.url}/apis/shop/users/7") as response:
            assert response.status == 200
        async with http.get(f"{running.url}/apis/wide/users/admin") as response:
            assert response.status == 200
        # What is closed is the operation, not the value.
        await call_tool(http, running.url, "getUser?api=shop", {"id": "admin"})
    assert [seen.target for seen in echo.seen] == ["/users/7", "/users/admin", "/users/admin"]


async def test_an_encoded_path_is_closed_as_well(
    tmp_path: Path, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    spec = write_spec(tmp_path, USERS)
    shop = ApiConfig(name="shop", spec=spec, base_url=echo.url, tools=HIDDEN)
    async with serving(shop) as running:
        url = URL(f"{running.url}/apis/shop/users/%61dmin", encoded=True)
        async with http.delete(url) as response:
            assert response.status == 404
    assert not echo.seen


async def test_fixed_arguments_do_not_bind_the_proxy(
    chosen: Served, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{chosen.url}/apis/shop/items?q=mine") as response:
        assert response.status == 200
    assert echo.last.target == "/items?q=mine"


@pytest.mark.parametrize("query", ["?api=shop", "?api=shop&dry_run=true"])
async def test_fixed_arguments_do_not_reach_another_server(
    tmp_path: Path, echo: EchoUpstream, http: aiohttp.ClientSession, query: str
) -> None:
    upload = {
        "operationId": "upload",
        "parameters": [parameter("key", "query", TEXT)],
        "responses": DONE,
    }
    with EchoUpstream() as other:
        paths = {
            "/files": {"post": {**upload, "servers": [{"url": other.url}]}},
            "/notes": {"post": {**upload, "operationId": "note", "servers": [{"url": "/v2"}]}},
            "/items": {"get": {"operationId": "listItems", "responses": DONE}},
        }
        spec = write_spec(tmp_path, paths, servers=[{"url": f"{echo.url}/v1"}])
        fixed = ToolOverride(set={"key": "s3cret"})
        shop = ApiConfig(name="shop", spec=spec, tools={"upload": fixed, "note": fixed})
        async with serving(shop) as running:
            async with http.post(f"{running.url}/tools/upload{query}", json={}) as response:
                problem = await problem_of(response)
                assert (response.status, problem["code"]) == (501, "not_available")
            async with http.post(f"{running.url}/tools/note{query}", json={}) as response:
                assert response.status == 200
        assert not other.seen
    said = str(problem["detail"])
    assert said.startswith("POST /files is on another server, where fixed arguments are not sent")
    assert "s3cret" not in said
