"""How tools are published, judged by the official clients of both generations."""

import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import GatewayProcess
from tests.support.mcp_conversation import (
    Call,
    Conversation,
    Http,
    Stdio,
    converse_legacy,
    converse_modern,
    text_of,
)
from tests.support.serving import write_spec
from tests.support.tools import parameter

Converse = Callable[[Http | Stdio, Sequence[Call]], Awaitable[Conversation]]

# In the description it is a list of texts, whatever the API says.
ANSWERS = {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}
PATHS = {
    "/pets": {
        "get": {
            "operationId": "listPets",
            "summary": "List all pets",
            "responses": {"200": {"description": "ok", "content": ANSWERS}},
        }
    },
    "/pets/{id}": {
        "parameters": [parameter("id", "path", {"type": "integer"})],
        "delete": {"operationId": "dropPet", "summary": "Give a pet away"},
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    echo: EchoUpstream
    http: Http
    stdio: Stdio


def open_doors(directory: Path, settings: str) -> Iterator[Doors]:
    with EchoUpstream() as echo:
        spec = write_spec(directory, PATHS, name="pets")
        config = directory / "gateway.yaml"
        config.write_text(
            f"store: {{url: 'memory://'}}\nmcp: {settings}\n"
            f"apis: [{{name: pets, spec: {spec}, base_url: '{echo.url}', ocp_headers: 'off'}}]\n"
        )
        with GatewayProcess(str(config), directory=directory) as gateway:
            stdio = Stdio(arguments=("stdio", str(config)), directory=directory)
            yield Doors(echo=echo, http=Http(url=gateway.url), stdio=stdio)


@pytest.fixture(scope="module")
def searching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    yield from open_doors(tmp_path_factory.mktemp("searching"), "{tools: search}")


@pytest.fixture(scope="module")
def describing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    yield from open_doors(tmp_path_factory.mktemp("describing"), "{output_schemas: true}")


@pytest.mark.parametrize("converse", [converse_modern, converse_legacy])
@pytest.mark.parametrize("over", ["http", "stdio"])
async def test_a_model_searches_reads_and_calls(
    searching: Doors, converse: Converse, over: str
) -> None:
    door = searching.http if over == "http" else searching.stdio
    calls = [
        Call(tool="searchTools", arguments={"query": "giving pets away"}),
        Call(tool="describeTool", arguments={"name": "dropPet"}),
        Call(tool="callTool", arguments={"name": "dropPet", "arguments": {"id": 7}}),
        Call(tool="callTool", arguments={"name": "dropPet", "arguments": {"id": "seven"}}),
        Call(tool="callTool", arguments={"name": "dropPets"}),
    ]
    said = await converse(door, calls)
    assert said.names == {"searchTools", "describeTool", "callTool"}
    found, read, called, faulty, unknown = said.results
    line = {"name": "dropPet", "description": "Give a pet away", "api": "pets", "required": ["id"]}
    assert json.loads(text_of(found))["tools"][0] == line
    (definition,) = json.loads(text_of(read))["tools"]
    assert definition["inputSchema"]["properties"] == {"id": {"type": "integer"}}
    assert json.loads(text_of(called))["request_line"] == "DELETE /pets/7 HTTP/1.1"
    assert [result["isError"] for result in said.results] == [False, False, False, True, True]
    assert "/arguments/id" in text_of(faulty)
    assert "did you mean dropPet" in text_of(unknown)


JSON = (("Content-Type", "application/json"),)
TEXT = (("Content-Type", "text/plain"),)
PICTURE = (("Content-Type", "image/png"),)


@pytest.mark.parametrize("converse", [converse_modern, converse_legacy])
@pytest.mark.parametrize(
    ("answer", "content"),
    [
        pytest.param(Answer(headers=JSON, body=b'["a"]'), {"result": ["a"]}, id="as described"),
        pytest.param(Answer(headers=JSON, body=b"[1]"), {"result": [1]}, id="other items"),
        pytest.param(Answer(headers=JSON, body=b'{"a":1}'), {"a": 1}, id="an object"),
        pytest.param(Answer(headers=JSON, body=b"null"), {"result": None}, id="null"),
        pytest.param(Answer(headers=JSON, body=b"0"), {"result": 0}, id="zero"),
        pytest.param(
            Answer(headers=JSON, body=b"[" * 90 + b"]" * 90),
            {"result": json.loads("[" * 90 + "]" * 90)},
            id="deep",
        ),
        pytest.param(Answer(headers=TEXT, body=b"hello"), {"result": "hello"}, id="text"),
        pytest.param(Answer(status=204, body=b""), {"result": "HTTP 204, no content"}, id="none"),
        pytest.param(Answer(headers=PICTURE, body=b"x"), {"result": None}, id="a picture"),
        pytest.param(Answer(status=500, headers=JSON, body=b"{}"), None, id="an error"),
    ],
)
async def test_no_client_turns_an_answer_down(
    describing: Doors, converse: Converse, answer: Answer, content: object
) -> None:
    describing.echo.answer = answer
    said = await converse(describing.http, [Call(tool="listPets", arguments={})])
    (tool,) = (tool for tool in said.tools if tool["name"] == "listPets")
    assert tool["outputSchema"]
    assert said.results[0]["structuredContent"] == content
