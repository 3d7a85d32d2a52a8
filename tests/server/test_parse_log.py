"""S-93: the log says why requests were refused unread, and never what they held."""

import asyncio
import logging

import pytest

from gateway.errors import BadRequest, UriTooLong
from gateway.server.parse_log import MAX_LINES, WINDOW_SECONDS, RefusalLog
from tests.support.raw_client import RawConnection
from tests.support.serving import Served

SECRET = "hunter2-" * 9_000


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (f"GET /tools HTTP/1.1\r\nHost: localhost\r\nX-Key: {SECRET}\r\n\r\n", "headers_too_large"),
        (f"GET /tools?key={SECRET} HTTP/1.1\r\nHost: localhost\r\n\r\n", "uri_too_long"),
        ("GET /tools HTTP/1.1\r\nHost: localhost\r\nX-Key : hunter2\r\n\r\n", "bad_request"),
        ("hunter2 hunter2 hunter2\r\n\r\n", "bad_request"),
        ("\x1b[31mhunter2\n\x07\r\n\r\n", "bad_request"),
    ],
    ids=["long-field", "long-target", "bad-field", "no-http", "ansi"],
)
async def test_s93_what_cannot_be_read_is_one_line_without_it(
    served: Served, head: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def ask() -> tuple[int, bytes]:
        with RawConnection(served.url) as raw:
            raw.send(head.encode())
            answer = raw.answer()
            return answer.status, answer.body + raw.rest()

    status, body = await asyncio.to_thread(ask)

    assert 400 <= status < 500
    assert b"hunter2" not in body
    (record,) = [record for record in caplog.records if record.name == "gateway.http"]
    assert code in record.getMessage()
    assert "hunter2" not in caplog.text
    assert "Traceback" not in caplog.text
    assert len(record.getMessage().splitlines()) == 1


def test_s93_whoever_is_refused_cannot_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    log = RefusalLog(lambda: now)
    for _ in range(1_000):
        log.note(BadRequest("no request"))
    assert len(caplog.records) == MAX_LINES

    now = WINDOW_SECONDS
    log.note(UriTooLong("too long"))
    told = [record.getMessage() for record in caplog.records[MAX_LINES:]]
    assert told == [
        f"{1_000 - MAX_LINES} more requests were refused unread",
        "a request was refused unread: 414 uri_too_long (too long)",
    ]
