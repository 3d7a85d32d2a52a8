"""MCP over two pipes, with a gateway that does as it is told."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from gateway.engine import ToolCall
from gateway.mcp import MAX_LINE, StdioDialogue, ToolPages
from gateway.server.mcp_stdio import serve_stdio
from tests.support.fake_gateway import FakeGateway, as_gateway
from tests.support.mcp_core import SERVER, encoded, message, modern_message

PATIENCE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """The other side of the pipes."""

    fake: FakeGateway
    process: asyncio.Task[None]
    stdin: int
    answers: asyncio.StreamReader

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
async def start(fake: FakeGateway) -> AsyncIterator[Child]:
    loop = asyncio.get_running_loop()
    their_stdin, our_stdin = os.pipe()
    our_stdout, their_stdout = os.pipe()
    answers = asyncio.StreamReader(limit=2**24)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(answers), os.fdopen(our_stdout, "rb")
    )
    gateway = as_gateway(fake)
    dialogue = StdioDialogue(
        server=SERVER, pages=ToolPages(SERVER), view=gateway.view, own_context="ocp-00000001"
    )

    async def live() -> None:
        try:
            await serve_stdio(
                gateway,
                dialogue=dialogue,
                new_bytes=lambda size: b"n" * size,
                stdin=their_stdin,
                stdout=their_stdout,
            )
        finally:
            os.close(their_stdout)

    async with asyncio.TaskGroup() as group:
        process = group.create_task(live())
        yield Child(fake=fake, process=process, stdin=our_stdin, answers=answers)
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
async def test_a_cancelled_call_is_stopped_and_never_answered(era: str) -> None:
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
