"""APIs that fail, in front of the real process: who is asked how often, and what callers hear."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import aiohttp
import pytest

from gateway.policy.circuit import FAILURES
from tests.support.dialogues import TRACKER
from tests.support.echo_upstream import Answer, EchoUpstream, Seen
from tests.support.gateway_process import PATIENCE_SECONDS, GatewayProcess, wait_until
from tests.support.plain_http import call_tool, problem_of

ISSUES = "projects/gate/issues"


@pytest.fixture
def other() -> Iterator[EchoUpstream]:
    with EchoUpstream() as upstream:
        yield upstream


def started(
    directory: Path, *apis: tuple[str, EchoUpstream, Mapping[str, object]]
) -> GatewayProcess:
    """A gateway, not started: name, upstream and further settings of each API."""
    configured = [
        {
            "name": name,
            "spec": str(TRACKER.description),
            "base_url": echo.url,
            "proxy": "any",
            **settings,
        }
        for name, echo, settings in apis
    ]
    config = directory / "gateway.json"
    config.write_text(json.dumps({"apis": configured, "store": {"url": "memory://"}}))
    return GatewayProcess(str(config), directory=directory)


def dies_on_reuse() -> Callable[[Seen], Answer]:
    """A connection answers once, and breaks off at its second request."""
    known: set[int] = set()

    def answer(seen: Seen) -> Answer:
        reused = seen.connection in known
        known.add(seen.connection)
        return Answer(hang_up=reused)

    return answer


async def test_r05_when_a_kept_connection_dies(
    echo: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    """Method, API, body, then the status and how often the upstream has met it."""
    cases = [
        ("PUT", "never", b"", 502, 1),
        ("DELETE", "never", b"", 502, 1),
        ("GET", "once", b"", 200, 2),
        ("DELETE", "once", b"", 200, 2),
        ("POST", "once", b"", 502, 1),
        ("PATCH", "once", b"", 502, 1),
        ("PUT", "once", b"streamed", 502, 1),
    ]
    seen = []
    apis = (("never", echo, {"retries": 0}), ("once", echo, {"retries": 1}))
    with started(tmp_path, *apis) as gateway:
        for number, (method, api, body, _, _) in enumerate(cases):
            echo.answer = dies_on_reuse()
            async with http.get(f"{gateway.url}/apis/{api}/first") as first:
                assert first.status == 200
            url = f"{gateway.url}/apis/{api}/{number}"
            async with http.request(method, url, data=body or None) as again:
                times = [one.target for one in echo.seen].count(f"/{number}")
                seen.append((method, api, body, again.status, times))
    assert seen == cases


async def test_r10_an_api_that_is_down_is_left_alone_and_found_again(
    echo: EchoUpstream, other: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    with started(tmp_path, ("shop", echo, {}), ("other", other, {})) as gateway:
        url = f"{gateway.url}/apis/shop/{ISSUES}"
        echo.go_down()
        for _ in range(FAILURES):
            async with http.get(url) as response:
                assert response.status == 502
                assert (await problem_of(response))["code"] == "upstream_unreachable"
        async with http.get(url) as response:
            assert response.status == 503
            assert (await problem_of(response))["code"] == "upstream_circuit_open"
            assert response.headers["Retry-After"] in {"1", "2"}
        told = await call_tool(http, gateway.url, "issuesList?api=shop", {"project": "gate"})
        assert (told["status"], told["isError"]) == (None, True)
        assert "Retrying may help" in json.dumps(told["content"])
        async with http.get(f"{gateway.url}/apis/other/{ISSUES}") as elsewhere:
            assert elsewhere.status == 200

        echo.come_back()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                async with http.get(url) as response:
                    if response.status == 200:
                        break
                    assert response.status == 503
        wait_until(lambda: "shop answers again" in gateway.log, "the log to say so")
        assert "shop is left alone for a moment: shop cannot be reached" in gateway.log


async def test_r11_an_api_that_hangs_fills_its_own_places_only(
    echo: EchoUpstream, other: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    go_on = threading.Event()
    echo.answer = Answer(hold=go_on)
    narrow = {"max_concurrency": 2}
    with started(tmp_path, ("stuck", echo, narrow), ("other", other, narrow)) as gateway:

        async def ask() -> int:
            async with http.get(f"{gateway.url}/apis/stuck/{ISSUES}") as response:
                if response.status == 503:
                    assert (await problem_of(response))["code"] == "upstream_busy"
                    assert response.headers["Retry-After"] == "1"
                return response.status

        async with asyncio.TaskGroup() as callers:
            asking = [callers.create_task(ask()) for _ in range(12)]
            await asyncio.to_thread(wait_until, lambda: len(echo.seen) == 2, "both places")
            for _ in range(20):
                async with http.get(f"{gateway.url}/apis/other/{ISSUES}") as response:
                    assert response.status == 200
            # Eight are told at once, two after a second.
            finished = asyncio.as_completed(asking)
            assert [await next(finished) for _ in range(10)] == [503] * 10
            go_on.set()
            assert [await one for one in finished] == [200, 200]


async def test_r08_a_caller_that_leaves_gives_its_place_back(
    echo: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    left = threading.Event()
    echo.answer = Answer(until_left=left)
    with started(tmp_path, ("shop", echo, {"max_concurrency": 1})) as gateway:
        url = f"{gateway.url}/apis/shop/{ISSUES}"

        async def ask() -> None:
            async with http.get(url):
                pass

        for _ in range(5):
            left.clear()
            echo.seen.clear()
            caller = asyncio.ensure_future(ask())
            await asyncio.to_thread(wait_until, lambda: bool(echo.seen), "the request to arrive")
            caller.cancel()
            assert await asyncio.to_thread(left.wait, PATIENCE_SECONDS)
        echo.answer = Answer()
        async with http.get(url) as response:
            assert response.status == 200
