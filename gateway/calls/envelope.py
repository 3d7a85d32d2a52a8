"""The interaction envelope: an API's answer as lines of JSON, read while they come.

Each line is progress, a log message, or, at the end, either questions to the caller or the result
(docs/interactions.md).
"""

from collections.abc import Iterator
from typing import Final

from gateway.calls.envelope_lines import BadLine, Line, LogLine, Progress, read_line

MAX_LINE: Final = 1_048_576
MAX_LINES: Final = 10_000
MAX_BYTES: Final = 67_108_864
"""Of all lines; as much as is kept of any other answer (`engine.answers.KEPT_BYTES`)."""
_BLANK = b" \t\r"


class BadEnvelope(Exception):
    """What the API did wrong, and in which line."""


class EnvelopeReader:
    """Takes the bytes of one answer as they come, and reads its lines one after the other.

    The two are apart because a large line is worth a thread.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0
        self._size = 0
        self._lines = 0
        self._ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that `data` completes, for `read`. Raises BadEnvelope."""
        self._size += len(data)
        if self._size > MAX_BYTES:
            raise BadEnvelope(f"has more than {MAX_BYTES:,} bytes")
        self._rest += data
        while (end := self._rest.find(b"\n", self._searched)) >= 0:
            line = bytes(self._rest[:end])
            del self._rest[: end + 1]
            self._searched = 0
            yield line
        self._searched = len(self._rest)
        if len(self._rest) > MAX_LINE:
            raise self._fault("is longer than 1 MiB", self._lines + 1)

    def finish(self) -> bytes:
        """What stands after the last line end, when the answer has ended: one more line."""
        line, self._rest = bytes(self._rest), bytearray()
        return line

    def read(self, line: bytes) -> Line | None:
        """What a line says; None for an empty one, which counts all the same. Raises BadEnvelope.

        An empty line says nothing but that the API is still there.
        """
        self._lines += 1
        if self._lines > MAX_LINES:
            raise BadEnvelope(f"has more than {MAX_LINES:,} lines")
        if len(line) > MAX_LINE:
            raise self._fault("is longer than 1 MiB", self._lines)
        line = line.strip(_BLANK)
        if not line:
            return None
        if self._ended:
            raise self._fault("comes after the last line", self._lines)
        try:
            said = read_line(line)
        except BadLine as error:
            raise self._fault(str(error), self._lines) from None
        self._ended = not isinstance(said, Progress | LogLine)
        return said

    def _fault(self, reason: str, line: int) -> BadEnvelope:
        return BadEnvelope(f"line {line:,}: {reason}")
