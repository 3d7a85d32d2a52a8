"""Descriptions that change while the gateway runs, in this process: what serves, what is said."""

import asyncio
import gc
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.catalog import ApiCatalog
from gateway.config import ApiConfig, Config
from gateway.engine import Gateway
from gateway.errors import ApiUnavailable
from gateway.sources import Opened, Snapshot, watching
from gateway.upstreams import Upstream
from gateway.wiring import reloading
from gateway.wiring.loading import Built, build_api, keep_copy, load_apis
from gateway.wiring.observing import open_observatory
from gateway.wiring.parts import open_gateway
from gateway.wiring.preparing import Shelf
from gateway.wiring.reloading import Reloading
from gateway.wiring.storing import make_guarded_stores
from tests.support.serving import MEMORY, write_spec
from tests.support.tools import DONE

PATIENCE = 30
HERE = {"servers": [{"url": "http://127.0.0.1:9"}]}


def paths(*names: str) -> dict[str, object]:
    return {f"/{name}": {"get": {"operationId": name, "responses": DONE}} for name in names}


def text(*names: str, server: str = "http://127.0.0.1:9") -> str:
    info = {"title": "shop", "version": "1"}
    return json.dumps(
        {"openapi": "3.1.0", "info": info, "paths": paths(*names), "servers": [{"url": server}]}
    )


def write(path: Path, data: str) -> None:
    path.write_text(data)


def remove(path: Path) -> None:
    path.unlink()


class Live:
    """A gateway whose descriptions are kept current."""

    def __init__(self, gateway: Gateway, asked: asyncio.Event) -> None:
        self.gateway = gateway
        self.asked = asked

    def tools(self, api: str = "shop") -> list[str]:
        try:
            return list(self.gateway.view(api).tools)
        except ApiUnavailable:
            return []

    def fault(self, api: str = "shop") -> str | None:
        return self.gateway.freshness[api].fault

    @property
    def shop(self) -> ApiCatalog:
        return self.gateway.catalog.apis["shop"]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 - many things may bring it about
                await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(reloading, "RETRY_SECONDS", (0.02,))
    yield
    # What leaks in another test is to be found there.
    gc.unfreeze()


@asynccontextmanager
async def kept(*apis: ApiConfig, cache: Path | None = None) -> AsyncIterator[Live]:
    config = Config(apis=apis, store=MEMORY, cache=cache)
    loaded = await load_apis(config)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    seconds = iter(range(1_000_000))
    asked = asyncio.Event()
    store, _ = make_guarded_stores(config.store)
    async with (
        open_gateway(config, loaded, store, open_observatory()) as gateway,
        asyncio.TaskGroup() as group,
    ):
        current = Reloading(
            gateway,
            loaded,
            now=lambda: start + timedelta(seconds=next(seconds)),
            fraction=lambda: 0.5,
        )
        task = group.create_task(current.run(asked))
        yield Live(gateway, asked)
        task.cancel()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.json"
    write(path, text("one"))
    return path


def api(spec: object, name: str | None = "shop", **rest: object) -> ApiConfig:
    return replace(ApiConfig(name=name, spec=str(spec)), **rest)  # type: ignore[arg-type]


async def test_a_changed_file_is_live_and_the_other_apis_are_untouched(
    file: Path, tmp_path: Path
) -> None:
    other = write_spec(tmp_path, paths("else"), name="other", **HERE)
    async with kept(api(file), api(other, "other")) as live:
        untouched, before = live.gateway.catalog.apis["other"], live.gateway.catalog
        first = live.gateway.freshness["shop"].loaded_at
        write(file, text("one", "two"))
        await live.until(lambda: live.tools() == ["one", "two"])
        assert live.gateway.catalog is not before
        assert live.gateway.catalog.apis["other"] is untouched
        await live.until(lambda: live.gateway.freshness["shop"].loaded_at != first)
        assert live.fault() is None
        assert list(live.gateway.view().tools) == ["else", "one", "two"]


