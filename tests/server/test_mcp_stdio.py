"""MCP over two pipes, with a gateway that does as it is told."""

import asyncio
import json
import os
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from gateway.catalog import Catalog
from gateway.engine import LogLine, ToolCall
from gateway.mcp import MAX_LINE, Publication, StdioDialogue, ToolPages
from gateway.server.asking import Asking
from gateway.server.listening import Listening
from gateway.server.mcp_calls import CallDesk
from gateway.server.mcp_stdio import Counter, serve_stdio
from gateway.server.session_records import SessionRecords
from gateway.stores import MemoryBoard
from tests.support.fake_gateway import FakeGateway, as_gateway
from tests.support.mcp_core import (
    KEY,
    NOW,
    SERVER,
    catalog,
    encoded,
    message,
    modern_message,
)

PATIENCE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """The other side of the pipes."""

    fake: FakeGateway
    process: asyncio.Task[None]
    stdin: int
    answers: asyncio.StreamReader
    open: Callable[[], None]

    def say(self, *values: object) -> None:
        lines = [value if isinstance(value, bytes) else encoded(value) for value in values]
        os.write(self.stdin, b"".join(line + b"\n" for line in lines))

    async def hear(self) -> dict[str, object]:
        async with asyncio.timeout(PATIENCE):
            line = await self.answers.readline()
        assert line.endswith(b"\n")
        value = json.loads(line)
        assert isinstance(value, dict)
        return value

    def hang_up(self) -> None:
        os.close(self.stdin)

    async def end(self) -> bytes:
        """What it still said before it went."""
        async with asyncio.timeout(PATIENCE):
            await self.process
            return await self.answers.read()


@asynccontextmanager
async def start(fake: FakeGateway, *, is_ready: bool = True) -> AsyncIterator[Child]:
    loop = asyncio.get_running_loop()
    their_stdin, our_stdin = os.pipe()
    our_stdout, their_stdout = os.pipe()
    answers = asyncio.StreamReader(limit=2**24)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(answers), os.fdopen(our_stdout, "rb")
    )
    gateway = as_gateway(fake)
    board = MemoryBoard()
    asking = Asking(keys=(KEY,), clock=lambda: NOW, new_bytes=secrets.token_bytes, board=board)
    records = SessionRecords(board, clock=lambda: NOW)
    desk = CallDesk(gateway, asking=asking, records=records, new_bytes=lambda size: b"n" * size)
    listening = Listening(gateway.changes, clock=lambda: NOW, look=records.look)
    ready: asyncio.Future[Counter] = loop.create_future()
    open_counter = partial(ready.set_result, Counter(desk=desk, listening=listening))
    if is_ready:
        open_counter()
    dialogue = StdioDialogue(
        publication=Publication(server=SERVER, pages=ToolPages(SERVER), view=gateway.view),
        questions=asking.questions,
        own_context="ocp-00000001",
    )

    async def live() -> None:
        try:
            await serve_stdio(ready, dialogue=dialogue, stdin=their_stdin, stdout=their_stdout)
        finally:
            os.close(their_stdout)

    async with asyncio.TaskGroup() as group:
        process = group.create_task(live())
        yield Child(fake=fake, process=process, stdin=our_stdin, answers=answers, open=open_counter)
        process.cancel()
    transport.close()
    os.close(their_stdin)


def call(request_id: object, name: str = "listPets") -> dict[str, object]:
    return message("tools/call", {"name": name}, request_id=request_id)


def modern_call(request_id: object, name: str = "listPets") -> dict[str, object]:
    return modern_message("tools/call", {"name": name}, request_id=request_id)


INITIALIZE = message("initialize", {"protocolVersion": "2025-11-25"}, request_id="init")


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_a_conversation_ends_with_its_input(era: str) -> None:
    async with start(FakeGateway()) as child:
        opening = INITIALIZE if era == "legacy" else modern_message("server/discover")
        child.say(opening, (call if era == "legacy" else modern_call)("c"))
        assert "result" in await child.hear()
        answer = await child.hear()
        assert answer["id"] == "c"
        child.hang_up()
        assert await child.end() == b""


async def test_a_level_holds_for_the_calls_after_it() -> None:
    async def talk(call: ToolCall) -> str:
        assert call.listener is not None
        for level in ("debug", "error"):
            await call.listener.log(LogLine(level=level, data=level))
        return "done"

    async with start(FakeGateway(listPets=talk)) as child:
        child.say(INITIALIZE)
        await child.hear()
        for number, (least, heard) in enumerate((("debug", 2), ("error", 1), ("emergency", 0))):
            child.say(message("logging/setLevel", {"level": least}, request_id=least))
            assert await child.hear() == {"jsonrpc": "2.0", "id": least, "result": {}}
            child.say(call(number))
            said = [await child.hear() for _ in range(heard + 1)]
            assert [m.get("method") for m in said] == ["notifications/message"] * heard + [None]
        child.hang_up()
        await child.end()


