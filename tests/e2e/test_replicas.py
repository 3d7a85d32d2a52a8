"""Legacy sessions that no process owns: each request of a client meets another gateway."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from gateway.config import ApiConfig, McpConfig, StoreConfig
from gateway.config.secret import Secret, read_secret
from gateway.server import running_calls, session_records
from tests.support.asking_api import PATHS, asking_api
from tests.support.gateway_process import PATIENCE_SECONDS, GatewayProcess
from tests.support.legacy_client import LegacyClient
from tests.support.mcp_core import META, encoded, message, modern_head
from tests.support.redis_server import RedisServer
from tests.support.round_robin import RoundRobin, round_robin
from tests.support.serving import serving, write_spec

REVISIONS = ("2025-03-26", "2025-06-18", "2025-11-25")
KEY = "a key that all of them share, of 32 bytes and more"
NAME = {"action": "accept", "content": {"name": "Alice"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a client reaches, and the gateways behind it."""

    proxy: RoundRobin
    gateways: list[str]
    hangs: asyncio.Semaphore

    @property
    def url(self) -> str:
        return self.proxy.url + "/mcp"

    def is_fair(self) -> bool:
        """Whether every gateway had its part."""
        return self.proxy.served.keys() == set(self.gateways)


@pytest.fixture(params=["one process", "two on a file", "two on Redis"])
async def deployment(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Deployment]:
    monkeypatch.setattr(session_records, "FRESH_SECONDS", 0.0)
    url, number = "memory://", 1
    if request.param == "two on a file":
        url, number = f"sqlite:///{tmp_path}/contexts.db", 2
    elif request.param == "two on Redis":
        redis: RedisServer = request.getfixturevalue("shared_redis")
        url, number = f"{redis.url}?prefix={uuid4().hex}:", 2
    async with AsyncExitStack() as stack:
        hangs = asyncio.Semaphore(0)
        api = await stack.enter_async_context(asking_api(hangs))
        spec = write_spec(tmp_path, PATHS, name="items")
        gateways = [
            await stack.enter_async_context(_gateway(api, spec, url)) for _ in range(number)
        ]
        proxy = await stack.enter_async_context(round_robin(gateways))
        yield Deployment(proxy=proxy, gateways=gateways, hangs=hangs)


@asynccontextmanager
async def _gateway(api: str, spec: str, store: str) -> AsyncIterator[str]:
    config = ApiConfig(name="items", spec=spec, base_url=api, interaction=True)
    async with serving(
        config, store=StoreConfig(url=_plain(store)), mcp=McpConfig(state_key=_plain(KEY))
    ) as served:
        yield served.url


def _plain(value: str) -> Secret:
    return read_secret(value, {})


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        yield client


@pytest.fixture(params=REVISIONS)
async def client(
    request: pytest.FixtureRequest, deployment: Deployment, http: aiohttp.ClientSession
) -> LegacyClient:
    answers = {"elicitation/create": NAME}
    it = LegacyClient(http=http, url=deployment.url, revision=request.param, answers=answers)
    return await it.initialize()


async def test_a_whole_conversation(client: LegacyClient, deployment: Deployment) -> None:
    for _ in range(3):
        assert (await client.ask("ping")).result == {}
        tools = (await client.ask("tools/list")).result["tools"]
        assert isinstance(tools, list)
        assert {tool["name"] for tool in tools} >= {"readItem", "talk", "ask"}
        read = await client.call("readItem", id="7")
        assert json.loads(text_of(read.result)) == {"id": "7"}
        assert (await client.call("nowhere")).code == -32602
        assert (await client.ask("no/such")).code == -32601
        assert (await client.ask("resources/list")).result["resources"]
    assert deployment.is_fair()


async def test_all_calls_of_a_session_are_one_context(client: LegacyClient) -> None:
    results = [(await client.call("readItem", id=str(n))).result for n in range(4)]
    metas = [result["_meta"] for result in results]
    assert len({json.dumps(meta) for meta in metas}) == 1


