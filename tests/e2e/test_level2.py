"""What descriptions say of contexts (OCP Level 2), through the real command."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import aiohttp
import orjson
import pytest

from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import GatewayProcess
from tests.support.ocp import encode_session, read_session
from tests.support.plain_http import problem_of

ROOTS: Mapping[str, Mapping[str, object]] = {
    "v2": {"swagger": "2.0"},
    "v30": {"openapi": "3.0.3"},
    "v31": {"openapi": "3.1.0"},
    "v32": {"openapi": "3.2.0"},
}
# Each word of the protocol, and the member of the context that it means.
WORDS = {
    "agent_goal": "current_goal",
    "workspace_context": "workspace",
    "conversation_history": "history",
    "current_file": "current_file",
    "recent_changes": "recent_changes",
    "error_context": "error_context",
    "session": "session",
}
REQUIRED = {"context_id", "agent_type", "created_at", "last_updated"}
# They have nothing in them, and may stand there all the same.
EMPTY: Mapping[str, object] = {"history": [], "recent_changes": [], "api_specs": {}}


def description(root: Mapping[str, object]) -> Mapping[str, object]:
    uses: dict[str, object] = {word: {"enhances_with": [word]} for word in WORDS}
    uses |= {
        "nothing": {"enhances_with": []},
        "typo": {"enhances_with": ["agent_goal", "user"]},
        "unknown": {"enhances_with": ["current_goal"]},
        "anything": {},
        "needy": {"requires_context": True},
        "goal": {"updates_context": ["current_goal"]},
    }
    paths = {
        f"/{name}": {"get": {"operationId": name, "x-ocp-context": use, "responses": {}}}
        for name, use in uses.items()
    }
    return {**root, "info": {"title": "T", "version": "1"}, "paths": paths}


@pytest.fixture
def gateway(echo: EchoUpstream, tmp_path: Path) -> Iterator[GatewayProcess]:
    arguments: list[str] = []
    for name, root in ROOTS.items():
        (tmp_path / name).write_bytes(orjson.dumps(description(root)))
        arguments += ["--spec", f"{name}={name}", "--base-url", f"{name}={echo.url}"]
    with GatewayProcess(*arguments, directory=tmp_path) as process:
        yield process


def whole_context() -> dict[str, str]:
    """The headers of a caller whose context has something in every member."""
    context_id, now = f"ocp-{uuid4().hex}", "2026-01-01T00:00:00Z"
    session = {
        "context_id": context_id,
        "agent_type": "tester",
        "created_at": now,
        "last_updated": now,
        "user": "ann",
        "workspace": "shop",
        "current_file": "a.py",
        "current_goal": "Sell",
        "context_summary": "So far so good",
        "error_context": "It broke",
        "recent_changes": ["all of it"],
        "session": {"start_time": now, "interaction_count": 0, "agent_type": "tester"},
        "history": [{"timestamp": now, "action": "api_call_get", "api_endpoint": "GET /a"}],
        "api_specs": {"shop": "https://shop.example/spec"},
    }
    return {"OCP-Context-ID": context_id, "OCP-Session": encode_session(session)}


@pytest.mark.parametrize("api", ROOTS)
async def test_an_api_is_sent_what_its_description_asks_for(
    api: str, gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    others = {"nothing": None, "unknown": None, "typo": "current_goal"}
    for word, member in {**WORDS, **others}.items():
        async with http.get(f"{gateway.url}/apis/{api}/{word}", headers=whole_context()) as answer:
            assert answer.status == 200
        sent = read_session(echo.last)
        filled = {name for name, value in sent.items() if EMPTY.get(name) != value}
        assert filled - REQUIRED == ({member} if member else set()), word
        assert bool(echo.last.values("OCP-Current-Goal")) == (member == "current_goal")
        assert bool(echo.last.values("OCP-Workspace")) == (word == "workspace_context")
        assert not echo.last.values("OCP-User")


async def test_an_api_that_asks_for_nothing_in_particular_is_sent_everything(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{gateway.url}/apis/v31/anything", headers=whole_context()) as answer:
        assert answer.status == 200
    sent = read_session(echo.last)
    assert {*WORDS.values(), "user", "context_summary", "api_specs"} <= sent.keys()
    assert all(EMPTY.get(name) != value for name, value in sent.items())


@pytest.mark.parametrize("api", ROOTS)
async def test_a_call_without_a_context_is_refused_where_one_is_required(
    api: str, gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    url = f"{gateway.url}/apis/{api}/needy"
    async with http.get(url) as answer:
        assert (answer.status, (await problem_of(answer))["code"]) == (428, "context_required")
    assert not echo.seen
    async with http.get(url, headers={"OCP-Context-ID": "named"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(("tool", "goal"), [("goal", "Another"), ("anything", "Sell")])
async def test_an_answer_changes_what_the_description_names(
    tool: str,
    goal: str,
    gateway: GatewayProcess,
    echo: EchoUpstream,
    http: aiohttp.ClientSession,
) -> None:
    named = whole_context()
    context_id = named["OCP-Context-ID"]
    said = {"OCP-Context-ID": context_id, "OCP-Current-Goal": "Another", "OCP-User": "bob"}
    echo.answer = Answer(headers=tuple(said.items()))
    async with http.get(f"{gateway.url}/apis/v2/{tool}", headers=named) as answer:
        assert answer.status == 200
    async with http.get(f"{gateway.url}/contexts/{context_id}") as answer:
        kept = await answer.json()
    assert (kept["current_goal"], kept["user"]) == (goal, "ann")
