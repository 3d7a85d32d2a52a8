"""The second start: the same catalog, neither parsed nor read, and never in place of a new one."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.catalog import ApiCatalog, Catalog, Rule, ToolOverride
from gateway.config import ApiConfig, Config
from gateway.dialects import ocp_tool
from gateway.engine import Gateway
from gateway.mcp import V2026_07_28, Server, ToolPages, describe_tool, encode_json
from gateway.sources import ListFiles, pieces, source, texts
from gateway.wiring import preparing
from gateway.wiring.listing import Lists
from gateway.wiring.loading import Loaded, load_apis
from gateway.wiring.observing import open_observatory
from gateway.wiring.parts import open_gateway
from gateway.wiring.reloading import Reloading
from gateway.wiring.storing import make_guarded_stores
from tests.support.descriptions_found import FOUND
from tests.support.serving import MEMORY, write_spec
from tests.support.tools import DONE

PATIENCE = 30
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HERE = [{"url": "http://127.0.0.1:9"}]
GET = {"tags": ["a"], "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}]}


def paths(*names: str) -> dict[str, object]:
    return {f"/{name}": {"get": {**GET, "operationId": name, "responses": DONE}} for name in names}


@pytest.fixture(autouse=True)
def rested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are at rest, however new they are."""
    monkeypatch.setattr(source, "UNRESTED_NS", -(10**18))


@pytest.fixture
def shop(tmp_path: Path) -> ApiConfig:
    return ApiConfig(name="shop", spec=write_spec(tmp_path, paths("one", "two"), servers=HERE))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def prepared(cache: Path) -> Path:
    (file,) = cache.glob("*.prepared")
    return file


def is_prepared(cache: Path) -> bool:
    return any(cache.glob("*.prepared"))


async def start(cache: Path, *apis: ApiConfig) -> list[Loaded]:
    """A start, and what is done after it."""
    loaded = list(await load_apis(Config(apis=apis, cache=cache)))
    for api in loaded:
        if api.afterwards is not None:
            await asyncio.to_thread(api.afterwards)
    return loaded


async def start_one(cache: Path, api: ApiConfig) -> Loaded:
    (loaded,) = await start(cache, api)
    return loaded


def catalog_of(loaded: Loaded) -> ApiCatalog:
    assert loaded.catalog is not None
    return loaded.catalog


def names(loaded: Loaded) -> list[str]:
    return list(catalog_of(loaded).tools)


def is_warm(loaded: Loaded) -> bool:
    """Whether no operation of it has been read."""
    return not any("operation" in vars(tool) for tool in catalog_of(loaded).tools.values())


def shown(loaded: Loaded) -> list[object]:
    """All that a start gives."""
    catalog = catalog_of(loaded)
    tools = catalog.tools.values()
    lists = (
        encode_json({"tools": [ocp_tool(tool) for tool in tools]}),
        encode_json({"tools": [describe_tool(t.name, t, V2026_07_28) for t in tools]}),
    )
    return [
        *lists,
        Catalog([catalog]).digest,
        catalog.api,
        catalog.title,
        list(catalog.tools),
        list(catalog.signatures.items()),
        catalog.problems,
        catalog.unapplied,
        # Parameters, bodies, servers, and the objects that answers are read by.
        [tool.operation for tool in tools],
        [tool.override for tool in tools],
        [{**tool.definition} for tool in tools],
        loaded.upstream,
        loaded.digest,
        loaded.source.files,
    ]


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
async def test_every_description_found_is_the_same_when_it_is_warm(path: Path, cache: Path) -> None:
    api = ApiConfig(name="api", spec=str(path), base_url="http://127.0.0.1:9")
    cold = await start_one(cache, api)
    warm = await start_one(cache, api)
    assert (is_warm(cold), is_warm(warm)) == (False, True)
    for one, other in zip(shown(cold), shown(warm), strict=True):
        assert one == other


RULES = replace(
    ApiConfig(spec=""),
    exclude=(Rule(tag="nobody"), Rule(path="/two")),
    tools={
        "one": ToolOverride(name="uno", set={"q": "x"}, timeout_seconds=2.0),
        "three": ToolOverride(hidden=True),
        "none": ToolOverride(name="nobody"),
        "four": ToolOverride(set={"q": 1}),
    },
)


async def test_what_the_configuration_says_is_the_same_when_it_is_warm(
    tmp_path: Path, cache: Path
) -> None:
    moved = {"servers": [{"url": "http://127.0.0.1:8"}], **paths("five")["/five"]}  # type: ignore[dict-item]
    spec = write_spec(
        tmp_path, paths("one", "two", "three", "four") | {"/five": moved}, servers=HERE
    )
    api = replace(RULES, spec=spec)
    cold, warm = [await start_one(cache, api) for _ in range(2)]
    assert names(warm) == ["five", "one"]
    assert is_warm(warm)
    assert len(catalog_of(warm).unapplied) == 3
    assert warm.upstream is not None
    assert list(warm.upstream.elsewhere) == [("GET", "/five")]
    assert shown(cold) == shown(warm)


