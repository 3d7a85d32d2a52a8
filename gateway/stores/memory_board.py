"""The board of one process: what it says to itself."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.errors import PayloadTooLarge
from gateway.interfaces import MAX_BOARD_BYTES

MAX_PAGES = 100_000
MAX_BOXED_BYTES = 64 * 1024 * 1024
MAX_BOXES = 10_000
"""Answers that nobody has taken, all together. The oldest makes room."""


@dataclass(slots=True)
class _Page:
    notes: dict[str, bytes] = field(default_factory=dict)
    expires: float = 0.0


class MemoryBoard:
    """A SessionBoard without a file: it never fails, and ends with the process."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds from anywhere and never goes back."""
        self._clock = clock
        self._pages: OrderedDict[str, _Page] = OrderedDict()
        self._boxes: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._boxed_bytes = 0
        self._waiting: dict[str, list[asyncio.Future[bytes]]] = {}

    async def note(self, page: str, name: str, value: bytes | None, *, seconds: float) -> None:
        refuse_large(value)
        now = self._clock()
        there = self._find(page)
        if value is None:
            there.notes.pop(name, None)
            return
        there.notes[name] = value
        there.expires = max(there.expires, now + seconds)
        self._pages[page] = there
        self._pages.move_to_end(page)
        # In order of their last note, and so, where all live equally long, of expiry.
        while self._pages and (
            len(self._pages) > MAX_PAGES or next(iter(self._pages.values())).expires <= now
        ):
            self._pages.popitem(last=False)

    async def notes(self, page: str) -> Mapping[str, bytes]:
        return dict(self._find(page).notes)

    async def post(self, box: str, value: bytes, *, seconds: float) -> None:
        refuse_large(value)
        for waiting in self._waiting.get(box, ()):
            if not waiting.done():
                waiting.set_result(value)
                return
        now = self._clock()
        held = self._boxes.get(box)
        if held is not None and held[1] > now:
            return
        self._drop(box)
        self._boxes[box] = (value, now + seconds)
        self._boxed_bytes += len(value)
        self._make_room(now)

    async def take(self, box: str, *, seconds: float) -> bytes | None:
        held = self._boxes.get(box)
        self._drop(box)
        if held is not None and held[1] > self._clock():
            return held[0]
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(box, []).append(future)
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            return None
        finally:
            self._leave(box, future)

    async def aclose(self) -> None:
        self._pages.clear()
        self._boxes.clear()
        self._boxed_bytes = 0

    def _find(self, page: str) -> _Page:
        found = self._pages.get(page)
        return found if found and found.expires > self._clock() else _Page()

    def _leave(self, box: str, future: asyncio.Future[bytes]) -> None:
        waiting = self._waiting[box]
        waiting.remove(future)
        if not waiting:
            del self._waiting[box]

    def _drop(self, box: str) -> None:
        held = self._boxes.pop(box, None)
        if held is not None:
            self._boxed_bytes -= len(held[0])

    def _make_room(self, now: float) -> None:
        while self._boxes and (
            len(self._boxes) > MAX_BOXES
            or self._boxed_bytes > MAX_BOXED_BYTES
            or next(iter(self._boxes.values()))[1] <= now
        ):
            self._drop(next(iter(self._boxes)))


def refuse_large(value: bytes | None) -> None:
    """Raises PayloadTooLarge."""
    if value is not None and len(value) > MAX_BOARD_BYTES:
        raise PayloadTooLarge(f"more than {MAX_BOARD_BYTES} bytes for another process")
