"""Agents that find an API in the gateway's registry and call it through the gateway."""

import json
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import GatewayProcess
from tests.support.ocp import read_session
from tests.support.registry_agent import NotInTheRegistry, RegistryAgent
from tests.support.registry_shop import calls_of, kept_entries, shop_behind_a_gateway


@pytest.fixture
def shop(echo: EchoUpstream, tmp_path: Path) -> Iterator[GatewayProcess]:
    with shop_behind_a_gateway(echo, tmp_path) as gateway:
        yield gateway


@pytest.fixture
def agent(shop: GatewayProcess, http: aiohttp.ClientSession) -> RegistryAgent:
    return RegistryAgent(http=http, registry=shop.url)


async def test_an_agent_finds_what_is_there(agent: RegistryAgent) -> None:
    assert await agent.names() == ["github"]
    assert await agent.search("HUB") == ["github"]

    entry = await agent.register(" GitHub ")

    tools = entry["tools"]
    assert isinstance(tools, list)
    assert [tool["name"] for tool in tools] == ["addItem", "getItem", "listItems"]


async def test_an_agent_that_asks_for_what_is_not_there_gets_suggestions(
    agent: RegistryAgent,
) -> None:
    with pytest.raises(NotInTheRegistry) as refused:
        await agent.register("githab")
    assert refused.value.suggestions == ["github"]


async def test_calls_reach_the_api_as_the_agent_fills_them(
    agent: RegistryAgent, echo: EchoUpstream
) -> None:
    await agent.register("github")

    await agent.call("github", "listItems", q="a b", Traced="yes")
    await agent.call("github", "addItem", name="Lamp", price=7.5)
    await agent.call("github", "getItem", id="7")

    assert [seen.request_line.rpartition(" ")[0] for seen in echo.seen] == [
        "GET /v1/items?q=a+b",
        "POST /v1/items",
        "GET /v1/items/7",
    ]
    assert echo.seen[0].value("Traced") == "yes"
    assert json.loads(echo.seen[1].body) == {"name": "Lamp", "price": 7.5}


@pytest.mark.parametrize(
    ("value", "status"),
    [("a/b", 404), ("../secret", 400), ("%2e%2e", 400), ("7?x=1", 200)],
)
async def test_a_value_that_goes_in_raw_cannot_lead_out_of_the_api(
    agent: RegistryAgent, echo: EchoUpstream, value: str, status: int
) -> None:
    await agent.register("github")

    reply = await agent.call("github", "getItem", id=value)

    assert reply.status == status
    assert all(seen.target.startswith("/v1/items/7") for seen in echo.seen)


async def test_statuses_of_the_api_reach_the_agent(
    agent: RegistryAgent, echo: EchoUpstream
) -> None:
    await agent.register("github")
    echo.answer = Answer(status=404, body=b"gone")

    reply = await agent.call("github", "getItem", id="7")

    assert (reply.status, reply.body) == (404, b"gone")
    assert reply.headers["OCP-Context-ID"] == agent.context_id


async def test_the_api_sees_one_context_and_no_argument_of_earlier_calls(
    agent: RegistryAgent, echo: EchoUpstream
) -> None:
    agent.goal = "Find a lamp"
    await agent.register("github")
    await agent.call("github", "listItems", q="the-secret")
    await agent.call("github", "getItem", id="7")

    session = read_session(echo.last)

    assert session["context_id"] == agent.context_id
    assert session["current_goal"] == "Find a lamp"
    assert session["api_specs"] == {"github": "registry:github"}
    assert "the-secret" not in json.dumps(session)
    assert len(echo.last.values("OCP-Session")) == 1


async def test_two_agents_and_a_restart_have_one_history(
    agent: RegistryAgent, shop: GatewayProcess, http: aiohttp.ClientSession
) -> None:
    await agent.register("github")
    await agent.call("github", "getItem", id="1")
    await agent.call("github", "getItem", id="2")
    first = kept_entries(shop, agent.context_id)
    shop.restart()
    other = RegistryAgent(http=http, registry=shop.url, context_id=agent.context_id)
    await other.register("github")
    await other.call("github", "getItem", id="3")

    both = kept_entries(shop, agent.context_id)

    assert len(calls_of(first)) == 2
    assert len(calls_of(both)) == 3
    # The last two of what an agent notes about a call are sent with its next one only.
    noted = [(e["action"], e["result"]) for e in (*agent.history[:-2], *other.history[:-2])]
    assert len(both) == 3 + len(noted)
    assert [entry for entry in both if entry in first] == first
