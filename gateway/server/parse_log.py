"""What the log says of requests that were refused unread: why, and never what they held."""

import logging
from collections.abc import Callable

from gateway.errors import GatewayError

WINDOW_SECONDS = 10.0
MAX_LINES = 5
"""Lines in one window. Whoever is refused could otherwise fill the log, or hide in it."""

_LOG = logging.getLogger("gateway.http")


class RefusalLog:
    """`note` writes a line for an error whose text is ours alone, as long as there are few."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since = clock()
        self._lines = 0
        self._left_out = 0

    def note(self, error: GatewayError) -> None:
        now = self._clock()
        if now - self._since >= WINDOW_SECONDS:
            if self._left_out:
                _LOG.warning("%d more requests were refused unread", self._left_out)
            self._since, self._lines, self._left_out = now, 0, 0
        if self._lines >= MAX_LINES:
            self._left_out += 1
            return
        self._lines += 1
        _LOG.warning("a request was refused unread: %d %s (%s)", error.status, error.code, error)


def http_logger() -> logging.Logger:
    """The logger for aiohttp's server side."""
    return _LOG
