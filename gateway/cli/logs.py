"""Log lines on stderr: one for each event, whatever the event contains."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from gateway.cli.terminal import one_line

MAX_TEXT = 8_192
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def start_logging(*, form: str, level: str) -> None:
    """Sends everything from `level` up to stderr; `form` is `text` or `json`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class TextLines(logging.Formatter):
    """`2026-01-31T12:00:00.000Z info gateway.server message key=value`, controls escaped."""

    def format(self, record: logging.LogRecord) -> str:
        fields = [f"{key}={value}" for key, value in _fields(record).items()]
        return " ".join(one_line(part) for part in [*_head(record), *fields])


class JsonLines(logging.Formatter):
    """One JSON object: `time`, `level`, `logger`, `message` and the record's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        moment, level, logger, message = _head(record)
        event = {**_fields(record), "time": moment, "level": level, "logger": logger}
        return json.dumps({**event, "message": message})


def _head(record: logging.LogRecord) -> tuple[str, str, str, str]:
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    message = _bounded(record.getMessage())
    return moment.replace("+00:00", "Z"), record.levelname.lower(), record.name, message


def _fields(record: logging.LogRecord) -> Mapping[str, str | int | float | bool | None]:
    """What `extra=` added, then the traceback if there is one."""
    fields = {
        key: value if isinstance(value, (int, float, bool, type(None))) else _bounded(str(value))
        for key, value in record.__dict__.items()
        if key not in _STANDARD
    }
    if record.exc_info:
        fields["exception"] = _bounded(logging.Formatter().formatException(record.exc_info))
    return fields


def _bounded(text: str) -> str:
    # A megabyte of somebody's header is no log message.
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}... ({len(text)} characters)"
