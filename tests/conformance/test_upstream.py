"""The fixture API itself, without a gateway: it is what openapi.yaml and the envelope say."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tests.conformance.conversations import CONVERSATIONS
from tests.conformance.envelope import ABILITIES, MEDIA_TYPE
from tests.conformance.upstream import make_app

HERE = Path(__file__).parent
DESCRIPTION = yaml.safe_load((HERE / "openapi.yaml").read_text())
SILENT = {
    "/embedded-resource",
    "/multiple-content-types",
    "/progress",
    "/logging",
    "/logging-at-once",
}
ACCEPT = {"Accept": MEDIA_TYPE, ABILITIES: ""}
ACCEPTED = {"action": "accept", "content": {"name": "Alice", "ok": True, "color": "blue"}}

Api = TestClient[web.Request, web.Application]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    description = tmp_path / "openapi.yaml"
    description.write_text((HERE / "openapi.yaml").read_text())
    async with TestClient(TestServer(make_app(description))) as client:
        yield client


async def lines_of(
    api: Api, path: str, answered: Mapping[str, object] | None = None, state: object = None
) -> list[dict[str, object]]:
    """One round: the lines that a call, or the continuation of one, is answered with."""
    body: dict[str, object] = {"prompt": "Hello", "message": "Hello"}
    headers = dict(ACCEPT)
    if answered is not None:
        body = {"type": "continue", "body": body, "responses": answered, "state": state}
        headers["Content-Type"] = MEDIA_TYPE
    async with api.post(path, json=body, headers=headers) as response:
        assert response.content_type == MEDIA_TYPE
        text = await response.text()
    return [json.loads(line) for line in text.splitlines()]


def test_it_has_the_operations_that_it_describes() -> None:
    described = {
        (method.upper(), path)
        for path, operations in DESCRIPTION["paths"].items()
        for method in operations
    }
    routes = make_app(Path("openapi.yaml")).router.routes()
    served = {
        (route.method, route.resource.canonical)
        for route in routes
        if route.resource is not None and route.method != "HEAD"
    }

    assert served == described


def test_the_configuration_names_its_operations_only() -> None:
    configured = yaml.safe_load((HERE / "gateway.yaml").read_text())
    described = {
        operation["operationId"]
        for operations in DESCRIPTION["paths"].values()
        for operation in operations.values()
    }

    assert configured["apis"][0]["tools"].keys() <= described


@pytest.mark.parametrize("path", CONVERSATIONS)
async def test_each_conversation_ends_or_asks(api: Api, path: str) -> None:
    *before, last = await lines_of(api, path)

    assert last["type"] == ("result" if path in SILENT else "input_required")
    assert {line["type"] for line in before} <= {"progress", "log"}


@pytest.mark.parametrize("path", CONVERSATIONS)
async def test_whoever_answers_what_is_asked_gets_a_result(api: Api, path: str) -> None:
    last = (await lines_of(api, path))[-1]
    for _ in range(2):
        if last["type"] == "result":
            break
        assert isinstance(last["requests"], dict)
        answered = dict.fromkeys(last["requests"], ACCEPTED)
        last = (await lines_of(api, path, answered, last.get("state")))[-1]

    assert last["type"] == "result"


@pytest.mark.parametrize(
    ("answered", "last"),
    [
        pytest.param({}, "input_required", id="no answer"),
        pytest.param({"wrong_key": ACCEPTED}, "input_required", id="another key"),
        pytest.param({"user_name": 12345}, "input_required", id="no object"),
        pytest.param({"user_name": ACCEPTED, "more": ACCEPTED}, "result", id="one key more"),
        pytest.param({"user_name": {"action": "decline"}}, "result", id="declined"),
    ],
)
async def test_a_missing_answer_is_asked_for_again(
    api: Api, answered: Mapping[str, object], last: str
) -> None:
    lines = await lines_of(api, "/input-required/elicitation", answered)

    assert lines[-1]["type"] == last


async def test_it_answers_only_who_reads_the_envelope(api: Api) -> None:
    async with api.post("/logging-at-once") as response:
        assert response.status == 406


async def test_each_trigger_makes_another_description(api: Api) -> None:
    seen = []
    for _ in range(3):
        async with api.post("/generation") as response:
            assert response.status == 200
        async with api.get("/generation") as response:
            seen.append(await response.text())

    assert seen == ["1", "2", "3"]
