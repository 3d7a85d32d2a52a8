"""The end of a process in which something does not end."""

import logging
import os
import threading

_LOG = logging.getLogger("gateway")

SPARE_SECONDS = 1.0
"""What an end gets beyond the time that it should take."""


def end_within(seconds: float) -> None:
    """Ends this process, with 0, when it is still there `seconds` and SPARE_SECONDS later.

    A thread that waits for a file system that hangs cannot be cancelled, and Python waits for all
    of them. What was to be stored is stored, or cannot be.
    """
    timer = threading.Timer(seconds + SPARE_SECONDS, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> None:
    _LOG.error("something does not end, the process ends without it")
    for handler in logging.getLogger().handlers:
        handler.flush()
    os._exit(0)
