"""Log lines on stderr: one for each event, whatever the event contains."""

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from gateway.cli.terminal import one_line
from gateway.telemetry import ACCESS_LOG, EVENT, LogWriter, current_request_id

MAX_TEXT = 8_192
_STDERR = 2
_AMBIGUOUS = re.compile(r'[\s"=\\]')
Field = str | int | float | bool | None
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def start_logging(*, form: str, level: str) -> None:
    """Sends everything from `level` up to stderr; `form` is `text` or `json`."""
    _start(logging.StreamHandler(), form=form, level=level)


def start_serving_log(*, form: str, level: str, access: bool = False) -> None:
    """The same for a process that must go on when nobody reads: docs/observability.md.

    `access`: one line for each HTTP request, too.
    """
    _start(LogWriter(_STDERR), form=form, level=level)
    ACCESS_LOG.setLevel(logging.NOTSET if access else logging.WARNING)
    # None of these is in any line, and each is asked for each time.
    logging.logThreads = logging.logProcesses = False
    logging.logMultiprocessing = False


def _start(handler: logging.Handler, *, form: str, level: str) -> None:
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class TextLines(logging.Formatter):
    """`2026-01-31T12:00:00.000Z info gateway.server message key=value`, controls escaped."""

    def format(self, record: logging.LogRecord) -> str:
        fields = [f"{key}={_quoted(value)}" for key, value in _fields(record).items()]
        return one_line(" ".join([*_head(record), *fields]))


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


def _fields(record: logging.LogRecord) -> Mapping[str, Field]:
    """What `extra=` added, then the traceback if there is one; or those of a ready event."""
    event = record.__dict__.get(EVENT)
    if isinstance(event, dict):
        return event
    request_id = current_request_id()
    fields: dict[str, Field] = {} if request_id is None else {"request_id": request_id}
    fields |= {
        key: value if isinstance(value, (int, float, bool, type(None))) else _bounded(str(value))
        for key, value in record.__dict__.items()
        if key not in _STANDARD
    }
    if record.exc_info:
        fields["exception"] = _bounded(logging.Formatter().formatException(record.exc_info))
    return fields


def _quoted(value: Field) -> str:
    """As it is, unless it could be taken for more than one field."""
    text = str(value)
    if text and _AMBIGUOUS.search(text) is None:
        return text
    return json.dumps(text, ensure_ascii=False)


def _bounded(text: str) -> str:
    # A megabyte of somebody's header is no log message.
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}... ({len(text)} characters)"
