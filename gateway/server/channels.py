"""The way back to a client while its request is still under way."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

MAX_WAITING = 262_144
"""Bytes that wait for a client before whoever speaks has to wait as well."""


class Channel(Protocol):
    """`can_send`: whether anything can be said before the answer."""

    @property
    def can_send(self) -> bool: ...

    async def send(self, message: bytes) -> bool:
        """One JSON-RPC message. Waits for room; False when there is nobody to hear it."""
        ...


class QueueChannel:
    """A channel that the transport empties; what is said waits here until it does."""

    def __init__(self, *, can_send: bool) -> None:
        self._can_send = can_send
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def can_send(self) -> bool:
        return self._can_send

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    async def send(self, message: bytes) -> bool:
        await self._room.wait()
        return self.add(message)

    def add(self, message: bytes) -> bool:
        """The same without waiting, for the little that must not."""
        if not self._can_send:
            return False
        self._waiting.append(message)
        self._size += len(message)
        if self._size >= MAX_WAITING:
            self._room.clear()
        self._news.set()
        return True

    def take(self) -> bytes | None:
        """The message that waits longest, None if none does."""
        if not self._waiting:
            return None
        message = self._waiting.popleft()
        self._size -= len(message)
        if self._size < MAX_WAITING:
            self._room.set()
        return message

    def wake(self, *_: object) -> None:
        """Let `changed` return although nothing was said."""
        self._news.set()

    async def changed(self, seconds: float | None) -> bool:
        """Whether something was said, or `wake` called, since the last time; waits so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True

    def close(self) -> None:
        """The client is gone: nothing waits for it any more, and nobody for room."""
        self._can_send = False
        self._waiting.clear()
        self._size = 0
        self._room.set()


class DirectChannel:
    """A channel that hands each message on as soon as `room` returns: stdio."""

    can_send = True

    def __init__(self, write: Callable[[bytes], None], room: Callable[[], Awaitable[None]]) -> None:
        self._write = write
        self._room = room

    async def send(self, message: bytes) -> bool:
        await self._room()
        self._write(message)
        return True
