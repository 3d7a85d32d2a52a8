"""Being asked to end, to end at once, and to read everything again."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# What a second signal leaves for an orderly end.
HURRY_SECONDS = 2.0


class Hurried(Exception):
    """A second signal came: whatever is still under way is given up."""


class Wishes:
    """What the process has been asked for.

    `stop` is set by the first request to end; `is_prompt` says that somebody waits for it at a
    terminal. `reload` is set by each request to read everything again, and cleared by the reader.
    """

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.reload = asyncio.Event()
        self.is_prompt = False
        self._was_asked = False
        self._hurry: Callable[[], object] = _nothing

    def end(self, *, is_prompt: bool = False) -> None:
        """Asks to end; for the second time, at once."""
        if self._was_asked:
            self._hurry()
        self._was_asked = True
        self.end_sometime(is_prompt=is_prompt)

    def end_sometime(self, *, is_prompt: bool = False) -> None:
        """Asks to end, however often."""
        if not self.stop.is_set():
            self.is_prompt = is_prompt
            self.stop.set()

    @contextmanager
    def granted(self) -> Iterator[None]:
        """Raises Hurried in this task as soon as `end` has been asked for twice."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def hurry() -> None:
            if task is not None:
                task.cancel()
            # A thread that reads or parses cannot be cancelled, and Python would wait for it.
            loop.call_later(HURRY_SECONDS, os._exit, 0)

        self._hurry = hurry
        try:
            yield
        except asyncio.CancelledError as error:
            if not self.stop.is_set():
                raise
            raise Hurried from error


def heed_signals(wishes: Wishes) -> None:
    """SIGTERM, SIGINT and SIGHUP of this process become wishes."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, wishes.end)
    # Ctrl-C: nobody balances load to a terminal.
    loop.add_signal_handler(signal.SIGINT, lambda: wishes.end(is_prompt=True))
    loop.add_signal_handler(signal.SIGHUP, wishes.reload.set)


def _nothing() -> None:
    return
