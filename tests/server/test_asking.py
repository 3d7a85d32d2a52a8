"""Calls that ask before they go on: rounds of one request, or of several."""

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.engine import MAX_ROUNDS, LogLine, Progress, ToolCall
from gateway.errors import CannotAsk, InputRequest, InputRequired, StoreUnavailable
from gateway.interfaces import SessionBoard
from gateway.mcp import Answered, CallTool, Reply, Work
from gateway.mcp.inputs import read_retry
from gateway.mcp.jsonrpc import RpcRequest
from gateway.mcp.revisions import V2025_11_25, V2026_07_28
from gateway.policy import ANONYMOUS
from gateway.server.asking import Asking
from gateway.server.channels import DirectChannel, QueueChannel
from gateway.server.mcp_calls import CallDesk, Caller
from gateway.server.session_records import SessionRecords
from gateway.stores import MemoryBoard
from tests.support.fake_gateway import FakeGateway, as_gateway
from tests.support.mcp_core import KEY, NOW, SERVER, error_of, result_of

CALLER = Caller(principal=ANONYMOUS)
SESSION = b"session-one."
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
FORM = InputRequest(
    method="elicitation/create", params={"message": "Who?", "requestedSchema": SCHEMA}
)
ROOTS = InputRequest(method="roots/list", params={})
REQUESTS = {"who": FORM, "where": ROOTS}
ANSWER = {"action": "accept", "content": {"name": "Ann"}}


async def ask_once(call: ToolCall) -> str:
    """Asks for two things, then says what it was told."""
    if call.continuation is None:
        raise required(REQUESTS, state={"step": 1})
    assert call.continuation.state == {"step": 1}
    return json.dumps(call.continuation.responses, sort_keys=True)


def required(
    requests: Mapping[str, InputRequest], *, state: Mapping[str, object] | None
) -> InputRequired:
    error = InputRequired(requests, state=state)
    error.context_id = "ocp-minted"
    return error


async def ask_for_ever(call: ToolCall) -> str:
    raise required({"who": FORM}, state={"calls": id(call)})


async def refuse(_: ToolCall) -> str:
    raise CannotAsk("the API asks for a sample", missing=frozenset({"sampling"}))


def legacy_call() -> Work:
    return Work(
        id=1,
        revision=V2025_11_25,
        server=SERVER,
        task=CallTool(name="listPets", arguments={}),
        session=SESSION,
        ambient_id="ocp-session",
        capabilities=frozenset({"elicitation.form", "roots"}),
    )


def modern_call(**params: object) -> Work:
    request = RpcRequest(id=2, method="tools/call", params={"name": "listPets", **params})
    return Work(
        id=2,
        revision=V2026_07_28,
        server=SERVER,
        task=CallTool(name="listPets", arguments={}),
        capabilities=frozenset({"elicitation.form", "roots"}),
        request=request,
        retry=read_retry(request),
    )


async def _at_once() -> None:
    pass


class Client:
    """A legacy client at the other end of a channel, which answers as it is told."""

    def __init__(
        self,
        fake: FakeGateway,
        *,
        patience: float = 5.0,
        board: SessionBoard | None = None,
    ) -> None:
        self.heard: list[dict[str, object]] = []
        self.asking = Asking(
            keys=(KEY,),
            clock=lambda: NOW,
            new_bytes=secrets.token_bytes,
            board=board or MemoryBoard(),
            patience_seconds=patience,
        )
        self.desk = CallDesk(
            as_gateway(fake),
            asking=self.asking,
            records=SessionRecords(MemoryBoard(), clock=lambda: NOW),
            new_bytes=secrets.token_bytes,
        )
        self.hearer = self.asking
        self.answering: list[asyncio.Future[None]] = []
        self.answers: dict[str, Mapping[str, object] | None] = {}

    async def call(self, work: Work) -> Reply:
        return await self.desk.settle(work, CALLER, DirectChannel(self._hear, _at_once))

    def _hear(self, data: bytes) -> None:
        message = json.loads(data)
        self.heard.append(message)
        if message.get("method") in self.answers:
            result = self.answers[message["method"]]
            answered = Answered(session=SESSION, id=message["id"], result=result)
            self.answering.append(asyncio.ensure_future(self.hearer.hear(answered)))


def text_of(reply: Reply) -> str:
    content = result_of(reply)["content"]
    assert isinstance(content, list)
    return str(content[0]["text"])


def contexts_of(reply: Reply) -> list[object]:
    """The context that the result names, and that of the header."""
    meta = result_of(reply).get("_meta")
    assert isinstance(meta, dict)
    return [meta.get("io.opencontextprotocol/context-id"), dict(reply.headers)["OCP-Context-ID"]]


