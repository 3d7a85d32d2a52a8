"""Requests that are no HTTP at all."""

import asyncio
import logging
from urllib.parse import urlsplit

import pytest

from tests.support.serving import Served

SECRET = "hunter2-" * 9_000


@pytest.mark.parametrize(
    "head",
    [
        f"GET /tools HTTP/1.1\r\nHost: localhost\r\nX-Key: {SECRET}\r\n\r\n",
        f"GET /tools?key={SECRET} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /tools HTTP/1.1\r\nHost: localhost\r\nX-Key : hunter2\r\n\r\n",
        "hunter2 hunter2 hunter2\r\n\r\n",
    ],
    ids=["long-field", "long-target", "bad-field", "no-http"],
)
async def test_what_cannot_be_parsed_is_refused_and_not_logged(
    served: Served, head: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    parts = urlsplit(served.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(head.encode())
    answer = await asyncio.wait_for(reader.read(), timeout=10)
    writer.close()
    assert b" 400 " in answer.split(b"\r\n")[0]
    text = caplog.text + "".join(str(record.exc_info) for record in caplog.records)
    assert "hunter2" not in text
    assert "Traceback" not in text
    assert "not valid HTTP" in text
