"""What the desk remembers about the calls that it runs."""

import asyncio

from gateway.engine import ToolCall
from gateway.mcp import ACCEPTED, CallTool, Cancel, Reply, Work
from gateway.mcp.revisions import V2025_11_25
from gateway.policy import ANONYMOUS
from gateway.server.asking import Asking
from gateway.server.channels import QueueChannel
from gateway.server.mcp_calls import CallDesk, Caller
from gateway.server.session_records import SessionRecords
from gateway.stores import MemoryBoard
from tests.support.fake_gateway import FakeGateway, as_gateway
from tests.support.mcp_core import KEY, NOW, SERVER, result_of

CALLER = Caller(principal=ANONYMOUS)
CALL = Work(
    id=1,
    revision=V2025_11_25,
    server=SERVER,
    task=CallTool(name="listPets", arguments={}),
    cancel_scope=b"scope",
)
CHANNEL = QueueChannel(can_send=False)
CANCEL = Cancel(scope=b"scope", request_id=1)


def new_bytes(size: int) -> bytes:
    return b"n" * size


def asking() -> Asking:
    return Asking(keys=(KEY,), clock=lambda: NOW, new_bytes=new_bytes, board=MemoryBoard())


def records() -> SessionRecords:
    return SessionRecords(MemoryBoard(), clock=lambda: NOW)


def desk_over(fake: FakeGateway) -> CallDesk:
    return CallDesk(as_gateway(fake), asking=asking(), records=records(), new_bytes=new_bytes)


async def test_a_finished_call_is_forgotten() -> None:
    desk = desk_over(FakeGateway())
    assert result_of(await desk.settle(CALL, CALLER, CHANNEL))["isError"] is False
    assert not desk._running


async def test_r27_a_cancellation_after_the_end_changes_nothing() -> None:
    desk = desk_over(FakeGateway())
    await desk.settle(CALL, CALLER, CHANNEL)
    assert await desk.settle(CANCEL, CALLER, CHANNEL) == ACCEPTED
    assert result_of(await desk.settle(CALL, CALLER, CHANNEL))["isError"] is False


async def test_a_cancelled_call_leaves_its_task_as_if_nothing_had_happened() -> None:
    started = asyncio.Event()

    async def forever(_: ToolCall) -> str:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    desk = desk_over(FakeGateway(listPets=forever))
    cancellations: list[int] = []

    async def run() -> Reply:
        reply = await desk.settle(CALL, CALLER, CHANNEL)
        task = asyncio.current_task()
        assert task
        cancellations.append(task.cancelling())
        return reply

    async with asyncio.TaskGroup() as group:
        running = group.create_task(run())
        await started.wait()
        await desk.settle(CANCEL, CALLER, CHANNEL)
    assert running.result() == ACCEPTED
    assert cancellations == [0]
    assert not desk._running
