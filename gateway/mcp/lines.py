"""Line framing of stdio: one message a line (every revision, transports, "stdio")."""

from collections.abc import Iterator

MAX_LINE = 10 * 1024 * 1024


class LineBuffer:
    """Cuts chunks into lines. A line over `limit` bytes is dropped and comes out as None, once."""

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._skipping = False

    def feed(self, chunk: bytes) -> Iterator[bytes | None]:
        """The lines that this chunk completes, without their ends; empty ones are left out."""
        *complete, rest = chunk.split(b"\n")
        for piece in complete:
            line = self._end_line(piece)
            if line != b"":
                yield line
        self._keep(rest)

    def finish(self) -> bytes | None:
        """What stands after the last line end; `b""` for nothing."""
        return self._end_line(b"")

    def _end_line(self, piece: bytes) -> bytes | None:
        self._keep(piece)
        line = None if self._skipping else b"".join(self._parts).strip(b" \t\r")
        self._parts, self._size, self._skipping = [], 0, False
        return line

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            self._parts, self._skipping = [], True
        elif piece:
            self._parts.append(piece)
