"""One valid line for each event, whatever is logged."""

import io
import json
import logging
import sys

import pytest

from gateway.cli.logs import MAX_TEXT, JsonLines, TextLines, start_logging

HOSTILE = 'a\r\nb\x1b[2J\x9b"\u2028\ud800'


def record(message: str = "hello %s", *args: object, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {"name": "gateway.x", "levelno": 30, "levelname": "WARNING", "msg": message, "args": args}
    )
    made.created = 1_767_225_600.25
    made.__dict__.update(extra)
    return made


def test_text_has_time_level_logger_message_and_fields() -> None:
    line = TextLines().format(record("hello %s", "you", api="pets", ms=3))
    assert line == "2026-01-01T00:00:00.250Z warning gateway.x hello you api=pets ms=3"


def test_json_has_the_same_as_members() -> None:
    line = JsonLines().format(record("hello %s", "you", api="pets", ms=3, ok=None))
    assert json.loads(line) == {
        "time": "2026-01-01T00:00:00.250Z",
        "level": "warning",
        "logger": "gateway.x",
        "message": "hello you",
        "api": "pets",
        "ms": 3,
        "ok": None,
    }


@pytest.mark.parametrize("form", [TextLines(), JsonLines()], ids=["text", "json"])
def test_nothing_that_is_logged_breaks_the_line(form: logging.Formatter) -> None:
    line = form.format(record("%s", HOSTILE, path=HOSTILE))
    assert line.isprintable()
    line.encode()


def test_a_field_cannot_pose_as_another() -> None:
    event = json.loads(JsonLines().format(record("real", level="debug", time="never")))
    assert (event["message"], event["level"]) == ("real", "warning")
    assert event["time"].startswith("2026-")


@pytest.mark.parametrize("form", [TextLines(), JsonLines()], ids=["text", "json"])
def test_a_megabyte_is_cut(form: logging.Formatter) -> None:
    line = form.format(record("%s", "x" * 1_000_000, path="y" * 1_000_000))
    assert len(line) < 3 * MAX_TEXT
    assert "(1000000 characters)" in line


@pytest.mark.parametrize("form", [TextLines(), JsonLines()], ids=["text", "json"])
def test_a_traceback_stays_on_the_line(form: logging.Formatter) -> None:
    with pytest.raises(ValueError, match="a") as caught:
        int(HOSTILE)
    error = caught.value
    line = form.format(record("failed", exc_info=(type(error), error, caught.tb)))
    assert line.isprintable()
    assert "ValueError" in line


def test_logging_goes_to_stderr_from_its_level_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    start_logging(form="json", level="warning")
    logging.getLogger("gateway").info("no")
    logging.getLogger("gateway").warning("yes")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["message"] == "yes"