async def test_a_legacy_client_is_asked_while_its_request_is_open() -> None:
    fake = FakeGateway(listPets=ask_once)
    client = Client(fake)
    client.answers = {"elicitation/create": ANSWER, "roots/list": {"roots": []}}
    reply = await client.call(legacy_call())
    assert json.loads(text_of(reply)) == {"who": ANSWER, "where": {"roots": []}}
    assert {str(message["method"]) for message in client.heard} == set(client.answers)
    assert [call.abilities >= {"elicitation.form", "roots"} for call in fake.calls] == [True] * 2


@pytest.mark.parametrize(
    "answers",
    [{"roots/list": {"roots": []}}, {"elicitation/create": None, "roots/list": None}],
    ids=["one is silent", "errors"],
)
async def test_without_an_answer_the_call_ends_as_a_result(
    answers: dict[str, Mapping[str, object] | None],
) -> None:
    client = Client(FakeGateway(listPets=ask_once), patience=0.01)
    client.answers = answers
    reply = await client.call(legacy_call())
    assert result_of(reply)["isError"] is True
    assert "did not answer" in text_of(reply)
    assert contexts_of(reply) == ["ocp-minted"] * 2
    assert not client.asking._open


async def test_nobody_is_asked_for_ever() -> None:
    fake = FakeGateway(listPets=ask_for_ever)
    client = Client(fake)
    client.answers = {"elicitation/create": ANSWER}
    reply = await client.call(legacy_call())
    assert result_of(reply)["isError"] is True
    assert contexts_of(reply) == ["ocp-minted"] * 2
    assert "may have been carried out" in text_of(reply)
    assert len(client.heard) == MAX_ROUNDS
    assert len(fake.calls) == MAX_ROUNDS + 1


async def test_an_answer_may_arrive_in_another_process() -> None:
    board = MemoryBoard()
    client = Client(FakeGateway(listPets=ask_once), board=board)
    client.hearer = Client(FakeGateway(), board=board).asking
    client.answers = {"elicitation/create": ANSWER, "roots/list": {"roots": []}}
    reply = await client.call(legacy_call())
    assert json.loads(text_of(reply)) == {"who": ANSWER, "where": {"roots": []}}


async def test_without_the_board_an_answer_in_this_process_is_heard() -> None:
    client = Client(FakeGateway(listPets=ask_once), board=NoBoard())
    client.answers = {"elicitation/create": ANSWER, "roots/list": {"roots": []}}
    reply = await client.call(legacy_call())
    assert json.loads(text_of(reply)) == {"who": ANSWER, "where": {"roots": []}}


async def test_at_the_end_nobody_is_waited_for() -> None:
    client = Client(FakeGateway(listPets=ask_once))
    calling = asyncio.ensure_future(client.call(legacy_call()))
    while len(client.heard) < len(REQUESTS):  # noqa: ASYNC110 - nothing else tells
        await asyncio.sleep(0)
    client.asking.close()
    for reply in (await calling, await client.call(legacy_call())):
        assert result_of(reply)["isError"] is True
        assert "the gateway is ending" in text_of(reply)
    assert len(client.heard) == len(REQUESTS)


async def test_a_late_answer_without_a_board_is_dropped() -> None:
    client = Client(FakeGateway(), board=NoBoard())
    await client.asking.hear(Answered(session=SESSION, id="q.late", result={}))


class NoBoard(MemoryBoard):
    """A board whose store is down."""

    async def post(self, box: str, value: bytes, *, seconds: float) -> None:
        raise StoreUnavailable(f"no store for {box}")

    async def take(self, box: str, *, seconds: float) -> bytes | None:
        raise StoreUnavailable(f"no store for {box}")


async def test_a_modern_client_is_asked_by_the_result_and_calls_again() -> None:
    fake = FakeGateway(listPets=ask_once)
    client = Client(fake)
    first = result_of(await client.call(modern_call()))
    assert first["resultType"] == "input_required"
    assert first["inputRequests"] == {
        "who": {"method": "elicitation/create", "params": FORM.params},
        "where": {"method": "roots/list", "params": {}},
    }
    retry = modern_call(inputResponses={"who": ANSWER}, requestState=first["requestState"])
    assert json.loads(text_of(await client.call(retry))) == {"who": ANSWER}
    assert fake.calls[1].claim.ambient_id == "ocp-minted"
    assert not client.heard


async def test_a_state_is_for_the_same_arguments_only() -> None:
    client = Client(FakeGateway(listPets=ask_once))
    first = result_of(await client.call(modern_call()))
    for change in ({"arguments": {"id": 2}}, {"requestState": f"{first['requestState']}-TAMPERED"}):
        retry = modern_call(
            **{"inputResponses": {}, "requestState": first["requestState"], **change}
        )
        assert error_of(await client.call(retry))["code"] == -32602


