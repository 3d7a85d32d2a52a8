"""Standard input and output as asyncio sees them best: through a thread each.

Event loops refuse regular files and make pipes non-blocking for every process that shares them;
executors wait for a blocked read or write at exit. A daemon thread does neither.
"""

import asyncio
import os
import queue
import sys
import threading
from collections.abc import Callable

_CHUNK = 65_536
_READ_AHEAD = 4
_MAX_UNWRITTEN = 1_048_576


class PipeReader:
    """Chunks of a file descriptor as they arrive. Make it inside a running loop."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._room = threading.Semaphore(_READ_AHEAD)
        threading.Thread(target=self._pump, name="pipe-reader", daemon=True).start()

    async def read(self) -> bytes:
        """The next chunk; `b""` at the end of input and after `close`."""
        chunk = await self._chunks.get()
        self._room.release()
        return chunk

    def close(self) -> None:
        """Makes `read` come to an end, whatever the other side does."""
        self._chunks.put_nowait(b"")

    def _pump(self) -> None:
        chunk = b"-"
        while chunk:
            self._room.acquire()
            try:
                chunk = os.read(self._descriptor, _CHUNK)
            except OSError:
                chunk = b""  # the other side is gone, which ends the input all the same
            if not _tell(self._loop, self._chunks.put_nowait, chunk):
                return


class PipeWriter:
    """Writes to a file descriptor in order. `on_broken` is called when nobody reads any more."""

    def __init__(self, descriptor: int, *, on_broken: Callable[[], object]) -> None:
        self._descriptor = descriptor
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        self._finished = asyncio.Event()
        self._unwritten = 0
        self._room = asyncio.Event()
        self._room.set()
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=self._pump, name="pipe-writer", daemon=True).start()

    def write(self, data: bytes) -> None:
        self._unwritten += len(data)
        if self._unwritten > _MAX_UNWRITTEN:
            self._room.clear()
        self._waiting.put(data)

    async def room(self) -> None:
        """Waits while too much is unwritten: for what can wait until the reader has caught up."""
        await self._room.wait()

    async def close(self, seconds: float) -> None:
        """Waits until everything is written, but no longer than that."""
        self._waiting.put(None)
        try:
            async with asyncio.timeout(seconds):
                await self._finished.wait()
        except TimeoutError:
            return

    def _pump(self) -> None:
        try:
            while (data := self._waiting.get()) is not None:
                view = memoryview(data)
                while view:
                    view = view[os.write(self._descriptor, view) :]
                _tell(self._loop, self._note_written, len(data))
        except OSError:
            _tell(self._loop, self._room.set)
            _tell(self._loop, self._on_broken)
        _tell(self._loop, self._finished.set)

    def _note_written(self, size: int) -> None:
        self._unwritten -= size
        if self._unwritten <= _MAX_UNWRITTEN:
            self._room.set()


def claim_stdout() -> int:
    """A private descriptor of standard output; whoever prints from now on prints to stderr."""
    sys.stdout.flush()
    private = os.dup(1)
    os.dup2(2, 1)
    return private


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[..., object], *args: object) -> bool:
    try:
        loop.call_soon_threadsafe(what, *args)
    except RuntimeError:  # the loop is closed: the conversation is over
        return False
    return True
