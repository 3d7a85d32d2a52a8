"""What the desk remembers about the calls that it runs."""

import asyncio

from gateway.engine import ToolCall
from gateway.mcp import ACCEPTED, CallTool, Cancel, Reply
from gateway.mcp.revisions import V2025_11_25
from gateway.policy import ANONYMOUS
from gateway.server.mcp_calls import CallDesk, Caller
from tests.support.fake_gateway import FakeGateway, as_gateway
from tests.support.mcp_core import SERVER, result_of

CALLER = Caller(principal=ANONYMOUS)
CALL = CallTool(
    id=1,
    revision=V2025_11_25,
    server=SERVER,
    name="listPets",
    arguments={},
    cancel_scope=b"scope",
)
CANCEL = Cancel(scope=b"scope", request_id=1)


def desk_over(fake: FakeGateway) -> CallDesk:
    return CallDesk(as_gateway(fake), new_bytes=lambda size: b"n" * size)


async def test_a_finished_call_is_forgotten() -> None:
    desk = desk_over(FakeGateway())
    assert result_of(await desk.settle(CALL, CALLER))["isError"] is False
    assert not desk._running
    assert not desk._withdrawn


async def test_a_cancellation_after_the_end_changes_nothing() -> None:
    desk = desk_over(FakeGateway())
    await desk.settle(CALL, CALLER)
    assert await desk.settle(CANCEL, CALLER) == ACCEPTED
    assert result_of(await desk.settle(CALL, CALLER))["isError"] is False


async def test_a_cancelled_call_leaves_its_task_as_if_nothing_had_happened() -> None:
    started = asyncio.Event()

    async def forever(_: ToolCall) -> str:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    desk = desk_over(FakeGateway(listPets=forever))
    cancellations: list[int] = []

    async def run() -> Reply:
        reply = await desk.settle(CALL, CALLER)
        task = asyncio.current_task()
        assert task
        cancellations.append(task.cancelling())
        return reply

    async with asyncio.TaskGroup() as group:
        running = group.create_task(run())
        await started.wait()
        await desk.settle(CANCEL, CALLER)
    assert running.result() == ACCEPTED
    assert cancellations == [0]
    assert not desk._running
    assert not desk._withdrawn
