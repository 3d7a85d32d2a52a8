"""Pipes that block, break and end."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from gateway.server.pipes import PipeReader, PipeWriter

PATIENCE = 10


async def test_a_regular_file_is_an_input_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "requests"
    path.write_bytes(b"hello")
    with path.open("rb") as file:
        reader = PipeReader(file.fileno())
        assert [await reader.read(), await reader.read()] == [b"hello", b""]


async def test_closing_ends_a_read_that_nobody_would_answer() -> None:
    theirs, ours = os.pipe()
    reader = PipeReader(theirs)
    reading = asyncio.ensure_future(reader.read())
    reader.close()
    async with asyncio.timeout(PATIENCE):
        assert await reading == b""
    os.close(ours)


async def test_a_reader_that_left_is_noticed() -> None:
    theirs, ours = os.pipe()
    os.close(theirs)
    broken = asyncio.Event()
    writer = PipeWriter(ours, on_broken=broken.set)
    writer.write(b"hello")
    async with asyncio.timeout(PATIENCE):
        await broken.wait()
        await writer.close(PATIENCE)
    os.close(ours)


async def test_a_reader_that_does_not_read_does_not_hold_us_up() -> None:
    theirs, ours = os.pipe()
    broken = asyncio.Event()
    writer = PipeWriter(ours, on_broken=broken.set)
    writer.write(b"x" * 1_000_000)
    await writer.close(0.01)
    assert not broken.is_set()
    os.close(theirs)
    async with asyncio.timeout(PATIENCE):
        await broken.wait()
    os.close(ours)


async def test_who_can_wait_waits_until_the_reader_has_caught_up() -> None:
    theirs, ours = os.pipe()
    writer = PipeWriter(ours, on_broken=lambda: None)
    await writer.room()
    writer.write(b"x" * 2_000_000)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(writer.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        left = 2_000_000
        while left:
            left -= len(await asyncio.to_thread(os.read, theirs, 65_536))
    async with asyncio.timeout(PATIENCE):
        await writer.close(PATIENCE)
    os.close(theirs)
    os.close(ours)


def test_who_prints_after_the_claim_prints_to_stderr() -> None:
    program = (
        "import os, sys\n"
        "from gateway.server.pipes import claim_stdout\n"
        "private = claim_stdout()\n"
        "print('stray')\n"
        "os.write(1, b'raw')\n"
        "os.write(private, b'message')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, check=True
    )
    assert done.stdout == b"message"
    assert b"stray" in done.stderr
    assert b"raw" in done.stderr
