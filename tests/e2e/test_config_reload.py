"""A configuration that changes under a running gateway."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import pytest
import yaml

from tests.support.echo_upstream import EchoUpstream
from tests.support.gateway_process import GatewayProcess, wait_until
from tests.support.serving import write_spec
from tests.support.tools import DONE

KEY = "a-key-of-sixteen-or-more"


class Shop:
    """A gateway whose configuration is `settings`, written anew by `change`."""

    def __init__(self, directory: Path, echo: EchoUpstream) -> None:
        self.file = directory / "gateway.yaml"
        self.echo = echo
        self.directory = directory
        self.settings: dict[str, object] = {"apis": [self.api("shop")]}
        self.write()

    def api(self, name: str, **settings: object) -> dict[str, object]:
        paths = {"/x": {"get": {"operationId": f"{name}X", "responses": DONE}}}
        spec = write_spec(self.directory, paths, name=name)
        return {"name": name, "spec": spec, "base_url": self.echo.url, **settings}

    def write(self, **changes: object) -> None:
        self.settings |= changes
        self.file.with_name("next").write_text(yaml.safe_dump(self.settings))
        self.file.with_name("next").rename(self.file)


class Client:
    """What callers of `gateway` see."""

    def __init__(self, gateway: GatewayProcess, http: aiohttp.ClientSession) -> None:
        self.gateway = gateway
        self.http = http

    async def get(self, path: str, **headers: str) -> tuple[int, dict[str, object]]:
        async with self.http.get(f"{self.gateway.url}{path}", headers=headers) as response:
            return response.status, json.loads(await response.read())

    async def tools(self) -> frozenset[str]:
        _, body = await self.get("/tools")
        tools = body["tools"]
        assert isinstance(tools, list)
        return frozenset(tool["name"] for tool in tools)

    async def until_tools(self, *names: str) -> None:
        async with asyncio.timeout(60):
            while await self.tools() != frozenset(names):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)

    def until_logged(self, text: str) -> str:
        """The log, which is written behind the answers."""
        wait_until(lambda: text in self.gateway.log, f"{text!r} in the log")
        return self.gateway.log

    async def until_ready(self, body: Mapping[str, object]) -> None:
        async with asyncio.timeout(60):
            while (await self.get("/readyz"))[1] != body:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)


@pytest.fixture
def shop(tmp_path: Path, echo: EchoUpstream) -> Shop:
    return Shop(tmp_path, echo)


@pytest.fixture
async def client(shop: Shop, http: aiohttp.ClientSession) -> AsyncIterator[Client]:
    with GatewayProcess("gateway.yaml", directory=shop.directory) as gateway:
        yield Client(gateway, http)


async def test_apis_come_and_go(shop: Shop, client: Client) -> None:
    shop.write(apis=[shop.api("shop"), shop.api("bank")])
    await client.until_tools("shopX", "bankX")
    assert (await client.get("/apis/bank/x"))[0] == 200

    shop.write(apis=[shop.api("bank")])
    await client.until_tools("bankX")
    assert (await client.get("/apis/shop/x"))[0] == 404
    assert (await client.get("/tools?api=shop"))[0] == 404
    _, listed = await client.get("/apis")
    assert [api["name"] for api in listed["apis"]] == ["bank"]  # type: ignore[attr-defined]


async def test_an_api_can_be_moved(shop: Shop, client: Client) -> None:
    with EchoUpstream() as other:
        shop.write(apis=[shop.api("shop") | {"base_url": other.url, "headers": {"X-New": "yes"}}])
        async with asyncio.timeout(60):
            while not other.seen:
                assert (await client.get("/apis/shop/x"))[0] == 200
                await asyncio.sleep(0.02)
        assert other.last.value("X-New") == "yes"


async def test_s96_a_bad_configuration_leaves_the_old_one(shop: Shop, client: Client) -> None:
    degraded = {"status": "degraded", "reason": "the configuration is not current"}
    shop.write(apis=[shop.api("bank")], sorver={})
    await client.until_ready(degraded)
    assert await client.tools() == {"shopX"}
    assert (await client.get("/apis/shop/x"))[0] == 200
    log = client.until_logged("the configuration cannot be used, the old one holds")
    assert "gateway.yaml:" in log
    assert "sorver" in log

    del shop.settings["sorver"]
    shop.write()
    await client.until_tools("bankX")
    await client.until_ready({"status": "ok"})
    log = client.until_logged("the configuration is good again")
    assert log.count("the old one holds") == 1


async def test_what_takes_a_restart_is_named_and_stays(shop: Shop, client: Client) -> None:
    shop.write(
        server={"port": 1, "max_body_bytes": 5, "allowed_hosts": ["localhost:1"]},
        store={"max_history": 7},
        mcp={"page_size": 3},
        apis=[shop.api("shop"), shop.api("bank")],
    )
    await client.until_tools("shopX", "bankX")
    log = client.until_logged("needs a restart")
    (warning,) = [line for line in log.splitlines() if "needs a restart" in line]
    named = warning.rpartition(": ")[2].split(", ")
    # The port is what the flag says.
    assert named == ["server.max_body_bytes", "store.max_history", "mcp.page_size"]


async def test_hosts_origins_and_readiness_change_at_once(shop: Shop, client: Client) -> None:
    assert (await client.get("/tools", Origin="https://app.example"))[0] == 403
    late = {**shop.api("late"), "spec": str(shop.directory / "none.json")}
    shop.write(
        server={"allowed_origins": ["https://app.example"], "ready_when": "all"},
        apis=[shop.api("shop"), late],
    )
    await client.until_ready({"status": "unready", "apis": 1})
    assert (await client.get("/tools", Origin="https://app.example"))[0] == 200
    assert await client.tools() == {"shopX"}
    assert (await client.get("/apis/late/x"))[0] == 503


async def test_keys_change_at_once(shop: Shop, tmp_path: Path, http: aiohttp.ClientSession) -> None:
    (tmp_path / "old").write_text(f"old-{KEY}")
    (tmp_path / "new").write_text(f"new-{KEY}")

    def keys(name: str) -> list[dict[str, object]]:
        return [{"id": name, "key": f"file:{tmp_path}/{name}"}]

    shop.write(auth={"api_keys": keys("old")})
    with GatewayProcess("gateway.yaml", directory=shop.directory) as gateway:
        client = Client(gateway, http)
        assert (await client.get("/tools", **{"X-API-Key": f"old-{KEY}"}))[0] == 200
        shop.write(auth={"api_keys": keys("new")})
        async with asyncio.timeout(60):
            while (await client.get("/tools", **{"X-API-Key": f"new-{KEY}"}))[0] != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (await client.get("/tools", **{"X-API-Key": f"old-{KEY}"}))[0] == 401
        shop.write(auth={"api_keys": []})
        client.until_logged("restart: auth.api_keys")
        assert (await client.get("/tools"))[0] == 401


async def test_an_api_that_cannot_be_loaded_anew_goes_on_as_it_was(
    shop: Shop, client: Client
) -> None:
    missing = shop.directory / "none.json"
    shop.write(apis=[{**shop.api("shop"), "spec": str(missing)}])
    reason = "a description is not current"
    await client.until_ready({"status": "degraded", "reason": reason})
    assert await client.tools() == {"shopX"}
    assert (await client.get("/apis/shop/x"))[0] == 200

    shop.api("bank")
    (shop.directory / "bank.json").rename(missing)
    await client.until_tools("bankX")
    assert (await client.get("/readyz"))[1] == {"status": "ok"}


async def test_sighup_reads_the_configuration_and_then_the_descriptions(
    shop: Shop, client: Client
) -> None:
    client.gateway.process.send_signal(signal.SIGHUP)
    log = client.until_logged("reading every description again")
    assert "cannot be used" not in log
    assert await client.tools() == {"shopX"}


async def test_flags_and_variables_go_on_winning(
    shop: Shop, http: aiohttp.ClientSession, echo: EchoUpstream
) -> None:
    arguments = ("gateway.yaml", "--base-url", f"shop={echo.url}")
    shop.write(apis=[{**shop.api("shop"), "base_url": "http://127.0.0.1:1"}])
    with GatewayProcess(*arguments, directory=shop.directory) as gateway:
        client = Client(gateway, http)
        shop.write(
            apis=[
                {**shop.api("shop"), "base_url": "http://127.0.0.1:2", "headers": {"X-New": "y"}},
                shop.api("bank"),
            ]
        )
        await client.until_tools("shopX", "bankX")
        assert (await client.get("/apis/shop/x"))[0] == 200
        assert echo.last.value("X-New") == "y"
