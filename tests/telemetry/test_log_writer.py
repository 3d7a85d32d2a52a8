"""Whoever logs never waits: what nobody takes is dropped, counted and confessed."""

import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from gateway.telemetry import log_writer
from gateway.telemetry.log_writer import LogWriter, dropped_lines


@dataclass(frozen=True)
class Piped:
    writer: LogWriter
    reader: int

    def log(self, text: str) -> None:
        self.writer.handle(logging.LogRecord("x", logging.INFO, "", 0, text, (), None))

    def read(self) -> bytes:
        return os.read(self.reader, 1_000_000)


@pytest.fixture
def piped() -> Iterator[Piped]:
    reader, writer = os.pipe()
    yield Piped(LogWriter(writer), reader)
    os.close(reader)


def read_lines(piped: Piped, count: int) -> list[bytes]:
    data = b""
    while data.count(b"\n") < count:
        data += piped.read()
    return data.splitlines()


def test_lines_leave_in_order(piped: Piped) -> None:
    for number in range(500):
        piped.log(f"line {number}")
    assert read_lines(piped, 500) == [b"line %d" % number for number in range(500)]
    assert piped.writer.dropped == 0


def test_flush_waits_for_what_was_logged(piped: Piped) -> None:
    piped.log("last words")
    piped.writer.flush()
    assert piped.read() == b"last words\n"


def test_r36_a_pipe_that_nobody_reads_holds_nobody_up(
    piped: Piped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "FLUSH_SECONDS", 0.05)
    before = dropped_lines()
    for number in range(12_000):
        piped.log(f"{number} {'x' * 100}")
    piped.writer.flush()
    dropped = piped.writer.dropped
    assert dropped >= 12_000 - log_writer.MAX_LINES - 65_536 // 100
    assert dropped_lines() - before == dropped
    # Once somebody reads, the rest comes, and the loss is told.
    lines = read_lines(piped, 12_000 - dropped + 1)
    assert lines.count(b"%d log lines were dropped" % dropped) == 1
    assert lines[0].startswith(b"0 ")


def test_r36_lines_that_wait_are_bounded_in_bytes(
    piped: Piped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "MAX_BYTES", 200_000)
    for _ in range(1_000):
        piped.log("x" * 1_000)
    assert piped.writer.dropped >= 1_000 - 200 - 65_536 // 1_000 - 10
    read_lines(piped, 1_000 - piped.writer.dropped)


@pytest.mark.parametrize("place", ["/dev/full", "closed pipe"])
def test_r36_a_place_that_takes_nothing_costs_lines_only(place: str) -> None:
    if place == "/dev/full":
        descriptor = os.open(place, os.O_WRONLY)
    else:
        reader, descriptor = os.pipe()
        os.close(reader)
    writer = LogWriter(descriptor)
    for _ in range(10):
        writer.handle(logging.LogRecord("x", logging.INFO, "", 0, "text", (), None))
    writer.flush()
    assert writer.dropped == 10
    os.close(descriptor)


def test_a_pipe_that_others_do_not_want_to_wait_for_is_waited_for(piped: Piped) -> None:
    os.set_blocking(piped.writer._descriptor, False)
    for _ in range(3_000):
        piped.log("x" * 100)
    assert len(read_lines(piped, 3_000)) == 3_000
    assert piped.writer.dropped == 0


def test_what_cannot_be_formatted_is_no_reason_to_fail(
    piped: Piped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    piped.writer.handle(logging.LogRecord("x", logging.INFO, "", 0, "%d", ("no number",), None))
    piped.log("next")
    assert piped.read() == b"next\n"


def test_a_forked_process_has_a_thread_of_its_own(piped: Piped) -> None:
    piped.log("before")
    assert read_lines(piped, 1) == [b"before"]
    thread = piped.writer._thread
    piped.writer.begin_anew()
    assert piped.writer._thread is None
    piped.log("after")
    assert read_lines(piped, 1) == [b"after"]
    assert piped.writer._thread is not thread
    assert isinstance(piped.writer._thread, threading.Thread)
