"""Bytes that a connection brings, for one reader who may be slower than they come."""

import asyncio
from collections.abc import AsyncIterator, Callable

MAX_WAITING_BYTES = 65_536
"""What may lie here before the connection is read no further."""


class Inflow:
    """An aiohttp protocol feeds it (`set_parser`), one reader iterates over it."""

    def __init__(self, *, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """`pause` and `resume` are those of the connection's reading."""
        self._pause, self._resume = pause, resume
        self._chunks: list[bytes] = []
        self._size = 0
        self._ended = False
        self._news = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether the other side has left."""
        return self._ended

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """As aiohttp asks its parsers: whether this was the end, and what is left of it."""
        self._chunks.append(data)
        before, self._size = self._size, self._size + len(data)
        if before <= MAX_WAITING_BYTES < self._size:
            self._pause()
        self._news.set()
        return False, b""

    def feed_eof(self) -> None:
        self._ended = True
        self._news.set()

    def set_exception(self, _error: BaseException, _cause: BaseException | None = None) -> None:
        """The connection broke: for who only moves bytes that is an end like any other."""
        self.feed_eof()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await self._news.wait()
            self._news.clear()
            chunks, self._chunks = self._chunks, []
            size, self._size = self._size, 0
            if chunks:
                yield b"".join(chunks)
            # Only now has it been taken: the reader comes back when there is room again.
            if size > MAX_WAITING_BYTES and not self._ended:
                self._resume()
            if self._ended and not self._chunks:
                return
