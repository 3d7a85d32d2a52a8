"""The loop that keeps the configuration current; what it does is in tests/e2e."""

import asyncio
from typing import cast

import pytest

from gateway.sources import FileWatch
from gateway.wiring.reconfiguring import _changed_or

PATIENCE = 10


class StubbornWatch:
    """Takes its time to be cancelled, as a wait for a thread does."""

    def __init__(self) -> None:
        self.ending = asyncio.Event()
        self.may_end = asyncio.Event()

    async def changed(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.ending.set()
            await self.may_end.wait()


async def test_r31_its_end_is_not_lost_while_it_lets_go_of_the_file() -> None:
    """Or the loop would go on, and the process with it."""
    watch, asked = StubbornWatch(), asyncio.Event()
    async with asyncio.timeout(PATIENCE):
        waiting = asyncio.ensure_future(_changed_or(asked, cast(FileWatch, watch)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asked.set()
        await watch.ending.wait()
        waiting.cancel()
        watch.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting
