"""What was acknowledged is still there after `kill -9`, on each store that outlives a process."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from gateway.policy import ANONYMOUS
from gateway.stores import StoreLimits, open_store
from tests.e2e.conftest import tracker_arguments
from tests.support.dialogues import DIALOGUES, Dialogue
from tests.support.echo_upstream import EchoUpstream
from tests.support.gateway_process import GatewayProcess
from tests.support.ocp import history, read_session
from tests.support.plain_http import call_tool
from tests.support.redis_server import RedisServer

ISSUES = "/apis/tracker/projects/gate/issues"


@pytest.fixture(params=["sqlite", "redis"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/contexts.db"
    server = request.getfixturevalue("shared_redis")
    assert isinstance(server, RedisServer)
    return server.url


@pytest.fixture
def tracker(echo: EchoUpstream, store_url: str, tmp_path: Path) -> Iterator[GatewayProcess]:
    arguments = (*tracker_arguments(echo), "--store", store_url)
    with GatewayProcess(*arguments, directory=tmp_path) as gateway:
        yield gateway


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: dialogue.api)
async def test_history_outlives_a_killed_gateway(
    dialogue: Dialogue,
    echo: EchoUpstream,
    store_url: str,
    tmp_path: Path,
    http: aiohttp.ClientSession,
) -> None:
    headers = {"OCP-Context-ID": f"ocp-{uuid4().hex}", "OCP-Agent-Type": "survivor"}
    arguments = (
        "--spec", f"{dialogue.api}={dialogue.description}",
        "--base-url", f"{dialogue.api}={echo.url}",
        "--store", store_url,
    )  # fmt: skip
    with GatewayProcess(*arguments, directory=tmp_path) as gateway:
        for example in dialogue.examples:
            answer = await call_tool(http, gateway.url, example.tool, example.arguments, headers)
            assert answer["recorded"]
        gateway.restart()
        again = dialogue.examples[0]
        await call_tool(http, gateway.url, again.tool, again.arguments, headers)

    session = read_session(echo.last)
    assert history(session) == [
        (f"tool_call:{e.tool}", e.endpoint, "HTTP 200") for e in dialogue.examples
    ]
    assert session["agent_type"] == "survivor"


async def test_what_a_killed_gateway_left_can_be_read_from_the_store(
    tracker: GatewayProcess, store_url: str, http: aiohttp.ClientSession
) -> None:
    context_id = f"ocp-{uuid4().hex}"
    headers = {"OCP-Context-ID": context_id}
    for number in range(3):
        await call_tool(http, tracker.url, "issuesList", {"project": f"p{number}"}, headers)
    tracker.kill()

    store = open_store(store_url, StoreLimits())
    try:
        stored = await store.get(ANONYMOUS, context_id)
    finally:
        await store.aclose()

    assert stored is not None
    assert stored.version == 3
    assert [
        (entry.action, entry.api_endpoint, entry.result) for entry in stored.context.history
    ] == [("tool_call:issuesList", "GET /projects/{project}/issues", "HTTP 200")] * 3


async def test_tool_calls_and_proxied_requests_share_one_history(
    tracker: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    headers = {"OCP-Context-ID": f"ocp-{uuid4().hex}"}
    await call_tool(http, tracker.url, "issuesList", {"project": "gate"}, headers)
    async with http.get(tracker.url + ISSUES, headers=headers) as response:
        assert response.status == 200
    tracker.restart()
    await call_tool(http, tracker.url, "issuesList", {"project": "gate"}, headers)

    endpoint = "GET /projects/{project}/issues"
    assert history(read_session(echo.last)) == [
        ("tool_call:issuesList", endpoint, "HTTP 200"),
        ("api_call_get", endpoint, "HTTP 200"),
    ]


async def test_a_kill_amid_many_callers_loses_no_acknowledged_call(
    tracker: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    headers = {"OCP-Context-ID": f"ocp-{uuid4().hex}"}
    begun = acknowledged = 0
    enough = asyncio.Event()

    async def keep_calling() -> None:
        nonlocal begun, acknowledged
        while True:
            begun += 1
            try:
                answer = await call_tool(
                    http, tracker.url, "issuesList", {"project": "gate"}, headers
                )
            except aiohttp.ClientError:
                return
            assert answer["recorded"]
            acknowledged += 1
            if acknowledged >= 40:
                enough.set()

    async with asyncio.TaskGroup() as callers, asyncio.timeout(60):
        for _ in range(8):
            callers.create_task(keep_calling())
        await enough.wait()
        tracker.kill()

    tracker.start()
    await call_tool(http, tracker.url, "issuesList", {"project": "gate"}, headers)
    session = read_session(echo.last)["session"]
    assert isinstance(session, dict)
    assert acknowledged <= session["interaction_count"] <= begun


async def test_contexts_of_one_store_are_shared_by_two_gateways(
    tracker: GatewayProcess,
    echo: EchoUpstream,
    store_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    http: aiohttp.ClientSession,
) -> None:
    headers = {"OCP-Context-ID": f"ocp-{uuid4().hex}"}
    arguments = (*tracker_arguments(echo), "--store", store_url)
    with GatewayProcess(*arguments, directory=tmp_path_factory.mktemp("second")) as second:
        for gateway in (tracker, second):
            await call_tool(http, gateway.url, "issuesList", {"project": "gate"}, headers)
    # A call may be sent what was stored a moment before; asked for the context, none answers so.
    place = f"{tracker.url}/contexts/{headers['OCP-Context-ID']}"
    async with http.get(place) as answer:
        assert len(history(await answer.json())) == 2
    await call_tool(http, tracker.url, "issuesList", {"project": "gate"}, headers)

    assert len(history(read_session(echo.last))) == 2
