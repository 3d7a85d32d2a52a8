"""Log lines on their way out: nobody who serves ever waits for whoever reads the log."""

import logging
import os
import queue
import select
import threading
import time
from weakref import WeakSet

MAX_LINES = 10_000
"""That wait for their reader; what comes after them is dropped and counted."""
MAX_BYTES = 8_388_608
FLUSH_SECONDS = 1.0
"""How long the end of the process waits for lines to leave."""
# Lines that come together leave together: each switch of threads costs more than its line.
_GATHER_SECONDS = 0.01
# What is written at once, so that lines of several processes do not mix (pipe(7), PIPE_BUF).
_ATOMIC_BYTES = 4_096


class LogWriter(logging.Handler):
    """Formats where it is called, writes in a thread of its own."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._begin()
        _WRITERS.add(self)

    def _begin(self) -> None:
        # Each of these is written by one side only: `emit`, which logging calls one at a time, or
        # the thread.
        self._put_lines = self._put_bytes = self._refused = 0
        self._left_lines = self._left_bytes = self._lost = self._told = 0
        self._waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def dropped(self) -> int:
        """How many lines were given up."""
        return self._refused + self._lost

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record).encode() + b"\n"
        except Exception:  # noqa: BLE001 - what cannot be logged is no reason to fail
            self.handleError(record)
            return
        waiting = self._put_bytes - self._left_bytes
        if self._put_lines - self._left_lines >= MAX_LINES or waiting + len(line) > MAX_BYTES:
            self._refused += 1
            return
        self._put_lines += 1
        self._put_bytes += len(line)
        self._waiting.put(line)
        if self._thread is None:
            # A thread does not survive a fork, so there is none before it is needed.
            self._thread = threading.Thread(target=self._pump, name="log-writer", daemon=True)
            self._thread.start()

    def flush(self) -> None:
        """Waits, but not for long, until all lines have left."""
        deadline = time.monotonic() + FLUSH_SECONDS
        while self._left_lines < self._put_lines and time.monotonic() < deadline:
            time.sleep(_GATHER_SECONDS / 2)

    def begin_anew(self) -> None:
        """In a process that has just been forked: the thread and its lines are the parent's."""
        self._begin()

    def _pump(self) -> None:
        while True:
            batch = [self._waiting.get()]
            time.sleep(_GATHER_SECONDS)
            for _ in range(self._waiting.qsize()):
                line = self._waiting.get()
                if sum(map(len, batch)) + len(line) > _ATOMIC_BYTES:
                    self._leave(batch)
                    batch = []
                batch.append(line)
            self._leave(batch)

    def _leave(self, batch: list[bytes]) -> None:
        data = b"".join(batch)
        has_left = self._write(data)
        self._lost += 0 if has_left else len(batch)
        self._left_lines += len(batch)
        self._left_bytes += len(data)
        lost = self.dropped - self._told
        if has_left and lost and self._write(self._confession(lost)):
            self._told += lost

    def _write(self, data: bytes) -> bool:
        """Whether it has left: the disk may be full, the reader gone."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:  # somebody who shares it does not want to wait
                select.select((), (self._descriptor,), (), 1.0)
            except OSError:
                return False
        return True

    def _confession(self, lost: int) -> bytes:
        record = logging.LogRecord(
            "gateway.logs", logging.WARNING, "", 0, "%d log lines were dropped", (lost,), None
        )
        return self.format(record).encode() + b"\n"


_WRITERS: WeakSet[LogWriter] = WeakSet()


def _after_fork() -> None:
    for writer in _WRITERS:
        writer.begin_anew()


os.register_at_fork(after_in_child=_after_fork)


def dropped_lines() -> int:
    """How many lines this process has given up."""
    return sum(writer.dropped for writer in _WRITERS)
