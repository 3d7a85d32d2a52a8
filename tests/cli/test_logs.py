"""One valid line for each event, whatever is logged."""

import io
import json
import logging
import sys

import pytest

from gateway.cli.logs import MAX_TEXT, JsonLines, TextLines, start_logging
from gateway.telemetry.current import REQUEST, RequestState

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


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a b", '"a b"'),
        ("x status=200", '"x status=200"'),
        ('a"b', '"a\\"b"'),
        ("a\\b", '"a\\\\b"'),
        ("", '""'),
        ("a\nb", '"a\\nb"'),
        ("plain/text-1.0", "plain/text-1.0"),
        (None, "None"),
    ],
)
def test_s93_a_text_field_cannot_pose_as_another(value: str | None, shown: str) -> None:
    line = TextLines().format(record("real", agent=value))
    assert line == f"2026-01-01T00:00:00.250Z warning gateway.x real agent={shown}"


@pytest.mark.parametrize("form", [TextLines(), JsonLines()], ids=["text", "json"])
def test_lines_of_a_request_have_its_id(form: logging.Formatter) -> None:
    token = REQUEST.set(RequestState(request_id="r-17"))
    try:
        line = form.format(record("while serving", api="shop"))
    finally:
        REQUEST.reset(token)
    assert "r-17" in line
    assert "shop" in line
    assert "r-17" not in form.format(record("later"))


@pytest.mark.parametrize("form", [TextLines(), JsonLines()], ids=["text", "json"])
def test_a_ready_event_is_escaped_like_others(form: logging.Formatter) -> None:
    line = form.format(record("request", event={"agent": HOSTILE, "status": 200}))
    assert line.isprintable()
    line.encode()
    assert "200" in line


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