async def test_progress_comes_on_the_stream_of_its_call(client: LegacyClient) -> None:
    for _ in range(2):
        spoken = await client.call("talk")
        assert "notifications/progress" in spoken.methods()
        assert text_of(spoken.result) == '"done"'


async def test_a_level_that_was_set_elsewhere_holds(client: LegacyClient) -> None:
    for level, heard in (("error", ["loud"]), ("debug", ["quiet", "loud"]), ("emergency", [])):
        assert (await client.ask("logging/setLevel", {"level": level})).result == {}
        for _ in range(2):
            assert logged(await client.call("talk")) == heard
    assert (await client.ask("logging/setLevel", {"level": "loud"})).code == -32602


async def test_a_question_is_answered_through_another_gateway(client: LegacyClient) -> None:
    can_ask = client.revision >= "2025-06-18"
    for _ in range(2):
        spoken = await client.call("ask")
        assert (spoken.methods() == ["elicitation/create"]) == can_ask
        if can_ask:
            assert json.loads(text_of(spoken.result)) == {"name": NAME}
        else:
            assert spoken.result["isError"] is True


async def test_a_modern_call_goes_on_at_another_gateway(
    deployment: Deployment, http: aiohttp.ClientSession
) -> None:
    first, last = deployment.gateways[0], deployment.gateways[-1]
    status, asked = await modern_ask(http, first)
    assert (status, asked["result"]["resultType"]) == (200, "input_required")
    state = asked["result"]["requestState"]
    told = {"inputResponses": {"name": NAME}, "requestState": state}
    status, answer = await modern_ask(http, last, **told)
    assert (status, json.loads(text_of(answer["result"]))) == (200, {"name": NAME})
    told["requestState"] = f"{state}x"
    status, answer = await modern_ask(http, last, **told)
    assert (status, answer["error"]["code"]) == (400, -32602)


async def test_a_call_is_cancelled_through_another_gateway(
    client: LegacyClient, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_calls, "LOOK_SECONDS", 0.01)
    for _ in range(2):
        async with asyncio.TaskGroup() as group:
            hanging = group.create_task(client.call("hang"))
            async with asyncio.timeout(PATIENCE_SECONDS):
                await deployment.hangs.acquire()
            assert await client.tell("notifications/cancelled", requestId=client.sent) == 202
        # Nothing is said any more: a cancelled request has no answer.
        assert hanging.result().answer is None


async def test_resources_are_watched_and_not_any_more(client: LegacyClient) -> None:
    for method in ("resources/subscribe", "resources/unsubscribe", "resources/unsubscribe"):
        params = {"uri": "gateway://apis/items/openapi"}
        assert (await client.ask(method, params)).result == {}


async def test_a_session_that_has_ended_is_unknown_everywhere(
    client: LegacyClient, deployment: Deployment
) -> None:
    assert (await client.ask("ping")).status == 200
    assert await client.delete() == 204
    for _ in deployment.gateways:
        assert (await client.ask("ping")).status == 404
        assert await client.delete() == 404
        async with client.http.get(
            client.url,
            headers={"Mcp-Session-Id": client.session, "Accept": "text/event-stream"},
        ) as response:
            assert response.status == 404


async def test_a_batch_is_served_by_whoever_gets_it(client: LegacyClient) -> None:
    batch = [{"jsonrpc": "2.0", "id": n, "method": "ping"} for n in (1, 2)]
    for _ in range(2):
        async with client._post(batch) as response:
            assert response.status == (200 if client.revision == "2025-03-26" else 400)


