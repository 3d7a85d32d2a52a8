"""What is there and how it fares."""

from pathlib import Path

import aiohttp
import pytest

from gateway import __version__
from gateway.config import ApiConfig, ServerConfig
from gateway.config.model import ReadyWhen
from gateway.errors import StoreBusy, StoreUnavailable
from gateway.stores import MemoryStore
from tests.support.plain_http import call_tool, problem_of
from tests.support.serving import Served, serving


async def get(http: aiohttp.ClientSession, url: str) -> tuple[int, object]:
    async with http.get(url) as response:
        assert response.content_type == "application/json"
        return response.status, await response.json()


async def test_the_index_links_to_what_is_there(
    served: Served, http: aiohttp.ClientSession
) -> None:
    status, index = await get(http, f"{served.url}/")
    assert isinstance(index, dict)
    assert (status, index["name"], index["version"]) == (200, "ocp-gateway", __version__)
    assert index["links"]["mcp"] == f"{served.url}/mcp"
    for name in ("tools", "contexts", "apis", "health", "readiness"):
        assert (await get(http, index["links"][name]))[0] == 200


async def test_the_index_uses_the_public_url(spec: str, http: aiohttp.ClientSession) -> None:
    server = ServerConfig(public_url="https://gw.example/x")
    async with serving(api(spec), server=server) as made:
        _, index = await get(http, f"{made.url}/")
    assert isinstance(index, dict)
    assert index["links"]["tools"] == "https://gw.example/x/tools"


async def test_alive_and_ready(served: Served, http: aiohttp.ClientSession) -> None:
    for path in ("/healthz", "/readyz"):
        assert await get(http, served.url + path) == (200, {"status": "ok"})


async def test_a_store_that_is_down_only_degrades(
    served: Served, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(_: MemoryStore) -> None:
        raise StoreUnavailable("down")

    monkeypatch.setattr(MemoryStore, "ping", down)
    status, body = await get(http, f"{served.url}/readyz")
    assert isinstance(body, dict)
    assert (status, body["status"]) == (200, "degraded")
    assert (await get(http, f"{served.url}/healthz"))[0] == 200


# Of an API that nobody keeps current, as here, nothing is known.
UNKEPT: dict[str, object] = {
    "loaded_at": None,
    "fault": None,
    "ocp": {"enabled": False, "context_aware": False, "version": None, "agent_types": []},
}
LATE = {"name": "late", "state": "unavailable", "tools": 0, "problems": 0, **UNKEPT, "ocp": None}


async def test_a_store_that_takes_no_entries_degrades_until_it_takes_one(
    served: Served, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StoreUnavailable("disk is full")

    async def call() -> object:
        return (await call_tool(http, served.url, "shopListItems", {}))["recorded"]

    with monkeypatch.context() as patch:
        patch.setattr(MemoryStore, "update", full)
        assert await call() is False
    missed = {"unrecorded": {"store_down": 1}}
    degraded = {"status": "degraded", "reason": "context store unavailable", **missed}
    assert await get(http, f"{served.url}/readyz") == (200, degraded)
    assert await call() is True
    assert await get(http, f"{served.url}/readyz") == (200, {"status": "ok", **missed})


async def test_calls_that_are_not_recorded_show_although_the_store_is_well(
    served: Served, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise StoreBusy("too many writers at once on one context")

    monkeypatch.setattr(MemoryStore, "update", refuse)
    for _ in range(2):
        assert (await call_tool(http, served.url, "shopListItems", {}))["recorded"] is False
    shown = {"status": "ok", "unrecorded": {"conflict": 2}}
    assert await get(http, f"{served.url}/readyz") == (200, shown)


def api(spec: str, name: str = "shop") -> ApiConfig:
    return ApiConfig(name=name, spec=spec, base_url="http://127.0.0.1:1")


@pytest.mark.parametrize(("ready_when", "status"), [("any", 200), ("all", 503)])
async def test_ready_with_one_description_missing(
    spec: str,
    tmp_path: Path,
    http: aiohttp.ClientSession,
    ready_when: ReadyWhen,
    status: int,
) -> None:
    missing = api(str(tmp_path / "none.yaml"), "late")
    server = ServerConfig(ready_when=ready_when)
    async with serving(api(spec), missing, server=server) as made:
        assert (await get(http, f"{made.url}/readyz"))[0] == status
        assert await get(http, f"{made.url}/apis") == (
            200,
            {
                "apis": [
                    LATE,
                    {"name": "shop", "state": "ready", "tools": 4, "problems": 0, **UNKEPT},
                ]
            },
        )


@pytest.mark.parametrize("path", ["/apis/late/items", "/tools?api=late", "/tools/getItem?api=late"])
async def test_an_api_whose_description_is_missing_answers_503(
    spec: str, tmp_path: Path, http: aiohttp.ClientSession, path: str
) -> None:
    missing = api(str(tmp_path / "none.yaml"), "late")
    async with serving(api(spec), missing) as made, http.get(made.url + path) as response:
        assert (response.status, (await problem_of(response))["code"]) == (503, "api_unavailable")
        assert int(response.headers["Retry-After"]) > 0