async def test_a_modern_call_asks_so_many_times() -> None:
    client = Client(FakeGateway(listPets=ask_for_ever))
    rounds, params = 0, dict[str, object]()
    while (result := result_of(await client.call(modern_call(**params)))).get("isError") is None:
        rounds += 1
        params = {"inputResponses": {}, "requestState": result["requestState"]}
    assert rounds == MAX_ROUNDS


@pytest.mark.parametrize("state", [None, {"step": 1}], ids=["no state", "a state"])
async def test_a_result_that_asks_names_its_context(state: Mapping[str, object] | None) -> None:
    async def ask(_: ToolCall) -> str:
        raise required({"who": FORM}, state=state)

    reply = await Client(FakeGateway(listPets=ask)).call(modern_call())
    assert result_of(reply)["resultType"] == "input_required"
    assert contexts_of(reply) == ["ocp-minted"] * 2


async def test_a_call_whose_state_is_too_large_names_its_context() -> None:
    async def ask(_: ToolCall) -> str:
        raise required({"who": FORM}, state={"all": "x" * 65_536})

    reply = await Client(FakeGateway(listPets=ask)).call(modern_call())
    assert result_of(reply)["isError"] is True
    assert contexts_of(reply) == ["ocp-minted"] * 2


async def test_answers_without_a_state_go_to_the_tool() -> None:
    async def cold(call: ToolCall) -> str:
        assert call.continuation
        assert call.continuation.state is None
        return json.dumps(call.continuation.responses)

    client = Client(FakeGateway(listPets=cold))
    reply = await client.call(modern_call(inputResponses={"who": ANSWER}))
    assert json.loads(text_of(reply)) == {"who": ANSWER}


async def test_what_a_modern_client_has_not_declared_is_named() -> None:
    client = Client(FakeGateway(listPets=refuse))
    reply = await client.call(modern_call())
    assert reply.status == 400
    assert error_of(reply)["code"] == -32021
    assert error_of(reply)["data"] == {"requiredCapabilities": {"sampling": {}}}


async def test_a_legacy_client_gets_a_result_for_it() -> None:
    client = Client(FakeGateway(listPets=refuse))
    assert result_of(await client.call(legacy_call()))["isError"] is True


async def say_much(call: ToolCall) -> str:
    assert call.listener
    for number in (1, 2, 2, 1, 3):
        await call.listener.progress(Progress(progress=number, total=3, message="m"))
    for level in ("debug", "info", "error"):
        await call.listener.log(LogLine(level=level, data={"n": 1}))
    return "done"


async def test_progress_only_grows_and_belongs_to_its_token() -> None:
    client = Client(FakeGateway(listPets=say_much))
    await client.call(replace(legacy_call(), progress_token=7))
    told = [m["params"] for m in client.heard if m["method"] == "notifications/progress"]
    assert told == [
        {"progressToken": 7, "progress": number, "total": 3, "message": "m"} for number in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("work", "levels"),
    [
        (legacy_call(), ["info", "error"]),
        (modern_call(), []),
        (replace(modern_call(), log_level="error"), ["error"]),
        (replace(modern_call(), log_level="debug"), ["debug", "info", "error"]),
    ],
    ids=["legacy", "modern that asked for none", "errors", "everything"],
)
async def test_log_lines_from_the_wanted_level_on(work: Work, levels: list[str]) -> None:
    client = Client(FakeGateway(listPets=say_much))
    await client.call(work)
    lines = [m["params"] for m in client.heard if m["method"] == "notifications/message"]
    assert lines == [{"level": level, "data": {"n": 1}} for level in levels]


async def test_nothing_is_made_of_what_nobody_hears() -> None:
    async def say(call: ToolCall) -> str:
        assert call.listener
        await call.listener.log(LogLine(level="error", data=object()))  # JSON has no such thing
        await call.listener.progress(Progress(progress=1))
        return "done"

    work = replace(legacy_call(), progress_token=7)
    desk = Client(FakeGateway(listPets=say)).desk
    reply = await desk.settle(work, CALLER, QueueChannel(can_send=False))
    assert text_of(reply) == "done"


async def test_a_channel_makes_speakers_wait_for_room() -> None:
    channel = QueueChannel(can_send=True)
    big = b"x" * 300_000
    assert await channel.send(big)
    async with asyncio.TaskGroup() as group:
        second = group.create_task(channel.send(b"small"))
        await asyncio.sleep(0)
        assert not second.done()
        assert channel.take() == big
    assert second.result()
    assert channel.take() == b"small"
    assert channel.is_empty


async def test_who_has_left_is_not_waited_for() -> None:
    channel = QueueChannel(can_send=True)
    await channel.send(b"x" * 300_000)
    async with asyncio.TaskGroup() as group:
        second = group.create_task(channel.send(b"small"))
        await asyncio.sleep(0)
        channel.close()
    assert not second.result()
    assert channel.is_empty
