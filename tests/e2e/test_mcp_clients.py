"""Every description, through the official MCP clients of both generations, over both transports."""

import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.dialogues import DIALOGUES, TRACKER, Dialogue
from tests.support.echo_upstream import Answer, EchoUpstream, Seen
from tests.support.gateway_process import GatewayProcess
from tests.support.mcp_conversation import (
    CONTEXT_KEY,
    Call,
    Conversation,
    Http,
    Stdio,
    converse_legacy,
    converse_modern,
    meta_of,
    text_of,
)
from tests.support.ocp import history, read_session

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One description behind a gateway that runs, and behind one that a client may start."""

    dialogue: Dialogue
    echo: EchoUpstream
    http: Http
    stdio: Stdio


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    converse: Callable[[Http | Stdio, Sequence[Call]], Awaitable[Conversation]]
    revision: str
    over_stdio: bool
    keeps_context: bool

    def __str__(self) -> str:
        return f"{self.revision}-{'stdio' if self.over_stdio else 'http'}"


def clients(over_stdio: bool) -> tuple[Client, Client]:
    return (
        Client(
            converse=converse_modern,
            revision="2026-07-28",
            over_stdio=over_stdio,
            keeps_context=False,
        ),
        Client(
            converse=converse_legacy,
            revision="2025-11-25",
            over_stdio=over_stdio,
            keeps_context=True,
        ),
    )


CLIENTS = (*clients(over_stdio=False), *clients(over_stdio=True))


def arguments_for(dialogue: Dialogue, echo: EchoUpstream, store: str) -> tuple[str, ...]:
    return (
        "--spec", f"{dialogue.api}={dialogue.description}",
        "--base-url", f"{dialogue.api}={echo.url}",
        "--store", store,
    )  # fmt: skip


def serve(dialogue: Dialogue, directory: Path) -> Iterator[Served]:
    store = f"sqlite:///{directory}/contexts.db"
    with EchoUpstream() as echo:
        arguments = arguments_for(dialogue, echo, store)
        with GatewayProcess(*arguments, directory=directory) as gateway:
            yield Served(
                dialogue=dialogue,
                echo=echo,
                http=Http(url=gateway.url),
                stdio=Stdio(arguments=("stdio", *arguments), directory=directory),
            )


@pytest.fixture(params=DIALOGUES, ids=lambda dialogue: dialogue.api, scope="module")
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    yield from serve(request.param, tmp_path_factory.mktemp(request.param.api))


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from serve(TRACKER, tmp_path_factory.mktemp("tracker"))


async def converse(
    client: Client, served: Served, calls: Sequence[Call]
) -> tuple[Conversation, Sequence[Seen]]:
    before = len(served.echo.seen)
    door = served.stdio if client.over_stdio else served.http
    conversation = await client.converse(door, calls)
    assert conversation.revision == client.revision
    return conversation, served.echo.seen[before:]


@pytest.mark.parametrize("client", CLIENTS, ids=str)
async def test_a_client_lists_every_tool_and_its_calls_arrive(
    served: Served, client: Client
) -> None:
    context_id = None if client.keeps_context else f"ocp-{uuid4().hex}"
    examples = served.dialogue.examples
    calls = [Call(tool=e.tool, arguments=e.arguments, context_id=context_id) for e in examples]

    conversation, seen = await converse(client, served, calls)

    assert len(conversation.tools) == len(conversation.names) == served.dialogue.tools
    assert [s.request_line for s in seen] == [e.request_line for e in examples]
    for example, request, result in zip(examples, seen, conversation.results, strict=True):
        assert (json.loads(request.body) if request.body else None) == example.body
        assert not result["isError"]
        assert json.loads(text_of(result))["request_line"] == example.request_line
        assert result["structuredContent"] == json.loads(text_of(result))
        assert meta_of(result)[CONTEXT_KEY] == request.value("OCP-Context-ID")
        assert context_id in (None, request.value("OCP-Context-ID"))
    told = [history(read_session(request)) for request in seen]
    entries = [(f"tool_call:{e.tool}", e.endpoint, "HTTP 200") for e in examples]
    assert told == [entries[:number] for number in range(len(examples))]


@pytest.mark.parametrize("client", CLIENTS, ids=str)
async def test_wrong_arguments_are_told_by_pointer_and_nothing_is_sent(
    tracker: Served, client: Client
) -> None:
    wrong = {"project": "gate", "title": 7, "labels": ["ok", 1], "colour": "red"}

    conversation, seen = await converse(
        client, tracker, [Call(tool="issuesCreate", arguments=wrong)]
    )

    (result,) = conversation.results
    assert result["isError"]
    for pointer in ("/title", "/labels/1", "colour"):
        assert pointer in text_of(result)
    assert not seen


@pytest.mark.parametrize("client", CLIENTS, ids=str)
async def test_a_picture_comes_as_an_image(tracker: Served, client: Client) -> None:
    tracker.echo.answer = Answer(headers=(("Content-Type", "image/png"),), body=PNG)
    try:
        conversation, _ = await converse(
            client, tracker, [Call(tool="projectsLogo", arguments={"project": "gate"})]
        )
    finally:
        tracker.echo.answer = Answer()

    (result,) = conversation.results
    content = result["content"]
    assert isinstance(content, list)
    assert [(block["type"], block["mimeType"]) for block in content] == [("image", "image/png")]


@pytest.mark.parametrize("client", CLIENTS, ids=str)
async def test_an_upstream_error_is_a_result_that_says_the_status(
    tracker: Served, client: Client
) -> None:
    tracker.echo.answer = Answer(
        status=403, headers=(("Content-Type", "application/json"),), body=b'{"why": "no entry"}'
    )
    try:
        conversation, _ = await converse(
            client, tracker, [Call(tool="projectsLogo", arguments={"project": "gate"})]
        )
    finally:
        tracker.echo.answer = Answer()

    (result,) = conversation.results
    assert result["isError"]
    assert "403" in text_of(result)
    assert "no entry" in text_of(result)


async def test_calls_that_name_no_context_get_one_each(tracker: Served) -> None:
    call = Call(tool="projectsLogo", arguments={"project": "gate"})

    _, seen = await converse(CLIENTS[0], tracker, [call, call])

    assert seen[0].value("OCP-Context-ID") != seen[1].value("OCP-Context-ID")


@pytest.mark.parametrize("client", clients(over_stdio=True), ids=str)
async def test_a_stdio_process_bound_to_a_context_uses_it_again_when_restarted(
    tracker: Served, client: Client
) -> None:
    context_id = f"ocp-{uuid4().hex}"
    door = Stdio(
        arguments=(*tracker.stdio.arguments, "--context", context_id),
        directory=tracker.stdio.directory,
    )
    calls = [Call(tool="projectsLogo", arguments={"project": "gate"})]
    before = len(tracker.echo.seen)

    await client.converse(door, calls)
    await client.converse(door, calls)

    first, second = tracker.echo.seen[before:]
    assert [r.value("OCP-Context-ID") for r in (first, second)] == [context_id, context_id]
    assert history(read_session(first)) == []
    assert history(read_session(second)) == [
        ("tool_call:projectsLogo", "GET /projects/{project}/logo", "HTTP 200")
    ]


async def test_the_door_of_one_api_has_the_same_tools(tracker: Served) -> None:
    one_api = Served(
        dialogue=tracker.dialogue,
        echo=tracker.echo,
        http=Http(url=tracker.http.url, api="tracker"),
        stdio=tracker.stdio,
    )

    everything, _ = await converse(CLIENTS[0], tracker, [])
    one, _ = await converse(CLIENTS[0], one_api, [])

    assert one.tools == everything.tools
