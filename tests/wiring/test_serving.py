"""The server, put together and run as `serve` runs it."""

import asyncio
import signal
import threading
from pathlib import Path

import aiohttp
import pytest

from gateway.config import ApiConfig, Config, ServerConfig
from gateway.context import new_context
from gateway.context.headers import outbound_headers
from gateway.engine import Freshness
from gateway.errors import DescriptionError
from gateway.wiring import serve
from gateway.wiring.parts import THREADS
from tests.support.contexts import NOW
from tests.support.echo_upstream import EchoUpstream
from tests.support.mcp_core import encoded, modern_head, modern_message
from tests.support.serving import MEMORY, write_spec
from tests.support.serving import serving as in_this_loop
from tests.support.tools import DONE

PATIENCE = 30
PATHS = {"/x": {"get": {"operationId": "getX", "responses": DONE}}}


def api(spec: str, name: str = "shop", base_url: str = "http://127.0.0.1:1") -> ApiConfig:
    return ApiConfig(name=name, spec=spec, base_url=base_url)


async def test_names_are_resolved_while_many_threads_are_busy(tmp_path: Path) -> None:
    config = Config(
        apis=(api(write_spec(tmp_path, PATHS)),),
        server=ServerConfig(port=0, drain_seconds=0.5),
        store=MEMORY,
    )
    loop, done = asyncio.get_running_loop(), threading.Event()
    announced: asyncio.Future[str] = loop.create_future()
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(serve(config, announce=announced.set_result))
        await announced
        try:
            # More than asyncio has threads for on most machines: 6 on 2 cores.
            busy = [loop.run_in_executor(None, done.wait) for _ in range(THREADS - 4)]
            assert await loop.getaddrinfo("localhost", 80)
        finally:
            done.set()
        await asyncio.gather(*busy)
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_serves_from_the_announcement_to_the_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    spec = write_spec(tmp_path, PATHS)
    config = Config(apis=(api(spec),), server=ServerConfig(port=0, drain_seconds=0.5), store=MEMORY)
    announced: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        running = group.create_task(serve(config, announce=announced.set_result))
        url = await announced
        async with aiohttp.ClientSession() as http, http.get(f"{url}/readyz") as response:
            assert response.status == 200
        signal.raise_signal(number)
        await running
    with pytest.raises(aiohttp.ClientConnectionError):
        async with aiohttp.ClientSession() as http, http.get(url):
            pass


async def test_nothing_to_serve_is_fatal(tmp_path: Path) -> None:
    config = Config(apis=(api(str(tmp_path / "none.json")),), store=MEMORY)
    with pytest.raises(DescriptionError, match=r"none\.json"):
        await serve(config, announce=lambda _: None)


@pytest.mark.parametrize(
    ("size", "passes"), [(8_192, True), (40_000, True), (70_000, False)], ids=str
)
async def test_long_headers_are_read_and_judged_one_by_one(
    tmp_path: Path, size: int, passes: bool
) -> None:
    with EchoUpstream() as echo:
        shop = api(write_spec(tmp_path, PATHS), base_url=echo.url)
        async with in_this_loop(shop) as made, aiohttp.ClientSession() as http:
            headers = {"OCP-Context-ID": "ocp-00000001", "OCP-Session": "x" * size}
            async with http.get(f"{made.url}/apis/shop/x", headers=headers) as response:
                # What no server reads is refused before anybody can ignore it.
                assert response.status == (200 if passes else 431)
        if passes:
            assert "x" * 100 not in repr(echo.last.headers)


async def test_a_legal_session_of_any_size_arrives(tmp_path: Path) -> None:
    context = new_context("ocp-00000001", "tester", NOW)
    with EchoUpstream() as echo:
        shop = api(write_spec(tmp_path, PATHS), base_url=echo.url)
        async with in_this_loop(shop) as made, aiohttp.ClientSession() as http:
            headers = dict(outbound_headers(context, full=True))
            async with http.get(f"{made.url}/apis/shop/x", headers=headers) as response:
                assert response.status == 200
                assert response.headers["OCP-Context-ID"] == "ocp-00000001"
        assert echo.last.value("OCP-Agent-Type") == "tester"


@pytest.mark.parametrize("path", ["/mcp", "/mcp/shop"])
async def test_lists_and_what_was_read_say_how_long_they_last(tmp_path: Path, path: str) -> None:
    shop = api(write_spec(tmp_path, PATHS))
    uri = "gateway://apis/shop/openapi"
    async with in_this_loop(shop) as made, aiohttp.ClientSession(made.url) as http:

        async def told(method: str, **params: object) -> tuple[int, int]:
            """Before anybody knows, and while the next reading is a minute away."""
            found = []
            for freshness in ({}, {"shop": Freshness(due=asyncio.get_running_loop().time() + 60)}):
                made.gateway.freshness = freshness
                head = {
                    "Accept": "application/json",
                    "Content-Type": "application/json",
                    **dict(modern_head(method, str(params["uri"]) if params else None)),
                }
                body = encoded(modern_message(method, params))
                async with http.post(path, data=body, headers=head) as response:
                    found.append((await response.json())["result"]["ttlMs"])
            return found[0], found[1]

        for method in ("server/discover", "tools/list", "resources/list",
                       "resources/templates/list"):  # fmt: skip
            before, after = await told(method)
            assert before == 0
            assert 0 < after <= 60_000
        before, after = await told("resources/read", uri=uri)
        assert before == 0
        assert 0 < after <= 60_000
