"""Waiting for what only a look can tell."""

import asyncio
import time
from collections.abc import Callable


async def until(condition: Callable[[], bool], *, seconds: float, pause: float = 0.01) -> bool:
    """Whether `condition` has come true in that time."""
    deadline = time.monotonic() + seconds
    while True:
        if condition():
            return True
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(pause)
