"""Large results that one process keeps and another reads."""

import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from gateway.policy import Principal
from gateway.stores import ResultFiles, SharedResults

ANN, BOB = Principal(name="key:ann"), Principal(name="key:bob")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def process(directory: Path, clock: Clock, **limits: int) -> AsyncIterator[ResultFiles]:
    shared = SharedResults(directory)
    async with aclosing(ResultFiles(clock=clock, ttl_seconds=60, shared=shared, **limits)) as files:
        yield files


def left_in(directory: Path) -> list[Path]:
    return list(directory.iterdir())


def is_private(directory: Path) -> bool:
    return not any(path.stat().st_mode & 0o077 for path in directory.glob("*-*"))


async def keep(files: ResultFiles, handle: str, data: bytes, principal: Principal = ANN) -> None:
    draft = files.draft()
    await draft.append(data)
    await draft.keep(principal, handle, media_type="text/plain", whole=True)


async def test_what_one_keeps_the_others_read(tmp_path: Path, clock: Clock) -> None:
    async with process(tmp_path, clock) as one, process(tmp_path, clock) as other:
        await keep(one, "h", b"0123456789")
        for files in (one, other):
            kept = await files.find(ANN, "h")
            assert kept is not None
            assert (kept.media_type, kept.size, kept.whole) == ("text/plain", 10, True)
            assert await files.read(ANN, "h", 2, 3) == b"234"
        assert await other.find(BOB, "h") is None
        assert await other.read(BOB, "h", 0, 9) is None
        assert await other.find(ANN, "../h") is None
        assert is_private(tmp_path)


async def test_it_is_gone_everywhere_when_its_time_is_over(tmp_path: Path, clock: Clock) -> None:
    async with process(tmp_path, clock) as one, process(tmp_path, clock) as other:
        await keep(one, "h", b"x")
        clock.now = 60
        assert await other.find(ANN, "h") is None
        assert await one.find(ANN, "h") is None
        assert not left_in(tmp_path)


async def test_what_makes_room_or_is_closed_is_gone_everywhere(
    tmp_path: Path, clock: Clock
) -> None:
    async with process(tmp_path, clock, max_results=1) as one, process(tmp_path, clock) as other:
        await keep(one, "old", b"x")
        await keep(one, "new", b"y")
        assert await other.find(ANN, "old") is None
        assert await other.read(ANN, "new", 0, 1) == b"y"
        await one.aclose()
        assert await other.read(ANN, "new", 0, 1) is None
        assert not left_in(tmp_path)


async def test_a_process_that_was_killed_leaves_nothing_to_read(
    tmp_path: Path, clock: Clock
) -> None:
    async with process(tmp_path, clock) as one, process(tmp_path, clock) as other:
        await keep(one, "h", b"x")
        SharedResults(tmp_path).forget(os.getpid())
        assert await other.read(ANN, "h", 0, 1) is None


async def test_a_draft_that_is_not_kept_leaves_nothing(tmp_path: Path, clock: Clock) -> None:
    async with process(tmp_path, clock) as files:
        draft = files.draft()
        await draft.append(b"x" * 2_000_000)
        assert await draft.read() == b"x" * 2_000_000
        await draft.discard()
    assert not left_in(tmp_path)
