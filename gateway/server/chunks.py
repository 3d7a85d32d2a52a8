"""Bodies in chunks (RFC 9112 section 7.1), read strictly and as they come."""

import re
from typing import Final

from gateway.errors import BadRequest

# A size of 15 digits is more than any limit; an extension is of no use to anybody.
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")
_TRAILER: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")
# RFC 9110 section 6.5.1: what frames or routes a message comes before its content.
_MISPLACED: Final = re.compile(
    rb"(?:content-length|transfer-encoding|host|trailer):", re.IGNORECASE
)
MAX_SIZE_LINE: Final = 1_024
MAX_EXTENSIONS: Final = 65_536
"""Bytes of chunk extensions in one body: each has to be read, and nobody is served by it."""
MAX_TRAILERS: Final = 8_192
"""Bytes of the trailer section, which is checked and dropped."""


class ChunkReader:
    """Hand it bytes until `is_done`; `rest` then has those that come after the body."""

    def __init__(self) -> None:
        self.is_done = False
        self.rest = b""
        self._left = 0  # of a chunk's data and the CRLF behind it
        self._in_trailers = False
        self._extensions = 0
        self._trailers = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces of the body in `data`. Raises BadRequest for what is no chunk."""
        if self.rest:
            data, self.rest = self.rest + data, b""
        pieces: list[bytes] = []
        start = 0
        while start < len(data) and not self.is_done:
            if self._left:
                start = self._take(data, start, pieces)
                continue
            end = data.find(b"\r\n", start)
            if end < 0:
                self._check_unended(data, start)
                break
            self._read_line(data[start:end])
            start = end + 2
        self.rest = data[start:]
        return pieces

    def _take(self, data: bytes, start: int, pieces: list[bytes]) -> int:
        """Data of the chunk, then its CRLF; the position behind what could be taken."""
        content = self._left - 2
        if content > 0:
            piece = data[start : start + content]
            pieces.append(piece)
            self._left -= len(piece)
            return start + len(piece)
        ending = b"\r\n"[2 - self._left :]
        given = data[start : start + self._left]
        if not ending.startswith(given):
            raise BadRequest("a chunk of the request's body does not end where it says")
        self._left -= len(given)
        return start + len(given)

    def _read_line(self, line: bytes) -> None:
        if self._in_trailers:
            self._read_trailer(line)
            return
        match = _SIZE.fullmatch(line)
        if match is None or len(line) > MAX_SIZE_LINE:
            raise BadRequest("a chunk of the request's body has no size")
        self._extensions += len(line) - len(match[1])
        if self._extensions > MAX_EXTENSIONS:
            raise BadRequest("the chunks of the request's body have too many extensions")
        size = int(match[1], 16)
        if size:
            self._left = size + 2
        else:
            self._in_trailers = True

    def _read_trailer(self, line: bytes) -> None:
        self._trailers += len(line)
        if not line:
            self.is_done = True
        elif (
            self._trailers > MAX_TRAILERS or not _TRAILER.fullmatch(line) or _MISPLACED.match(line)
        ):
            raise BadRequest("the trailers of the request's body are not as HTTP has them")

    def _check_unended(self, data: bytes, start: int) -> None:
        """An unended line may go on, but not for ever, and not past a line feed of its own."""
        most = MAX_TRAILERS if self._in_trailers else MAX_SIZE_LINE
        if len(data) - start > most or data.find(b"\n", start) >= 0:
            raise BadRequest("the request's body is not framed as HTTP/1.1 has it")
