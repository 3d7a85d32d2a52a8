"""Descriptions that change under a running gateway, as its callers see it."""

import asyncio
import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import aiohttp
import pytest

from tests.support.echo_upstream import Answer, EchoUpstream, Seen
from tests.support.gateway_process import GatewayProcess, wait_until
from tests.support.plain_http import call_tool

OLD = {"common": "/old/common", "oldOnly": "/old/only", "oldToo": "/old/too"}
NEW = {"common": "/new/common", "newOnly": "/new/only"}


def description(operations: Mapping[str, str]) -> str:
    paths = {
        path: {"get": {"operationId": name, "responses": {"200": {"description": "Done"}}}}
        for name, path in operations.items()
    }
    return json.dumps(
        {"openapi": "3.1.0", "info": {"title": "Shop", "version": "1"}, "paths": paths}
    )


class Shop:
    """The description in a file, the gateway in front of `echo`, and what it says."""

    def __init__(self, gateway: GatewayProcess, file: Path, http: aiohttp.ClientSession) -> None:
        self.gateway = gateway
        self.file = file
        self.http = http

    async def tools(self) -> frozenset[str]:
        async with self.http.get(f"{self.gateway.url}/tools") as response:
            assert response.status == 200
            body = json.loads(await response.read())
        return frozenset(tool["name"] for tool in body["tools"])

    async def state(self) -> dict[str, object]:
        async with self.http.get(f"{self.gateway.url}/apis") as response:
            (api,) = json.loads(await response.read())["apis"]
        return cast("dict[str, object]", api)

    async def until_tools(self, operations: Mapping[str, str]) -> None:
        async with asyncio.timeout(60):
            while await self.tools() != frozenset(operations):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)

    async def until_fault(self, reason: str | None) -> None:
        async with asyncio.timeout(60):
            while True:
                fault = (await self.state())["fault"]
                if fault == reason or (reason and fault and reason in str(fault)):
                    return
                await asyncio.sleep(0.02)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.json"
    path.write_text(description(OLD))
    return path


def start(file: Path, echo: EchoUpstream, directory: Path) -> GatewayProcess:
    return GatewayProcess(
        "--spec", f"shop={file}", "--base-url", f"shop={echo.url}", directory=directory
    )


def replace(path: Path, text: str) -> None:
    path.with_name("next").write_text(text)
    path.with_name("next").rename(path)


def remove(path: Path) -> None:
    path.unlink()


