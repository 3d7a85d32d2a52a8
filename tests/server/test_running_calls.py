"""Cancelling a call from the process that runs it, or from another one."""

import asyncio
from collections.abc import Mapping

import pytest

from gateway.errors import StoreUnavailable
from gateway.interfaces import SessionBoard
from gateway.mcp import ACCEPTED, CallTool, Cancel, Reply, RequestId, Work
from gateway.mcp.revisions import V2025_11_25
from gateway.server import running_calls
from gateway.server.running_calls import RunningCalls
from gateway.stores import MemoryBoard
from tests.support.mcp_core import SERVER

SCOPE = b"a session"


def work(request_id: RequestId = 1, scope: bytes | None = SCOPE) -> Work:
    task = CallTool(name="listPets", arguments={})
    return Work(id=request_id, revision=V2025_11_25, server=SERVER, task=task, cancel_scope=scope)


async def hang(ended: asyncio.Event | None = None) -> Reply:
    try:
        await asyncio.Event().wait()
    finally:
        if ended is not None:
            ended.set()
    return Reply()


async def done() -> Reply:
    return Reply(body=b"{}")


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_calls, "LOOK_SECONDS", 0.001)


@pytest.fixture
def board() -> MemoryBoard:
    return MemoryBoard()


BRIEF = 0.05
"""Long enough for a call that should have gone on to be seen cancelled."""


async def cancelled_by(
    mine: RunningCalls, others: RunningCalls, call: Work, cancel: Cancel, *, patience: float = 30.0
) -> Reply | None:
    """The reply to a call that is cancelled; None for one that goes on for so many seconds."""
    async with asyncio.TaskGroup() as group:
        running = group.create_task(mine.run(call, hang()))
        await asyncio.sleep(0)
        await others.withdraw(cancel)
        await asyncio.wait([running], timeout=patience)
        if running.done():
            return running.result()
        running.cancel()
    return None


@pytest.mark.usefixtures("often")
async def test_a_call_is_cancelled_where_it_runs(board: MemoryBoard) -> None:
    for calls in (RunningCalls(), RunningCalls(board)):
        cancel = Cancel(scope=SCOPE, request_id=1)
        assert await cancelled_by(calls, calls, work(), cancel) is ACCEPTED
        assert not calls


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("request_id", [1, "1", "x" * 1_000, "\u00fc\n"])
async def test_a_call_is_cancelled_from_elsewhere(
    board: MemoryBoard, request_id: RequestId
) -> None:
    mine, others = RunningCalls(board), RunningCalls(board)
    cancel = Cancel(scope=SCOPE, request_id=request_id)
    assert await cancelled_by(mine, others, work(request_id), cancel) is ACCEPTED
    assert not mine


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(
    "cancel",
    [
        pytest.param(Cancel(scope=SCOPE, request_id="1"), id="another type of id"),
        pytest.param(Cancel(scope=SCOPE, request_id=2), id="another id"),
        pytest.param(Cancel(scope=b"another", request_id=1), id="another session"),
    ],
)
async def test_r27_no_other_call_is_cancelled(board: MemoryBoard, cancel: Cancel) -> None:
    mine, others = RunningCalls(board), RunningCalls(board)
    assert await cancelled_by(mine, others, work(1), cancel, patience=BRIEF) is None
    assert await cancelled_by(mine, mine, work(1), cancel, patience=BRIEF) is None


async def test_without_a_board_nothing_comes_from_elsewhere() -> None:
    cancel = Cancel(scope=SCOPE, request_id=1)
    assert (
        await cancelled_by(RunningCalls(), RunningCalls(), work(), cancel, patience=BRIEF) is None
    )


@pytest.mark.usefixtures("often")
async def test_a_call_that_nobody_may_cancel_cannot_be(board: MemoryBoard) -> None:
    mine = RunningCalls(board)
    cancel = Cancel(scope=SCOPE, request_id=1)
    assert await cancelled_by(mine, mine, work(scope=None), cancel, patience=BRIEF) is None


async def test_what_a_call_answers_is_its_answer(board: MemoryBoard) -> None:
    calls = RunningCalls(board)
    assert (await calls.run(work(), done())).body == b"{}"
    assert not calls


async def test_a_task_that_is_cancelled_for_another_reason_is_cancelled(
    board: MemoryBoard,
) -> None:
    calls, ended = RunningCalls(board), asyncio.Event()
    task = asyncio.ensure_future(calls.run(work(), hang(ended)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
    assert not calls


async def test_a_session_notes_only_so_many(
    board: MemoryBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_calls, "MAX_NOTED", 2)
    for request_id in range(5):
        await RunningCalls(board).withdraw(Cancel(scope=SCOPE, request_id=request_id))
    assert len(await board.notes(f"{SCOPE.hex()}.cancelled")) == 2


@pytest.mark.usefixtures("often")
async def test_a_board_that_is_down_is_no_failure() -> None:
    class Down(MemoryBoard):
        async def notes(self, page: str) -> Mapping[str, bytes]:
            raise StoreUnavailable(page)

    board: SessionBoard = Down()
    cancel = Cancel(scope=SCOPE, request_id=1)
    assert (
        await cancelled_by(RunningCalls(board), RunningCalls(board), work(), cancel, patience=BRIEF)
        is None
    )


@pytest.mark.usefixtures("often")
async def test_a_call_that_is_over_is_not_watched_any_more() -> None:
    looks = 0

    class Counting(MemoryBoard):
        async def notes(self, page: str) -> Mapping[str, bytes]:
            nonlocal looks
            looks += 1
            return await super().notes(page)

    calls = RunningCalls(Counting())
    for wait in (0.0, 0.02):

        async def call(seconds: float = wait) -> Reply:
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=seconds)
            return Reply()

        await calls.run(work(), call())
    seen = looks
    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.02)
    assert looks == seen
