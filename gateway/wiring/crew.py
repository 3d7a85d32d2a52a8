"""What worker processes of one gateway know of each other and of their supervisor."""

import asyncio
import enum
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from mmap import mmap
from pathlib import Path
from typing import Final

from gateway.wiring.signals import Wishes, heed_signals

METRICS = "metrics"
RESULTS = "results"
TELL_SECONDS = 0.25
"""How old at most what a worker says of itself may be."""


class Word(enum.StrEnum):
    """What is said between a worker and its supervisor, one character each."""

    ACCEPTING = "a"
    END = "e"
    END_PROMPTLY = "p"
    RELOAD = "r"


def say(line: socket.socket, word: Word) -> None:
    """Says it, if anybody is there."""
    with suppress(OSError):
        line.send(word.encode())


class State(enum.IntEnum):
    """Of a worker, as its fellows see it."""

    ABSENT = 0
    UNREADY = 1
    READY = 2


class Roll:
    """One byte for each worker, in memory that they share."""

    def __init__(self, size: int) -> None:
        self.size: Final = size
        self._states = mmap(-1, size)

    def put(self, index: int, state: State) -> None:
        self._states[index] = state

    def all_ready(self, *, but: int) -> bool:
        return all(self._states[index] == State.READY for index in range(self.size) if index != but)


class Place:
    """A process that serves all by itself."""

    metrics: Path | None = None
    """Where the processes of one gateway keep what they count; None for one that is alone."""
    results: Path | None = None
    """Where they keep large results."""
    ends_for_all: bool = True
    """Whether nobody else is left behind this process's doors when it ends."""

    def heed(self, wishes: Wishes) -> None:
        """From now on whoever may ask for something has it become a wish."""
        heed_signals(wishes)

    def others_ready(self) -> bool:
        return True

    @asynccontextmanager
    async def reporting(self, is_loaded: Callable[[], bool]) -> AsyncIterator[None]:  # noqa: ARG002
        """Tells the others, as long as it is open, whether this process is ready."""
        yield


ALONE: Final = Place()


class WorkerPlace(Place):
    """The place of one worker. `line` leads to the supervisor; its end is the supervisor's."""

    def __init__(
        self,
        *,
        index: int,
        roll: Roll,
        line: socket.socket,
        directory: Path | None,
        is_restarted: bool,
    ) -> None:
        """`directory` is the workers' alone and has METRICS and RESULTS in it."""
        self.index: Final = index
        self.directory: Final = directory
        if directory is not None:
            self.metrics, self.results = directory / METRICS, directory / RESULTS
        self.is_restarted: Final = is_restarted
        # Whether nobody is left to clear up after the workers.
        self.is_orphan = False
        # What only this one is told to do concerns the others' callers in no way.
        self.ends_for_all = False
        self._roll = roll
        self._line = line

    def heed(self, wishes: Wishes) -> None:
        """The supervisor decides when it is urgent.

        A terminal and some service managers send their signals to every process of a group, and
        the supervisor passes them on once more.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            is_prompt = number == signal.SIGINT
            loop.add_signal_handler(number, partial(wishes.end_sometime, is_prompt=is_prompt))
        loop.add_signal_handler(signal.SIGHUP, wishes.reload.set)
        self._line.settimeout(0)
        loop.add_reader(self._line, self._hear, wishes)

    def _hear(self, wishes: Wishes) -> None:
        try:
            said = self._line.recv(64)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:  # a supervisor that was killed
            asyncio.get_running_loop().remove_reader(self._line)
            self.is_orphan = self.ends_for_all = True
            wishes.end_sometime()
        for word in said.decode("latin-1"):
            if word == Word.RELOAD:
                wishes.reload.set()
            else:
                self.ends_for_all = True
                wishes.end(is_prompt=word == Word.END_PROMPTLY)

    def others_ready(self) -> bool:
        return self._roll.all_ready(but=self.index)

    def accepts(self) -> None:
        """Tells the supervisor that callers are let in."""
        say(self._line, Word.ACCEPTING)

    @asynccontextmanager
    async def reporting(self, is_loaded: Callable[[], bool]) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._report(is_loaded))
            try:
                yield
            finally:
                task.cancel()
                self._roll.put(self.index, State.ABSENT)

    async def _report(self, is_loaded: Callable[[], bool]) -> None:
        while True:
            self._roll.put(self.index, State.READY if is_loaded() else State.UNREADY)
            await asyncio.sleep(TELL_SECONDS)