async def test_every_answer_is_all_old_or_all_new(
    file: Path, echo: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    with start(file, echo, tmp_path) as gateway:
        shop = Shop(gateway, file, http)
        seen: set[frozenset[str]] = set()
        paths: set[str] = set()
        over = asyncio.Event()

        async def keep_listing() -> None:
            while not over.is_set():
                seen.add(await shop.tools())

        async def keep_calling() -> None:
            while not over.is_set():
                answer = await call_tool(http, gateway.url, "common", {})
                assert answer["status"] == 200
                content = cast("dict[str, str]", answer["structuredContent"])
                paths.add(content["request_line"].split(" ")[1])

        async with asyncio.TaskGroup() as callers:
            for work in (keep_listing, keep_calling) * 3:
                callers.create_task(work())
            for operations in (NEW, OLD, NEW):
                replace(file, description(operations))
                await shop.until_tools(operations)
            over.set()
        assert seen == {frozenset(OLD), frozenset(NEW)}
        assert paths == {OLD["common"], NEW["common"]}

        async with http.post(f"{gateway.url}/tools/oldOnly", json={}) as response:
            assert response.status == 404
        async with http.get(f"{gateway.url}/apis/shop/old/only") as response:
            assert response.status == 404


async def test_what_is_broken_or_gone_leaves_the_old_one_serving(
    file: Path, echo: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    with start(file, echo, tmp_path) as gateway:
        shop = Shop(gateway, file, http)
        replace(file, description(NEW)[:-9])
        await shop.until_fault("not valid JSON")
        assert await shop.tools() == frozenset(OLD)
        async with http.get(f"{gateway.url}/readyz") as response:
            assert (response.status, (await response.json())["status"]) == (200, "degraded")

        remove(file)
        await shop.until_fault("No such file or directory")
        assert await shop.tools() == frozenset(OLD)
        state = await shop.state()
        assert (state["state"], state["tools"]) == ("ready", len(OLD))
        assert str(tmp_path) not in str(state)

        replace(file, description(NEW))
        await shop.until_tools(NEW)
        await shop.until_fault(None)
        async with http.get(f"{gateway.url}/readyz") as response:
            assert await response.json() == {"status": "ok"}
    assert gateway.log.count("not loaded, its old one serves") == 2


async def test_a_storm_of_writes_is_not_a_storm_of_reloads(
    file: Path, echo: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    with start(file, echo, tmp_path) as gateway:
        shop = Shop(gateway, file, http)

        def storm() -> None:
            for number in range(1_000):
                file.write_text(description({f"number{number}": "/x"}))
            file.write_text(description(NEW))

        await asyncio.to_thread(storm)
        await shop.until_tools(NEW)
    assert 1 <= gateway.log.count("description of shop loaded") < 20


async def test_sighup_reads_what_is_not_watched(
    file: Path, echo: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    (tmp_path / "gateway.yaml").write_text(
        f"apis: [{{name: shop, spec: {file}, base_url: '{echo.url}', reload_seconds: 0}}]"
    )
    with GatewayProcess("gateway.yaml", directory=tmp_path) as gateway:
        shop = Shop(gateway, file, http)
        replace(file, description(NEW))
        assert await shop.tools() == frozenset(OLD)
        gateway.process.send_signal(signal.SIGHUP)
        await shop.until_tools(NEW)
        assert gateway.stop() == 0


class Host:
    """A private server of descriptions: it wants a token, and answers with an ETag."""

    def __init__(self, echo: EchoUpstream) -> None:
        self.echo = echo
        self.text = description(OLD)
        self.statuses: list[int] = []
        echo.answer = self.answer

    def answer(self, seen: Seen) -> Answer:
        etag = f'"{len(self.text)}"'
        if seen.values("Authorization") != ["Bearer hunter2"]:
            return Answer(status=401, body=b"")
        known = seen.values("If-None-Match") == [etag]
        self.statuses.append(304 if known else 200)
        body = b"" if known else self.text.encode()
        return Answer(status=self.statuses[-1], headers=(("ETag", etag),), body=body)


async def test_a_url_is_revalidated_and_its_last_good_copy_outlives_it(
    echo: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    (tmp_path / "token").write_text("Bearer hunter2\n")
    (tmp_path / "gateway.yaml").write_text(
        f"apis:\n"
        f"  - name: shop\n"
        f"    spec: {echo.url}/openapi.json\n"
        f"    base_url: http://127.0.0.1:9\n"
        f"    reload_seconds: 1\n"
        f"    spec_headers: {{Authorization: 'file:{tmp_path}/token'}}\n"
    )
    host = Host(echo)
    with GatewayProcess("gateway.yaml", directory=tmp_path) as gateway:
        shop = Shop(gateway, tmp_path, http)
        wait_until(lambda: 304 in host.statuses, "the description to be revalidated")
        assert await shop.tools() == frozenset(OLD)
        host.text = description(NEW)
        await shop.until_tools(NEW)
        assert host.statuses.count(200) == 2

        echo.go_down()
        await shop.until_fault("cannot be reached")
        gateway.restart()
        assert await shop.tools() == frozenset(NEW)
        state = await shop.state()
        assert (state["state"], state["fault"]) == ("ready", "cannot be reached")
        echo.come_back()
        await shop.until_fault(None)
        assert await shop.tools() == frozenset(NEW)
    kept = list((tmp_path / ".ocp-gateway" / "cache").iterdir())
    assert {path.suffix for path in kept} >= {".description", ".prepared"}
    assert "hunter2" not in gateway.log
    assert not any(b"hunter2" in path.read_bytes() for path in kept)


async def test_without_a_copy_the_api_waits_for_its_source(
    echo: EchoUpstream, file: Path, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    late = tmp_path / "late.json"
    with GatewayProcess(
        "--spec", f"shop={file}", "--base-url", f"shop={echo.url}",
        "--spec", f"late={late}", "--base-url", f"late={echo.url}",
        directory=tmp_path,
    ) as gateway:  # fmt: skip
        async with http.get(f"{gateway.url}/apis/late/old/only") as response:
            assert response.status == 503
        replace(late, description(NEW))
        async with asyncio.timeout(60):
            while True:
                async with http.get(f"{gateway.url}/apis/late/new/only") as response:
                    if response.status == 200:
                        break
                    assert response.status == 503
                await asyncio.sleep(0.02)
