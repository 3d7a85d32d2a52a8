"""One context, made, used and read through every door of two gateways that share a Redis."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.support.dialogues import TRACKER
from tests.support.echo_upstream import EchoUpstream
from tests.support.gateway_process import GatewayProcess
from tests.support.mcp_conversation import (
    CONTEXT_KEY,
    Call,
    Http,
    Stdio,
    converse_legacy,
    converse_modern,
    meta_of,
)
from tests.support.plain_http import call_tool
from tests.support.redis_server import RedisServer

LOGO = "projectsLogo"
OWN = ("ocpContextCreate", "ocpContextGet", "ocpContextUpdate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    echo: EchoUpstream
    config: Path
    one: str
    other: str


def configure(directory: Path, echo: EchoUpstream, store: str) -> Path:
    path = directory / "gateway.yaml"
    path.write_text(
        f"store: {{url: '{store}'}}\n"
        "mcp: {context_argument: true}\n"
        f"apis: [{{name: tracker, spec: '{TRACKER.description}', base_url: '{echo.url}'}}]\n"
    )
    return path


@pytest.fixture
def replicas(echo: EchoUpstream, shared_redis: RedisServer, tmp_path: Path) -> Iterator[Replicas]:
    config = configure(tmp_path, echo, shared_redis.url)
    places = [tmp_path / name for name in ("one", "other")]
    for place in places:
        place.mkdir()
    with (
        GatewayProcess(str(config), directory=places[0]) as one,
        GatewayProcess(str(config), directory=places[1]) as other,
    ):
        yield Replicas(echo=echo, config=config, one=one.url, other=other.url)


def structured(result: Mapping[str, object]) -> dict[str, object]:
    assert not result["isError"], result
    value = result["structuredContent"]
    assert isinstance(value, dict)
    return value


def actions(context: Mapping[str, object]) -> list[str]:
    entries = context["history"]
    assert isinstance(entries, list)
    return [entry["action"] for entry in entries]


def logo(**arguments: object) -> Call:
    return Call(tool=LOGO, arguments={"project": "gate", **arguments})


async def test_a_conversation_goes_on_in_another_gateway_through_another_door(
    replicas: Replicas, http: aiohttp.ClientSession
) -> None:
    goal = {"current_goal": "find the logo"}
    talk = await converse_modern(Http(url=replicas.one), [Call(tool=OWN[0], arguments=goal)])
    context_id = str(structured(talk.results[0])["context_id"])
    named = {"OCP-Context-ID": context_id}

    await converse_modern(Http(url=replicas.other), [logo(ocpContextId=context_id)] * 2)
    await call_tool(http, replicas.one, LOGO, {"project": "gate", "ocpContextId": context_id})
    url = f"{replicas.other}/apis/tracker/projects/gate/logo"
    async with http.get(url, headers=named) as response:
        assert response.headers["OCP-Context-ID"] == context_id
    patch = {"context_summary": "seen four times"}
    async with http.patch(f"{replicas.one}/contexts/{context_id}", json=patch) as response:
        assert response.status == 200
    talk = await converse_modern(
        Http(url=replicas.other, api="tracker"),
        [Call(tool=OWN[1], arguments={"ocpContextId": context_id})],
    )

    context = structured(talk.results[0])
    assert (context["current_goal"], context["context_summary"]) == (
        "find the logo",
        "seen four times",
    )
    assert actions(context) == [
        f"tool_call:{OWN[0]}",
        *[f"tool_call:{LOGO}"] * 3,
        "api_call_get",
    ]
    assert all(request.value("OCP-Context-ID") == context_id for request in replicas.echo.seen)
    assert not any("ocpContextId" in request.request_line for request in replicas.echo.seen)
    async with http.get(f"{replicas.other}/contexts/{context_id}") as response:
        assert actions(await response.json()) == [*actions(context), f"tool_call:{OWN[1]}"]


@pytest.mark.parametrize("over_stdio", [False, True], ids=["http", "stdio"])
async def test_a_legacy_session_needs_no_argument(replicas: Replicas, over_stdio: bool) -> None:
    door: Http | Stdio = Http(url=replicas.one)
    if over_stdio:
        door = Stdio(arguments=("stdio", str(replicas.config)), directory=replicas.config.parent)
    calls: Sequence[Call] = [
        Call(tool=OWN[2], arguments={"current_goal": "g"}),
        logo(),
        Call(tool=OWN[1], arguments={}),
    ]

    talk = await converse_legacy(door, calls)

    assert {*OWN} < talk.names
    context = structured(talk.results[-1])
    assert context["current_goal"] == "g"
    assert actions(context) == [f"tool_call:{OWN[2]}", f"tool_call:{LOGO}"]
    assert {meta_of(result)[CONTEXT_KEY] for result in talk.results} == {context["context_id"]}
