"""The OCP Python library, as it is, with the gateway for its registry (`make interop`)."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.descriptions_found import FOUND
from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import PATIENCE_SECONDS, GatewayProcess
from tests.support.ocp import read_session
from tests.support.registry_shop import calls_of, kept_entries, shop_behind_a_gateway

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-ocp" / "bin" / "python"
CLIENT = ROOT / "tests" / "support" / "ocp_agent_client.py"

Step = Mapping[str, object]
API_SPECS = {"github": "registry:github"}
REGISTER: Step = {"do": "register", "api": "github"}


def get_item(item: object) -> Step:
    return {"do": "call", "tool": "getItem", "parameters": {"id": item}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the library says of a run: its own history, and a result for each step."""

    context_id: str
    history: Sequence[Mapping[str, object]]
    results: Sequence[object]


def run(
    gateway: GatewayProcess,
    *steps: Step,
    context_id: str | None = None,
    home: Path | None = None,
    **agent: str,
) -> Told:
    """One agent in a process of its own: with a cache in `home`, the library's default, or none."""
    assert PYTHON.exists(), "run `make interop`: the library's environment is missing"
    plan = {
        "registry": gateway.url,
        "agent": agent,
        "context_id": context_id,
        "steps": steps,
        "cache": home is not None,
    }
    done = subprocess.run(
        [str(PYTHON), str(CLIENT)],
        env=None if home is None else {"HOME": str(home)},
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    return Told(context_id=said["context_id"], history=said["history"], results=said["results"])


@pytest.fixture
def echo() -> Iterator[EchoUpstream]:
    with EchoUpstream() as upstream:
        yield upstream


@pytest.fixture
def shop(echo: EchoUpstream, tmp_path: Path) -> Iterator[GatewayProcess]:
    with shop_behind_a_gateway(echo, tmp_path) as gateway:
        yield gateway


def test_it_lists_searches_and_registers(shop: GatewayProcess) -> None:
    steps = ({"do": "list"}, {"do": "search", "text": "hub"}, {"do": "search", "text": "nothing"})
    assert run(shop, *steps, REGISTER).results == [
        ["github"],
        ["github"],
        [],
        {
            "title": "github",
            "description": "",
            "base_url": f"{shop.url}/apis/github",
            "tools": ["addItem", "getItem", "listItems"],
        },
    ]


def test_it_takes_an_unknown_name_for_one_and_suggests_another(shop: GatewayProcess) -> None:
    (result,) = run(shop, {"do": "register", "api": "githab"}).results
    assert isinstance(result, dict)
    assert (result["error"], result["suggestions"]) == ("not found", ["github"])


def test_its_calls_reach_the_api(shop: GatewayProcess, echo: EchoUpstream) -> None:
    parameters = {"q": "a b", "Traced": "yes"}
    told = run(
        shop,
        REGISTER,
        {"do": "call", "tool": "listItems", "parameters": parameters},
        {"do": "call", "tool": "addItem", "parameters": {"name": "Lamp", "price": 7.5}},
        get_item(7),
        agent_type="ide_assistant",
        user="ann",
        workspace="shop",
        agent_goal="Find a lamp",
    )

    assert [seen.request_line.rpartition(" ")[0] for seen in echo.seen] == [
        "GET /v1/items?q=a+b",
        "POST /v1/items",
        "GET /v1/items/7",
    ]
    assert echo.seen[0].value("Traced") == "yes"
    assert json.loads(echo.seen[1].body) == {"name": "Lamp", "price": 7.5}
    for result in told.results[1:]:
        assert isinstance(result, dict)
        assert result["status"] == 200
        assert result["headers"]["ocp-context-id"] == told.context_id
    session = read_session(echo.last)
    assert {key: session[key] for key in ("agent_type", "user", "workspace", "current_goal")} == {
        "agent_type": "ide_assistant",
        "user": "ann",
        "workspace": "shop",
        "current_goal": "Find a lamp",
    }


def test_no_argument_of_an_earlier_call_goes_to_the_api(
    shop: GatewayProcess, echo: EchoUpstream
) -> None:
    secret = {"do": "call", "tool": "listItems", "parameters": {"q": "the-secret"}}
    told = run(shop, REGISTER, secret, get_item(7))

    assert "the-secret" in json.dumps(told.history)  # the library would send it
    assert "the-secret" not in json.dumps(read_session(echo.last))


@pytest.mark.parametrize("status", [404, 500])
def test_statuses_of_the_api_are_answers_to_it(
    shop: GatewayProcess, echo: EchoUpstream, status: int
) -> None:
    echo.answer = Answer(status=status, body=b"sorry")
    _, result = run(shop, REGISTER, get_item(7)).results
    assert isinstance(result, dict)
    assert (result["status"], result["body"]) == (status, "sorry")


def test_two_agents_and_a_restart_have_one_history(shop: GatewayProcess) -> None:
    one = run(shop, REGISTER, get_item(1), get_item(2))
    first = kept_entries(shop, one.context_id)
    shop.restart()
    two = run(shop, REGISTER, get_item(3), context_id=one.context_id)

    both = kept_entries(shop, one.context_id)

    assert len(calls_of(first)) == 2
    assert len(calls_of(both)) == 3
    # The last two of what the library notes about a call are sent with its next one only.
    noted = (*one.history[:-2], *two.history[:-2])
    assert len(both) == 3 + len(noted)
    assert [entry for entry in both if entry in first] == first


def test_with_its_cache_the_first_process_is_as_without(
    shop: GatewayProcess, echo: EchoUpstream, tmp_path: Path
) -> None:
    one = run(shop, REGISTER, get_item(1), get_item(2), home=tmp_path, agent_goal="Find a lamp")

    kept = kept_entries(shop, one.context_id)
    assert len(kept) == 2 + len(one.history[:-2])
    session = read_session(echo.last)
    assert (session["current_goal"], session["api_specs"]) == ("Find a lamp", API_SPECS)


def test_with_its_cache_later_processes_are_told_apart_from_their_sessions(
    shop: GatewayProcess, echo: EchoUpstream, tmp_path: Path
) -> None:
    """From the cache the library takes `cache` for the address of a description: no schema-valid
    session. Their calls work, in their context; of what they say the headers of their own count."""
    one = run(shop, REGISTER, get_item(1), home=tmp_path, workspace="shop")
    first = kept_entries(shop, one.context_id)
    two = run(
        shop,
        REGISTER,
        get_item(2),
        get_item(3),
        context_id=one.context_id,
        home=tmp_path,
        user="ann",
        workspace="lamps",
        agent_goal="Find a lamp",
    )

    _, *calls = two.results
    for call in calls:
        assert isinstance(call, dict)
        assert call["status"] == 200
        assert call["headers"]["ocp-context-id"] == one.context_id
    assert [seen.request_line.split()[1] for seen in echo.seen] == [
        "/v1/items/1",
        "/v1/items/2",
        "/v1/items/3",
    ]
    both = kept_entries(shop, one.context_id)
    assert both[: len(first)] == first
    assert calls_of(both[len(first) :]) == both[len(first) :]
    assert len(both) == len(first) + 2
    session = read_session(echo.last)
    said = {key: session.get(key) for key in ("api_specs", "current_goal", "user", "workspace")}
    assert said == {
        "api_specs": API_SPECS,
        "current_goal": "Find a lamp",
        "user": "ann",
        "workspace": "lamps",
    }


def test_it_has_the_tools_of_every_description(echo: EchoUpstream, tmp_path: Path) -> None:
    apis = {f"api{number}": path for number, path in enumerate(FOUND)}
    options = [("--spec", f"{n}={p}", "--base-url", f"{n}={echo.url}") for n, p in apis.items()]
    with GatewayProcess(*chain.from_iterable(options), directory=tmp_path) as gateway:
        told = run(gateway, *({"do": "register", "api": name} for name in apis))
        for name, result in zip(apis, told.results, strict=True):
            assert isinstance(result, dict), name
            assert result["tools"] == names_of_tools(gateway, name), name
            assert result["tools"], name


def names_of_tools(gateway: GatewayProcess, api: str) -> list[str]:
    url = f"{gateway.url}/tools?api={api}"
    with urlopen(url, timeout=PATIENCE_SECONDS) as response:  # noqa: S310 - our own gateway
        return [tool["name"] for tool in json.load(response)["tools"]]


def test_a_gateway_that_is_not_there_is_an_unavailable_registry(shop: GatewayProcess) -> None:
    shop.kill()
    (result,) = run(shop, REGISTER).results
    assert isinstance(result, dict)
    assert result["error"] == "unavailable"
