"""What the log says of requests that are no HTTP: that there was one, never what it held."""

import logging

from aiohttp.http_exceptions import HttpProcessingError


class _WithoutInput(logging.Filter):
    """aiohttp logs such a request with a traceback, and with its first bytes: maybe a secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.msg = "a request was refused: not valid HTTP (%s)"
            record.args = (type(error).__name__,)
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def http_logger() -> logging.Logger:
    """The logger for aiohttp's server side."""
    logger = logging.getLogger("gateway.http")
    if not any(isinstance(known, _WithoutInput) for known in logger.filters):
        logger.addFilter(_WithoutInput())
    return logger