async def test_sessions_go_on_without_their_store(
    own_redis: RedisServer, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(asking_api())
        spec = write_spec(tmp_path, PATHS, name="items")
        url = await stack.enter_async_context(_gateway(api, spec, own_redis.url))
        answers = {"elicitation/create": NAME}
        clients = [
            await LegacyClient(
                http=http, url=url + "/mcp", revision="2025-11-25", answers=answers
            ).initialize()
            for _ in range(2)
        ]
        before, other = clients
        assert (await before.ask("logging/setLevel", {"level": "error"})).result == {}
        await asyncio.to_thread(own_redis.kill)
        after = await LegacyClient(
            http=http, url=url + "/mcp", revision="2025-11-25", answers=answers
        ).initialize()
        assert logged(await before.call("talk")) == ["loud"]
        assert logged(await after.call("talk")) == ["loud"]
        assert (await after.ask("logging/setLevel", {"level": "debug"})).result == {}
        assert logged(await after.call("talk")) == ["quiet", "loud"]
        # This process has asked and heard the answer: nobody else is needed for that.
        assert json.loads(text_of((await other.call("ask")).result)) == {"name": NAME}
        assert await other.delete() == 204
        assert (await other.ask("ping")).status == 404
        assert (await after.ask("ping")).result == {}


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_a_session_outlives_the_process_that_opened_it(
    kind: str, tmp_path: Path, shared_redis: RedisServer, http: aiohttp.ClientSession
) -> None:
    store = f"sqlite:///{tmp_path}/contexts.db"
    if kind == "redis":
        store = f"{shared_redis.url}?prefix={uuid4().hex}:"
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(asking_api())
        processes = [_process(tmp_path / name, api, store) for name in ("one", "two")]
        await asyncio.gather(*(asyncio.to_thread(process.start) for process in processes))
        for process in processes:
            stack.callback(process.kill)
        first, second = processes
        proxy = await stack.enter_async_context(round_robin([first.url, second.url]))
        answers = {"elicitation/create": NAME}
        url = proxy.url + "/mcp"
        client = LegacyClient(http=http, url=url, revision="2025-11-25", answers=answers)
        await client.initialize()
        assert (await client.ask("logging/setLevel", {"level": "error"})).result == {}
        asked = await client.call("ask")
        assert json.loads(text_of(asked.result)) == {"name": NAME}
        await asyncio.to_thread(first.kill)
        proxy.remove(first.url)
        # What the dead process had heard holds as soon as the living one looks again.
        await _soon(lambda: _is_loud(client))
        asked = await client.call("ask")
        assert json.loads(text_of(asked.result)) == {"name": NAME}
        await asyncio.to_thread(first.start)
        proxy.servers.append(first.url)
        assert await client.delete() == 204
        await _soon(lambda: _is_gone(client))


def _process(directory: Path, api: str, store: str) -> GatewayProcess:
    directory.mkdir()
    (directory / "key").write_text(KEY)
    spec = write_spec(directory, PATHS, name="items")
    config = {
        "store": {"url": store},
        "mcp": {"state_key": f"file:{directory}/key"},
        "apis": [{"name": "items", "spec": spec, "base_url": api, "interaction": True}],
    }
    (directory / "gateway.yaml").write_text(json.dumps(config))
    return GatewayProcess("gateway.yaml", directory=directory)


async def _is_loud(client: LegacyClient) -> bool:
    return logged(await client.call("talk")) == ["loud"]


async def _is_gone(client: LegacyClient) -> bool:
    """On both of two gateways."""
    return [(await client.ask("ping")).status for _ in range(2)] == [404, 404]


async def _soon(holds: object) -> None:
    assert callable(holds)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await holds():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)


async def modern_ask(
    http: aiohttp.ClientSession, gateway: str, **told: object
) -> tuple[int, dict[str, dict[str, object]]]:
    """The tool that asks, called by a client of 2026-07-28 that can fill in a form."""
    meta = {**META, "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
    body = message("tools/call", {"name": "ask", "_meta": meta, **told})
    head = {"Content-Type": "application/json", **dict(modern_head("tools/call", "ask"))}
    async with http.post(f"{gateway}/mcp", data=encoded(body), headers=head) as response:
        return response.status, await response.json()


def logged(spoken: object) -> list[object]:
    said = getattr(spoken, "said", [])
    return [m["params"]["data"] for m in said if m["method"] == "notifications/message"]


def text_of(result: object) -> str:
    assert isinstance(result, dict)
    content = result["content"]
    assert isinstance(content, list)
    text = content[0]["text"]
    assert isinstance(text, str)
    return text
