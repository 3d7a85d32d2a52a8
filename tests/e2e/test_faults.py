"""Upstreams and stores that fail while the gateway runs."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from tests.e2e.conftest import tracker_arguments
from tests.support.dialogues import TRACKER
from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import PATIENCE_SECONDS, GatewayProcess, wait_until
from tests.support.ocp import history, read_session
from tests.support.plain_http import call_tool, problem_of
from tests.support.redis_server import RedisServer

ISSUES = "/apis/tracker/projects/gate/issues"
ENDPOINT = "GET /projects/{project}/issues"


def gateway_with_timeout(echo: EchoUpstream, directory: Path, seconds: float) -> GatewayProcess:
    """A gateway, not started, that gives its upstream so long."""
    config = directory / "gateway.yaml"
    config.write_text(
        "apis:\n"
        "  - name: tracker\n"
        f"    spec: {TRACKER.description}\n"
        f"    base_url: {echo.url}\n"
        f"    timeout_seconds: {seconds}\n"
    )
    return GatewayProcess(str(config), directory=directory)


async def test_an_upstream_that_is_down_is_told_and_recorded(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    headers = {"OCP-Context-ID": f"ocp-{uuid4().hex}"}
    echo.go_down()
    answer = await call_tool(http, gateway.url, "issuesList", {"project": "gate"}, headers)
    async with http.get(gateway.url + ISSUES, headers=headers) as response:
        problem = await problem_of(response)

    assert (answer["status"], answer["isError"], answer["recorded"]) == (None, True, True)
    assert (response.status, problem["code"]) == (502, "upstream_unreachable")
    assert response.headers["OCP-Context-ID"] == headers["OCP-Context-ID"]
    echo.come_back()
    await call_tool(http, gateway.url, "issuesList", {"project": "gate"}, headers)
    assert history(read_session(echo.last)) == [
        ("tool_call:issuesList", ENDPOINT, "unreachable"),
        ("api_call_get", ENDPOINT, "unreachable"),
    ]


async def test_an_upstream_that_is_slow_is_given_up_and_recorded(
    echo: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    headers = {"OCP-Context-ID": f"ocp-{uuid4().hex}"}
    go_on = threading.Event()
    echo.answer = Answer(hold=go_on)
    with gateway_with_timeout(echo, tmp_path, 0.5) as impatient:
        answer = await call_tool(http, impatient.url, "issuesList", {"project": "gate"}, headers)
        async with http.get(impatient.url + ISSUES, headers=headers) as response:
            problem = await problem_of(response)
        go_on.set()
        echo.answer = Answer()
        await call_tool(http, impatient.url, "issuesList", {"project": "gate"}, headers)

    assert (answer["status"], answer["isError"], answer["recorded"]) == (None, True, True)
    assert (response.status, problem["code"]) == (504, "upstream_timeout")
    assert history(read_session(echo.last)) == [
        ("tool_call:issuesList", ENDPOINT, "timeout"),
        ("api_call_get", ENDPOINT, "timeout"),
    ]


async def test_an_upstream_that_hangs_up_is_a_failed_exchange(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    echo.answer = Answer(hang_up=True)

    answer = await call_tool(
        http, gateway.url, "issuesCreate", {"project": "gate", "title": "once"}
    )
    async with http.get(gateway.url + ISSUES) as response:
        assert response.status == 502

    assert (answer["status"], answer["isError"]) == (None, True)
    posts = [seen for seen in echo.seen if seen.request_line.startswith("POST ")]
    assert len(posts) == 1, "a request that may have been carried out is not sent twice"


async def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    text = (("Content-Type", "text/plain"),)

    def half() -> Iterator[bytes]:
        yield b"half"
        raise OSError("the upstream dies here")

    echo.answer = Answer(headers=text, body=half())
    answer = await call_tool(http, gateway.url, "issuesList", {"project": "gate"})
    assert answer["isError"]

    echo.answer = Answer(headers=text, body=half())
    with pytest.raises(aiohttp.ClientError):
        async with http.get(gateway.url + ISSUES) as response:
            await response.read()


async def test_a_caller_that_leaves_ends_the_upstream_request(
    echo: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    left = threading.Event()
    echo.answer = Answer(until_left=left)
    # Longer than the test waits: giving up is not what ends the request.
    with gateway_with_timeout(echo, tmp_path, 10 * PATIENCE_SECONDS) as gateway:

        async def wait_for_the_answer() -> None:
            async with http.get(gateway.url + ISSUES):
                pass

        async with asyncio.TaskGroup() as callers:
            caller = callers.create_task(wait_for_the_answer())
            await asyncio.to_thread(wait_until, lambda: bool(echo.seen), "the request to arrive")
            caller.cancel()

        assert await asyncio.to_thread(left.wait, PATIENCE_SECONDS)


async def test_calls_go_on_while_redis_is_down(
    echo: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession, closed_port: int
) -> None:
    headers = {"OCP-Context-ID": f"ocp-{uuid4().hex}"}
    arguments = (*tracker_arguments(echo), "--store", f"redis://127.0.0.1:{closed_port}/0")
    with GatewayProcess(*arguments, directory=tmp_path) as gateway:
        answer = await call_tool(http, gateway.url, "issuesList", {"project": "gate"}, headers)
        async with http.get(gateway.url + ISSUES, headers=headers) as proxied:
            assert proxied.status == 200
        async with http.get(f"{gateway.url}/readyz") as ready:
            readiness = json.loads(await ready.read())

    assert (answer["status"], answer["isError"], answer["recorded"]) == (200, False, False)
    assert answer["context_id"] == headers["OCP-Context-ID"]
    assert proxied.headers["OCP-Gateway-Recorded"] == "false"
    assert (ready.status, readiness["status"]) == (200, "degraded")
    assert echo.last.value("OCP-Context-ID") == headers["OCP-Context-ID"]


async def test_redis_may_go_and_come_back_while_calls_go_on(
    echo: EchoUpstream, own_redis: RedisServer, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    headers = {"OCP-Context-ID": f"ocp-{uuid4().hex}"}
    arguments = (*tracker_arguments(echo), "--store", own_redis.url)
    with GatewayProcess(*arguments, directory=tmp_path) as gateway:

        async def call() -> object:
            arguments = {"project": "gate"}
            answer = await call_tool(http, gateway.url, "issuesList", arguments, headers)
            assert answer["status"] == 200
            return answer["recorded"]

        async def readiness() -> object:
            async with http.get(f"{gateway.url}/readyz") as ready:
                assert ready.status == 200
                return json.loads(await ready.read())["status"]

        assert (await call(), await readiness()) == (True, "ok")
        own_redis.kill()
        assert (await call(), await readiness()) == (False, "degraded")
        own_redis.start()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await call():
                pass
        assert await readiness() == "ok"
        await call()

    entry = ("tool_call:issuesList", ENDPOINT, "HTTP 200")
    assert history(read_session(echo.last)) == [entry, entry]


async def test_an_api_without_a_description_does_not_stop_the_others(
    echo: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    arguments = (*tracker_arguments(echo), "--spec", "lost=lost.yaml")
    lost_base = ("--base-url", f"lost={echo.url}")
    with GatewayProcess(*arguments, *lost_base, directory=tmp_path) as gateway:
        answer = await call_tool(http, gateway.url, "issuesList", {"project": "gate"})
        async with http.get(f"{gateway.url}/apis/lost/anything") as refused:
            problem = await problem_of(refused)
        async with http.get(f"{gateway.url}/readyz") as ready:
            assert ready.status == 200

    assert answer["status"] == 200
    assert (refused.status, problem["code"]) == (503, "api_unavailable")
    assert "Retry-After" in refused.headers
    assert "lost.yaml" in gateway.log
    assert "Traceback" not in gateway.log