async def test_overlays_and_what_they_miss_are_the_same_when_it_is_warm(
    shop: ApiConfig, tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    overlay = tmp_path / "overlay.json"
    actions = [{"target": "$.paths['/two']", "remove": True}, {"target": "$.x", "remove": True}]
    info = {"title": "less", "version": "1"}
    overlay.write_text(json.dumps({"overlay": "1.0.0", "info": info, "actions": actions}))
    api = replace(shop, overlays=(str(overlay),))
    cold, warm = [await start_one(cache, api) for _ in range(2)]
    assert (names(warm), is_warm(warm)) == (["one"], True)
    assert shown(cold) == shown(warm)
    first, second = [record.getMessage() for record in caplog.records]
    assert first == second


async def test_a_warm_start_reads_no_file_and_writes_none(
    shop: ApiConfig, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await start_one(cache, shop)
    before = prepared(cache).stat()

    async def refuse(*_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr("gateway.sources.text.read_bytes", refuse)
    assert names(await start_one(cache, shop)) == ["one", "two"]
    assert prepared(cache).stat() == before


async def test_a_file_that_was_only_touched_is_read_once_and_not_parsed(
    shop: ApiConfig, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await start_one(cache, shop)
    _written(shop, "one", "two")

    def refuse(_: bytes) -> object:
        raise AssertionError

    monkeypatch.setattr(texts, "parse", refuse)
    assert is_warm(await start_one(cache, shop))
    before = prepared(cache).stat()
    assert is_warm(await start_one(cache, shop))
    assert prepared(cache).stat() == before


async def test_a_server_that_says_nothing_is_new_sends_nothing(cache: Path) -> None:
    statuses: list[int] = []
    down = asyncio.Event()
    body = json.dumps({"openapi": "3.1.0", "info": {"title": "s"}, "paths": paths("one")})

    async def answer(request: web.Request) -> web.Response:
        known = request.headers.get("If-None-Match") == '"1"'
        statuses.append(500 if down.is_set() else 304 if known else 200)
        return web.Response(status=statuses[-1], text=body, headers={"ETag": '"1"'})

    app = web.Application()
    app.router.add_get("/s.json", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        api = ApiConfig(spec=str(server.make_url("/s.json")))
        assert [is_warm(await start_one(cache, api)) for _ in range(2)] == [False, True]
        down.set()
        alone = await start_one(cache, api)
        assert (names(alone), is_warm(alone), str(alone.fault)) == (["one"], True, "HTTP 500")
        # Then it has to say itself what it holds: who serves it does not know if that is the same.
        down.clear()
        snapshot = await alone.source.read()
        assert snapshot is not None
        assert snapshot.digest == alone.digest
    assert statuses == [200, 304, 500, 200]


Change = Callable[[ApiConfig, Path, pytest.MonkeyPatch], ApiConfig]


def _written(api: ApiConfig, *names: str) -> ApiConfig:
    write_spec(Path(api.spec).parent, paths(*names), servers=HERE)
    return api


def _damaged(api: ApiConfig, cache: Path) -> ApiConfig:
    data = prepared(cache).read_bytes()
    prepared(cache).write_bytes(data[:-1])
    return api


def _overlaid(api: ApiConfig) -> ApiConfig:
    overlay = Path(api.spec).with_name("overlay.json")
    removal = [{"target": "$.paths['/two']", "remove": True}]
    overlay.write_text(json.dumps({"overlay": "1.0.0", "actions": removal}))
    return replace(api, overlays=(str(overlay),))


def _other_program(api: ApiConfig, patch: pytest.MonkeyPatch) -> ApiConfig:
    patch.setattr(preparing, "_program", lambda: "another")
    return api


def _open_to_others(api: ApiConfig, cache: Path) -> ApiConfig:
    cache.chmod(0o777)
    return api


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param(lambda api, *_: _written(api, "six"), ["six"], id="the description"),
        pytest.param(
            lambda api, *_: replace(api, exclude=(Rule(path="/one"),)),
            ["two"],
            id="what is left out",
        ),
        pytest.param(
            lambda api, *_: replace(api, include=(Rule(path="/two"),)), ["two"], id="what is taken"
        ),
        pytest.param(
            lambda api, *_: replace(api, tools={"one": ToolOverride(hidden=True)}),
            ["two"],
            id="a tool's settings",
        ),
        pytest.param(lambda api, *_: _overlaid(api), ["one"], id="its overlays"),
        pytest.param(
            lambda api, *_: replace(api, base_url="http://127.0.0.1:7"),
            ["one", "two"],
            id="the address",
        ),
        pytest.param(
            lambda api, _, patch: _other_program(api, patch), ["one", "two"], id="the program"
        ),
        pytest.param(lambda api, cache, _: _damaged(api, cache), ["one", "two"], id="the file"),
        pytest.param(lambda api, *_: replace(api, name="other"), ["one", "two"], id="the name"),
        pytest.param(
            lambda api, cache, _: _open_to_others(api, cache), ["one", "two"], id="who may write"
        ),
    ],
)
async def test_what_is_kept_does_not_serve_when_this_has_changed(
    shop: ApiConfig,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Change,
    found: list[str],
) -> None:
    await start_one(cache, shop)
    changed = change(shop, cache, monkeypatch)
    again = (await load_apis(Config(apis=(changed,), cache=cache)))[0]
    assert (names(again), is_warm(again)) == (found, False)
    assert again.upstream is not None
    assert again.upstream.base_url == (changed.base_url or "http://127.0.0.1:9")
    assert shown(again) == shown(await start_one(cache.with_name("none"), changed))


async def test_an_api_that_is_named_by_its_title_starts_warm(shop: ApiConfig, cache: Path) -> None:
    unnamed = replace(shop, name=None)
    cold, warm = [await start_one(cache, unnamed) for _ in range(2)]
    assert (warm.name, is_warm(warm)) == ("shop", True)
    assert shown(cold) == shown(warm)


def _break(path: Path) -> None:
    path.write_text("{")


@pytest.mark.parametrize("harm", [_break, Path.unlink], ids=["broken", "gone"])
async def test_the_last_good_catalog_serves_when_the_source_does_not(
    shop: ApiConfig, cache: Path, harm: Callable[[Path], None]
) -> None:
    good = await start_one(cache, shop)
    harm(Path(shop.spec))
    again = await start_one(cache, shop)
    assert again.fault is not None
    assert is_warm(again)
    assert shown(again) == shown(good)


async def test_a_newer_copy_serves_before_what_an_older_one_came_to(
    shop: ApiConfig, cache: Path
) -> None:
    await start_one(cache, shop)
    # The text is kept, and then the process ends.
    await load_apis(Config(apis=(_written(shop, "six"),), cache=cache))
    _break(Path(shop.spec))
    assert names(await start_one(cache, shop)) == ["six"]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - many things may bring it about
            await asyncio.sleep(0.01)


@asynccontextmanager
async def kept_current(cache: Path, api: ApiConfig) -> AsyncIterator[Gateway]:
    config = Config(apis=(api,), cache=cache, store=MEMORY)
    loaded = await load_apis(config)
    store, _ = make_guarded_stores(config.store)
    async with (
        open_gateway(config, loaded, store, open_observatory()) as gateway,
        asyncio.TaskGroup() as group,
    ):
        reloading = Reloading(gateway, loaded, now=lambda: NOW, fraction=lambda: 0.5)
        task = group.create_task(reloading.run(asyncio.Event()))
        yield gateway
        task.cancel()


async def test_after_a_reload_the_next_start_is_warm(shop: ApiConfig, cache: Path) -> None:
    async with kept_current(cache, shop) as gateway:
        await until(lambda: is_prepared(cache))
        first = prepared(cache).stat()
        _written(shop, "six")
        await until(lambda: list(gateway.view().tools) == ["six"])
        await until(lambda: prepared(cache).stat() != first)
    warm = await start_one(cache, shop)
    assert (names(warm), is_warm(warm)) == (["six"], True)


async def test_a_description_that_cannot_be_kept_costs_a_line_in_the_log(
    shop: ApiConfig, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pieces, "MAX_TEXT", 10)
    async with kept_current(cache, shop) as gateway:
        await until(lambda: "will read the description of shop anew: too large" in caplog.text)
        assert list(gateway.view().tools) == ["one", "two"]
    assert not is_prepared(cache)
    (again,) = await load_apis(Config(apis=(shop,), cache=cache))
    assert not is_warm(again)


async def test_the_lists_of_the_last_process_are_sent_without_reading_a_tool(
    shop: ApiConfig, cache: Path
) -> None:
    await start_one(cache, shop)
    first, second = [await start_one(cache, shop) for _ in range(2)]
    lists = Lists(ListFiles(cache))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(lists.keep())
        sent = listed(lists, first)
        await until(lambda: any(cache.glob("*.list")))
        task.cancel()
    assert listed(Lists(ListFiles(cache)), second) == sent
    assert (is_warm(first), is_warm(second)) == (False, True)


def listed(lists: Lists, loaded: Loaded) -> bytes:
    page = ToolPages(Server(version="1"), recall=lists.recall)
    return page.page(V2026_07_28, Catalog([catalog_of(loaded)]).view())


async def test_what_is_sent_with_requests_has_no_part_in_it(shop: ApiConfig, cache: Path) -> None:
    await start_one(cache, replace(shop, headers=(("X-Key", "one"),)))
    forwarded = frozenset({"x-a", "x-b", "x-c"})
    other = await start_one(
        cache, replace(shop, headers=(("X-Key", "two"),), forward_headers=forwarded)
    )
    assert is_warm(other)
    assert other.upstream is not None
    assert (other.upstream.headers, other.upstream.forward_headers) == (
        (("X-Key", "two"),),
        forwarded,
    )
