"""Several worker processes behind one port: started, watched, started again, ended.

The supervisor serves nobody and has neither an event loop nor a thread, so that it can fork at any
time. What it cannot do is crash with a request.
"""

import gc
import logging
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.wiring.crew import Roll, State, Word, WorkerPlace, say

_LOG = logging.getLogger("gateway")

QUICK_SECONDS = 10.0
"""A worker that does not live that long has died quickly."""
MOST_QUICK_DEATHS = 5
BACK_OFF_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0)
# What a worker gets beyond its drain before it is killed.
GRACE_SECONDS = 5.0
_HEEDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@dataclass(slots=True, kw_only=True)
class _Worker:
    """`due` is when it is to be started, on the supervisor's clock; None while it runs."""

    index: int
    due: float | None = None
    pid: int = 0
    line: socket.socket | None = None
    started: float = 0.0
    accepts: bool = False


class Supervisor:
    """Keeps `size` workers until a signal ends them all.

    `announce` is called once, as soon as every worker lets callers in; `leave` when callers are to
    be let in no more; `forget` with the process id of each worker that has died. `drain_seconds`
    is what workers take to end; `directory` is handed to each.
    """

    def __init__(
        self,
        *,
        size: int,
        drain_seconds: float,
        announce: Callable[[], None],
        leave: Callable[[], None],
        forget: Callable[[int], None],
        directory: Path | None = None,
    ) -> None:
        self._roll = Roll(size)
        self._workers = [_Worker(index=index) for index in range(size)]
        # The first finds what is wrong for all, and leaves to the others what it has prepared.
        self._workers[0].due = 0.0
        self._drain_seconds = drain_seconds
        self._announce = announce
        self._leave = leave
        self._forget = forget
        self._directory = directory
        self._announced = False
        self._has_served = False
        self._quick_deaths = 0
        self._exit_code = 0
        self._kill_at: float | None = None

    @property
    def _is_ending(self) -> bool:
        return self._kill_at is not None

    def run(self) -> WorkerPlace | int:
        """The exit code; and once in each worker, a process of its own, that worker's place."""
        # What is there already shall be shared, and no collection write to it.
        gc.collect()
        gc.freeze()
        with _heeded_signals() as wake:
            while not (self._is_ending and all(not worker.pid for worker in self._workers)):
                worker = self._next_due()
                if worker is None:
                    self._wait(wake)
                elif (place := self._start(worker)) is not None:
                    return place
        return self._exit_code

    def _next_due(self) -> _Worker | None:
        if self._is_ending:
            return None
        now = time.monotonic()
        due = (w for w in self._workers if w.due is not None and w.due <= now)
        return next(due, None)

    def _start(self, worker: _Worker) -> WorkerPlace | None:
        """Forks; the place in the worker, None in the supervisor."""
        ours, theirs = socket.socketpair()
        # Until it has its own, a worker would answer to signals as the supervisor does.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HEEDED)
        try:
            worker.pid = os.fork()
            if worker.pid == 0:
                self._become_worker(ours)
                return WorkerPlace(
                    index=worker.index,
                    roll=self._roll,
                    line=theirs,
                    directory=self._directory,
                    is_restarted=bool(worker.started),
                )
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEEDED)
        theirs.close()
        ours.settimeout(0)
        worker.line, worker.due, worker.accepts = ours, None, False
        worker.started = time.monotonic()
        return None

    def _become_worker(self, ours: socket.socket) -> None:
        signal.set_wakeup_fd(-1)
        for number in _HEEDED:
            signal.signal(number, signal.SIG_DFL)
        # As long as anybody has a copy, the others do not see the supervisor's end.
        ours.close()
        for other in self._workers:
            if other.line is not None:
                other.line.close()

    def _wait(self, wake: socket.socket) -> None:
        """Waits for something to happen, and does what follows from it."""
        lines = {w.line.fileno(): w for w in self._workers if w.line is not None}
        poll = select.poll()
        for number in (wake.fileno(), *lines):
            poll.register(number, select.POLLIN)
        for number, _ in poll.poll(self._milliseconds()):
            if number == wake.fileno():
                for signal_number in wake.recv(4096):
                    self._heed(signal_number)
            else:
                self._hear(lines[number])
        self._reap()
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._kill()

    def _milliseconds(self) -> int | None:
        moments = [w.due for w in self._workers if w.due is not None and not self._is_ending]
        moments += [self._kill_at] if self._kill_at is not None else []
        if not moments:
            return None
        return max(0, int((min(moments) - time.monotonic()) * 1000) + 1)

    def _hear(self, worker: _Worker) -> None:
        """What a worker says; its end is nothing at all."""
        line = worker.line
        if line is None:
            return
        try:
            said = line.recv(64)
        except OSError:
            said = b""
        if not said:
            line.close()
            worker.line = None
            return
        worker.accepts = self._has_served = True
        for other in self._workers:
            if not other.pid and other.due is None:
                other.due = 0.0
        if not self._announced and all(other.accepts for other in self._workers):
            self._announced = True
            self._announce()

    def _heed(self, number: int) -> None:
        if number == signal.SIGHUP:
            self._tell_all(Word.RELOAD)
        elif number == signal.SIGTERM:
            self._end(Word.END)
        elif number == signal.SIGINT:
            self._end(Word.END_PROMPTLY)

    def _end(self, word: Word) -> None:
        seconds = GRACE_SECONDS + (0.0 if self._is_ending else self._drain_seconds)
        self._kill_at = time.monotonic() + seconds
        self._leave()
        self._tell_all(word)

    def _tell_all(self, word: Word) -> None:
        for worker in self._workers:
            if worker.line is not None:
                say(worker.line, word)

    def _kill(self) -> None:
        for worker in self._workers:
            if worker.pid:
                _LOG.error("worker %d does not end, it is killed", worker.index)
                os.kill(worker.pid, signal.SIGKILL)
        self._kill_at = time.monotonic() + GRACE_SECONDS

    def _reap(self) -> None:
        """Sees who has died; in a container that includes children that are nobody else's."""
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                for worker in self._workers:
                    if worker.pid == found[0]:
                        self._bury(worker, os.waitstatus_to_exitcode(found[1]))

    def _bury(self, worker: _Worker, code: int) -> None:
        self._roll.put(worker.index, State.ABSENT)
        self._forget(worker.pid)
        pid, worker.pid = worker.pid, 0
        if worker.line is not None:
            worker.line.close()
            worker.line = None
        if self._is_ending:
            return
        if not self._has_served:
            # Its own message has said why.
            self._exit_code = code if code > 0 else 1
            self._end(Word.END)
            return
        is_quick = time.monotonic() - worker.started < QUICK_SECONDS
        self._quick_deaths = self._quick_deaths + 1 if is_quick else 0
        if self._quick_deaths >= MOST_QUICK_DEATHS:
            _LOG.critical("%d workers have died one after the other", self._quick_deaths)
            self._exit_code = 1
            self._end(Word.END)
            return
        wait = BACK_OFF_SECONDS[self._quick_deaths]
        worker.due = time.monotonic() + wait
        _LOG.error(
            "worker %d (process %d) has ended with %d, it is started again in %.1f seconds",
            *(worker.index, pid, code, wait),
        )


@contextmanager
def _heeded_signals() -> Iterator[socket.socket]:
    """A socket on which the number of every signal arrives."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.settimeout(0)
    before = [signal.signal(number, _nothing) for number in _HEEDED]
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield ours
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in zip(_HEEDED, before, strict=True):
            signal.signal(number, handler)
        ours.close()
        theirs.close()


def _nothing(*_: object) -> None:
    return