async def looked_again(live: Live, marker: Path) -> None:
    """Waits until a change made after others has gone through, so that they have, too."""
    write(marker, text("marked"))
    await live.until(lambda: live.tools("marker") == ["marked"])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(Path.touch, id="touched"),
        pytest.param(lambda path: path.write_text(path.read_text()), id="written anew"),
        pytest.param(
            lambda path: (
                path.with_name("n").write_text(path.read_text())
                and path.with_name("n").rename(path)
            ),
            id="replaced",
        ),
    ],
)
async def test_unchanged_content_changes_nothing(
    file: Path, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    marker = tmp_path / "marker.json"
    write(marker, text("x"))
    async with kept(api(file), api(marker, "marker")) as live:
        before = live.shop
        change(file)
        live.asked.set()
        await looked_again(live, marker)
        assert live.shop is before
        assert live.fault() is None


BAD = [
    pytest.param("{", "not valid JSON", id="broken"),
    pytest.param("", "", id="empty"),
    pytest.param(text("two")[:-30], "not valid JSON", id="truncated"),
    pytest.param('{"swagger": "1.2"}', "", id="another version"),
    pytest.param(text("two", server="http://127.0.0.1:10"), "lead elsewhere", id="another origin"),
    pytest.param(text("two", server="https://127.0.0.1:9"), "lead elsewhere", id="another scheme"),
    pytest.param(text("two", server="/v1"), "no absolute server", id="no origin"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD)
async def test_a_bad_text_leaves_the_old_one_serving(
    file: Path, bad: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with kept(api(file)) as live:
        before, upstream = live.shop, live.gateway.upstreams["shop"]
        for _ in range(2):
            write(file, bad)
            await live.until(lambda: live.fault() is not None)
            assert reason in str(live.fault())
            assert str(file) not in str(live.fault())
            assert live.shop is before
            assert live.gateway.upstreams["shop"] is upstream

            write(file, text("one"))
            await live.until(lambda: live.fault() is None)
            # The same text as the one that serves: nothing is built anew.
            assert live.shop is before
    said = [r.getMessage() for r in caplog.records if "not loaded" in r.getMessage()]
    assert len(said) == 2
    assert all(str(file) in line and "its old one serves" in line for line in said)


async def test_a_standing_fault_is_logged_once(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with kept(api(file)) as live:
        remove(file)
        await live.until(lambda: live.fault() == "No such file or directory")
        live.asked.set()
        await live.until(lambda: not live.asked.is_set())
        assert live.tools() == ["one"]
        write(file, text("two"))
        await live.until(lambda: live.tools() == ["two"])
        await live.until(lambda: live.fault() is None)
    assert [r.levelname for r in caplog.records].count("ERROR") == 1


async def test_a_path_below_the_origin_may_change(file: Path) -> None:
    async with kept(api(file)) as live:
        write(file, text("one", server="http://127.0.0.1:9/v2"))
        await live.until(lambda: live.gateway.upstreams["shop"].base_path == "/v2")


async def test_what_servers_say_is_nothing_to_an_api_with_a_base_url(file: Path) -> None:
    async with kept(api(file, base_url="http://127.0.0.1:8")) as live:
        write(file, text("two", server="http://127.0.0.1:10"))
        await live.until(lambda: live.tools() == ["two"])
        assert live.gateway.upstreams["shop"].origin == "http://127.0.0.1:8"


async def test_a_configmap_swap_is_live(tmp_path: Path) -> None:
    for number, names in enumerate((["one"], ["two"])):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "shop.json").write_text(text(*names))
    (tmp_path / "..data").symlink_to("..0")
    (tmp_path / "shop.json").symlink_to("..data/shop.json")
    async with kept(api(tmp_path / "shop.json")) as live:
        (tmp_path / "..tmp").symlink_to("..1")
        (tmp_path / "..tmp").rename(tmp_path / "..data")
        await live.until(lambda: live.tools() == ["two"])


async def test_never_means_never_until_it_is_asked_for(file: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker.json"
    write(marker, text("x"))
    async with kept(api(file, reload_seconds=0), api(marker, "marker")) as live:
        write(file, text("two"))
        await looked_again(live, marker)
        assert live.tools() == ["one"]
        live.asked.set()
        await live.until(lambda: live.tools() == ["two"])


@pytest.mark.parametrize("seconds", [0, 60])
async def test_an_api_missing_at_start_is_tried_until_it_is_there(
    file: Path, tmp_path: Path, seconds: int
) -> None:
    late = tmp_path / "late.json"
    async with kept(api(file), api(late, "late", reload_seconds=seconds)) as live:
        assert live.gateway.missing == {"late"}
        assert live.fault("late") == "No such file or directory"
        write(late, "{")
        await live.until(lambda: "not valid JSON" in str(live.fault("late")))
        assert live.tools("late") == []
        write(late, text("one"))
        await live.until(lambda: live.tools("late") == ["one"])
        await live.until(lambda: live.fault("late") is None)
        assert not live.gateway.missing
        assert list(live.gateway.view().tools) == ["lateOne", "shopOne"]


async def test_two_swaps_at_one_moment_are_both_kept(file: Path, tmp_path: Path) -> None:
    names = [f"api{number}" for number in range(6)]
    files = [tmp_path / f"{name}.json" for name in names]
    for path in files:
        write(path, text("old"))
    apis = [api(f, n, reload_seconds=0) for f, n in zip(files, names, strict=True)]
    async with kept(*apis) as live:
        for path in files:
            write(path, text("new"))
        live.asked.set()
        await live.until(lambda: all(live.tools(name) == ["new"] for name in names))


async def test_other_documents_and_overlays_are_part_of_it(file: Path, tmp_path: Path) -> None:
    part, overlay = tmp_path / "part.json", tmp_path / "overlay.json"

    def rename(new: str) -> str:
        action = {"target": "$.paths['/two'].get", "update": {"operationId": new}}
        return json.dumps(
            {"overlay": "1.0.0", "info": {"title": "o", "version": "1"}, "actions": [action]}
        )

    write(part, json.dumps(paths("one")["/one"]))
    whole = json.loads(text("two"))
    whole["paths"]["/one"] = {"$ref": "part.json"}
    write(file, json.dumps(whole))
    write(overlay, rename("three"))
    async with kept(api(file, overlays=(str(overlay),))) as live:
        assert live.tools() == ["one", "three"]
        write(part, json.dumps(paths("four")["/four"]))
        await live.until(lambda: live.tools() == ["four", "three"])
        write(overlay, rename("five"))
        await live.until(lambda: live.tools() == ["five", "four"])
        write(overlay, "{}")
        await live.until(lambda: "overlay 1: " in (live.fault() or ""))
        assert live.tools() == ["five", "four"]


async def test_a_mistake_in_the_program_costs_one_text_only(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def mistaken(
        api: ApiConfig, opened: Opened, digest: str, running: Upstream | None
    ) -> Built:
        assert "good" in str(opened.document.root) or 1 / 0
        return await build_api(api, opened, digest, running)

    monkeypatch.setattr(reloading, "build_api", mistaken)
    async with kept(api(file)) as live:
        write(file, text("evil"))
        await live.until(lambda: live.fault() == "unexpected failure, see the log")
        assert live.tools() == ["one"]
        write(file, text("good"))
        await live.until(lambda: live.tools() == ["good"])
    assert "ZeroDivisionError" in caplog.text


class Host:
    """A server of one description, with an ETag that a test may take away."""

    def __init__(self) -> None:
        self.body = text("one")
        self.status = 200
        self.answers: list[int] = []
        app = web.Application()
        app.router.add_get("/shop.json", self._answer)
        self.server = TestServer(app, host="127.0.0.1")

    async def _answer(self, request: web.Request) -> web.Response:
        etag = f'"{hash(self.body)}"'
        status = self.status
        if status == 200 and request.headers.get("If-None-Match") == etag:
            status = 304
        self.answers.append(status)
        return web.Response(status=status, text=self.body, headers={"ETag": etag})


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    made = Host()
    async with made.server:
        yield made


def at(host: Host) -> ApiConfig:
    # A hundredth of a second: nobody may write that, and a test need not wait for more.
    return api(host.server.make_url("/shop.json"), reload_seconds=0.01)


async def test_a_url_is_asked_again_and_taken_when_it_is_new(host: Host) -> None:
    async with kept(at(host)) as live:
        before = live.shop
        await live.until(lambda: host.answers.count(304) > 2)
        assert live.shop is before
        host.body = text("two")
        await live.until(lambda: live.tools() == ["two"])
    assert host.answers.count(200) == 2


async def test_a_view_lasts_until_the_first_of_its_urls_is_asked_again(
    host: Host, file: Path
) -> None:
    url = host.server.make_url("/shop.json")
    hourly = api(url, "hourly", reload_seconds=3_600)
    daily, never = api(url, "daily", reload_seconds=86_400), api(url, "never", reload_seconds=0)
    async with kept(hourly, daily) as live:
        assert live.gateway.ttl_ms() == 0  # before anybody knows
        await live.until(lambda: live.gateway.ttl_ms() > 0)
        assert 3_500_000 < live.gateway.ttl_ms() <= 3_600_000
        assert 86_300_000 < live.gateway.ttl_ms("daily") <= 86_400_000
        host.body = text("two")
        live.asked.set()
        await live.until(lambda: live.tools("daily") == ["two"] == live.tools("hourly"))
        assert 3_500_000 < live.gateway.ttl_ms() <= 3_600_000
    async with kept(hourly, api(file), never) as live:
        await live.until(lambda: live.gateway.ttl_ms("hourly") > 0)
        assert [live.gateway.ttl_ms(name) for name in (None, "shop", "never")] == [0, 0, 0]


async def test_a_watched_file_that_is_gone_may_be_back_at_any_moment(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reloading, "RETRY_SECONDS", (3_600.0,))
    async with kept(api(file)) as live:
        await asyncio.to_thread(file.unlink)
        await live.until(lambda: live.fault() is not None)
        assert live.gateway.ttl_ms() == 0
        write(file, text("two"))
        await live.until(lambda: live.tools() == ["two"])


async def test_a_fault_of_the_text_stands_while_the_server_says_not_modified(host: Host) -> None:
    async with kept(at(host)) as live:
        host.body = "{"
        await live.until(lambda: live.fault() is not None)
        count = len(host.answers)
        await live.until(lambda: len(host.answers) > count + 2)
        assert host.answers[-1] == 304
        assert "not valid JSON" in str(live.fault())
        host.status = 503
        await live.until(lambda: live.fault() == "HTTP 503")
        host.status = 200
        await live.until(lambda: "not valid JSON" in str(live.fault()))
        assert live.tools() == ["one"]


async def test_without_its_source_the_last_good_copy_serves_and_the_source_is_tried(
    host: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = tmp_path / "cache"
    async with kept(at(host), cache=cache):
        pass
    host.status = 500
    async with kept(at(host), cache=cache) as live:
        assert live.tools() == ["one"]
        assert live.fault() == "HTTP 500"
        assert not live.gateway.missing
        assert "its last good copy serves" in caplog.text
        before = live.shop
        host.status = 200
        await live.until(lambda: live.fault() is None)
        assert live.shop is before
        host.body = text("two")
        await live.until(lambda: live.tools() == ["two"])
    host.status = 500
    async with kept(at(host), cache=cache) as live:
        assert live.tools() == ["two"]


async def test_an_end_waits_for_the_copy_of_what_serves(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaving = asyncio.Event()

    async def slow(api: ApiConfig, shelf: Shelf | None, snapshot: Snapshot) -> None:
        await leaving.wait()
        await keep_copy(api, shelf, snapshot)

    monkeypatch.setattr(reloading, "keep_copy", slow)
    async with kept(at(host), cache=tmp_path) as live:
        host.body = text("two")
        await live.until(lambda: live.tools() == ["two"])
        # Not before the end has begun to wait.
        asyncio.get_running_loop().call_soon(leaving.set)
    assert leaving.is_set()
    host.status = 500
    async with kept(at(host), cache=tmp_path) as live:
        assert live.tools() == ["two"]


async def test_a_source_that_comes_back_with_another_origin_does_not_move_the_api(
    host: Host, tmp_path: Path
) -> None:
    async with kept(at(host), cache=tmp_path):
        pass
    host.status = 500
    async with kept(at(host), cache=tmp_path) as live:
        host.status, host.body = 200, text("two", server="http://127.0.0.1:10")
        await live.until(lambda: "lead elsewhere" in str(live.fault()))
        assert live.tools() == ["one"]


@pytest.mark.parametrize("bad", ["{", '{"swagger": "1.2"}'], ids=["broken", "another version"])
async def test_a_bad_text_at_start_gives_way_to_the_last_good_copy(
    file: Path, tmp_path: Path, bad: str
) -> None:
    cache = tmp_path / "cache"
    async with kept(api(file), cache=cache):
        pass
    write(file, bad)
    async with kept(api(file), cache=cache) as live:
        assert live.tools() == ["one"]
        assert live.fault() is not None
        write(file, text("two"))
        await live.until(lambda: live.tools() == ["two"])
        await live.until(lambda: live.fault() is None)


async def test_a_copy_knows_the_name_that_the_title_gave(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    async with kept(api(file, None), cache=cache):
        pass
    remove(file)
    async with kept(api(file, None), cache=cache) as live:
        assert live.tools("shop") == ["one"]


async def test_a_disk_that_takes_no_copy_costs_a_line_in_the_log(
    file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "cache", "in the way")
    async with kept(api(file), cache=tmp_path / "cache") as live:
        write(file, text("two"))
        await live.until(lambda: live.tools() == ["two"])
    assert "no copy of the description of shop is kept" in caplog.text
