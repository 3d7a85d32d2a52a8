"""Work that is long enough for a thread, so that other callers get on meanwhile."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


async def apart(
    size: int, at_once: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """`work`'s value, made in a thread where `size` bytes are more than can be done `at_once`."""
    if size <= at_once:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