async def test_input_is_read_while_calls_run_and_answers_come_as_they_are_ready() -> None:
    may_end = asyncio.Event()

    async def slow(_: ToolCall) -> str:
        await may_end.wait()
        return "slow"

    async with start(FakeGateway(addPet=slow)) as child:
        child.say(INITIALIZE, call("slow", "addPet"), call("quick"))
        assert [(await child.hear())["id"] for _ in range(2)] == ["init", "quick"]
        may_end.set()
        assert (await child.hear())["id"] == "slow"
        child.hang_up()
        await child.end()


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_r27_a_cancelled_call_is_stopped_and_never_answered(era: str) -> None:
    async def forever(_: ToolCall) -> str:
        await asyncio.Event().wait()
        raise AssertionError

    cancel = {
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": {"requestId": "long"},
    }
    make = call if era == "legacy" else modern_call
    opening = INITIALIZE if era == "legacy" else modern_message("server/discover")
    async with start(FakeGateway(addPet=forever)) as child:
        # In one write, so that the cancellation is there before the call has begun.
        child.say(opening, make("long", "addPet"), cancel, make("next"))
        await child.hear()
        assert (await child.hear())["id"] == "next"
        async with asyncio.timeout(PATIENCE):
            await child.fake.cancelled.wait()
        child.hang_up()
        assert await child.end() == b""


async def test_what_is_in_flight_at_the_end_of_input_is_still_answered() -> None:
    may_end = asyncio.Event()

    async def slow(_: ToolCall) -> str:
        await may_end.wait()
        return "slow"

    async with start(FakeGateway(addPet=slow)) as child:
        child.say(INITIALIZE, call("slow", "addPet"))
        assert (await child.hear())["id"] == "init"
        # A line without an end is answered at the end of input, so its answer tells of that.
        os.write(child.stdin, encoded(message("ping", request_id="last")))
        child.hang_up()
        assert (await child.hear())["id"] == "last"
        may_end.set()
        assert json.loads(await child.end())["id"] == "slow"


async def test_a_call_that_never_ends_does_not_keep_the_process() -> None:
    async def forever(_: ToolCall) -> str:
        await asyncio.Event().wait()
        raise AssertionError

    async with start(FakeGateway(addPet=forever)) as child:
        child.say(INITIALIZE, call("long", "addPet"))
        await child.hear()
        child.hang_up()
        assert await child.end() == b""
        assert child.fake.cancelled.is_set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_signal_ends_the_conversation_in_order(number: int) -> None:
    async with start(FakeGateway()) as child:
        child.say(INITIALIZE)
        await child.hear()
        os.kill(os.getpid(), number)
        assert await child.end() == b""
        child.hang_up()


async def test_bad_lines_are_answered_and_the_rest_goes_on() -> None:
    async with start(FakeGateway()) as child:
        child.say(INITIALIZE)
        await child.hear()
        child.say(b"not json", b"\xff", b"", call("after"))
        for _ in range(2):
            error = (await child.hear())["error"]
            assert isinstance(error, dict)
            assert error["code"] == -32700
        assert (await child.hear())["id"] == "after"
        child.hang_up()
        await child.end()


async def test_a_line_that_is_too_long_is_skipped_to_its_end() -> None:
    async with start(FakeGateway()) as child:
        line = b'"' + b"x" * MAX_LINE + b'"\n' + encoded(message("ping")) + b"\n"
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(None, _write_all, child.stdin, line)
        error = (await child.hear())["error"]
        assert isinstance(error, dict)
        assert error["code"] == -32700
        assert (await child.hear())["result"] == {}
        await writing
        child.hang_up()
        await child.end()


async def test_the_last_line_needs_no_end() -> None:
    async with start(FakeGateway()) as child:
        os.write(child.stdin, encoded(message("ping")))
        child.hang_up()
        assert json.loads(await child.end())["result"] == {}


async def test_a_batch_gets_one_line() -> None:
    async with start(FakeGateway()) as child:
        child.say(message("initialize", {"protocolVersion": "2025-03-26"}))
        await child.hear()
        child.say([message("ping", request_id="a"), call("b")])
        async with asyncio.timeout(PATIENCE):
            answers = json.loads(await child.answers.readline())
        assert [answer["id"] for answer in answers] == ["a", "b"]
        child.hang_up()
        await child.end()


async def test_a_bug_does_not_end_the_conversation() -> None:
    async def break_down(_: ToolCall) -> str:
        raise ZeroDivisionError

    async with start(FakeGateway(addPet=break_down)) as child:
        child.say(INITIALIZE, call("bad", "addPet"), call("good"))
        await child.hear()
        answers = {answer["id"]: answer for answer in [await child.hear(), await child.hear()]}
        error = answers["bad"]["error"]
        assert isinstance(error, dict)
        assert error["code"] == -32603
        assert "result" in answers["good"]
        child.hang_up()
        await child.end()


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def listen(request_id: object, **notifications: object) -> dict[str, object]:
    params = {"notifications": notifications}
    return modern_message("subscriptions/listen", params, request_id=request_id)


def cancelled(request_id: object) -> dict[str, object]:
    params = {"requestId": request_id}
    return {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}


def told_of(said: dict[str, object]) -> tuple[object, object]:
    """The notification, and the stream that it belongs to."""
    params = said["params"]
    assert isinstance(params, dict)
    return said["method"], params["_meta"]["io.modelcontextprotocol/subscriptionId"]


async def test_streams_of_changes_run_side_by_side_and_end_with_the_input() -> None:
    async with start(FakeGateway()) as child:
        child.say(listen(1, toolsListChanged=True), listen("1", resourcesListChanged=True))
        acknowledged = "notifications/subscriptions/acknowledged"
        assert told_of(await child.hear()) == (acknowledged, 1)
        assert told_of(await child.hear()) == (acknowledged, "1")
        child.fake.changes.announce(Catalog([]))
        assert told_of(await child.hear()) == ("notifications/tools/list_changed", 1)
        assert told_of(await child.hear()) == ("notifications/resources/list_changed", "1")
        child.hang_up()
        last = [json.loads(line) for line in (await child.end()).splitlines()]
        assert [line.get("id") for line in last] == [1, None, "1", None]
        assert [line["params"]["requestId"] for line in last if "params" in line] == [1, "1"]
        assert all(line["result"]["resultType"] == "complete" for line in last if "id" in line)


async def test_a_client_ends_one_stream_and_hears_no_more_of_it() -> None:
    async with start(FakeGateway()) as child:
        child.say(listen(1, toolsListChanged=True), listen(2, toolsListChanged=True))
        for _ in range(2):
            await child.hear()
        child.say(cancelled(1), cancelled(7))
        child.say(modern_message("tools/list", {}, request_id=3))
        assert (await child.hear())["id"] == 3
        child.fake.changes.announce(Catalog([]))
        assert told_of(await child.hear())[1] == 2
        child.hang_up()
        assert (await child.end()).count(b"subscriptionId") == 1


async def test_a_request_of_the_same_id_takes_the_place_of_the_older() -> None:
    async with start(FakeGateway()) as child:
        child.say(listen(1, toolsListChanged=True), listen(1, resourcesListChanged=True))
        for _ in range(2):
            await child.hear()
        child.fake.changes.announce(Catalog([]))
        assert told_of(await child.hear())[0] == "notifications/resources/list_changed"


async def test_a_legacy_client_hears_of_changes_once_it_is_ready() -> None:
    uri = "gateway://tools/listPets"
    async with start(FakeGateway()) as child:
        child.say(INITIALIZE)
        await child.hear()
        child.fake.changes.announce(Catalog([]))
        # What was before the handshake's end is no news: the client has not asked for anything.
        child.say({"jsonrpc": "2.0", "method": "notifications/initialized"})
        child.say(message("resources/subscribe", {"uri": uri}))
        assert (await child.hear())["result"] == {}
        child.fake.changes.announce(catalog())
        changed = [await child.hear() for _ in range(3)]
        assert changed == [
            {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"},
            {"jsonrpc": "2.0", "method": "notifications/resources/list_changed"},
            {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}},
        ]
        child.hang_up()
        assert await child.end() == b""


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_a_conversation_opens_before_there_is_a_catalog(era: str) -> None:
    opening = INITIALIZE if era == "legacy" else modern_message("server/discover")
    async with start(FakeGateway(), is_ready=False) as child:
        child.say(opening, message("ping", request_id="p") if era == "legacy" else opening)
        assert "result" in await child.hear()
        assert "result" in await child.hear()
        child.say((call if era == "legacy" else modern_call)("c"))
        await asyncio.to_thread(lambda: None)
        assert not child.fake.calls
        child.open()
        assert (await child.hear())["id"] == "c"
        child.hang_up()
        assert await child.end() == b""


async def test_who_leaves_before_there_is_a_catalog_is_not_waited_for() -> None:
    async with start(FakeGateway(), is_ready=False) as child:
        child.say(INITIALIZE)
        await child.hear()
        child.hang_up()
        assert await child.end() == b""


async def test_a_signal_ends_the_wait_for_a_catalog() -> None:
    async with start(FakeGateway(), is_ready=False) as child:
        child.say(INITIALIZE)
        await child.hear()
        child.say(call("c"))
        os.kill(os.getpid(), signal.SIGTERM)
        assert await child.end() == b""
