"""A client of exact bytes: what is sent is what a test says, what comes back is read strictly."""

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

PATIENCE_SECONDS = 20.0

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2}) ([\t\x20-\x7e]*)")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """One response; `interim` are the 1xx ones before it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    version: str = "1.1"
    interim: tuple[int, ...] = ()

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


class NotHttpError(Exception):
    """The server has sent what no strict reader takes for a response."""


class Ended(Exception):
    """The connection ended, in order, before a byte of a response."""


class RawConnection:
    """`with RawConnection(url) as raw:` is one TCP connection to the server at `url`."""

    def __init__(self, url: str, *, patience: float = PATIENCE_SECONDS) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=patience)
        # Slices of a test shall be segments, too.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def half_close(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self, method: str = "GET") -> RawAnswer:
        """The next response. Raises Ended, NotHttpError, ConnectionError, TimeoutError."""
        interim: list[int] = []
        while True:
            version, status, headers = self._head()
            if status >= 200:
                break
            interim.append(status)
        body = b"" if method == "HEAD" or status in (204, 304) else self._body(headers)
        return RawAnswer(
            status=status,
            headers=headers,
            body=body,
            version=f"1.{version}",
            interim=tuple(interim),
        )

    def answers(self, count: int) -> list[RawAnswer]:
        return [self.answer() for _ in range(count)]

    def rest(self) -> bytes:
        """Everything until the server closes. Raises TimeoutError if it does not."""
        while data := self._receive():
            self._buffer += data
        rest, self._buffer = self._buffer, b""
        return rest

    def put_back(self, data: bytes) -> None:
        """Read `data` once more, before whatever comes."""
        self._buffer = data + self._buffer

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _receive(self) -> bytes:
        return self._socket.recv(65_536)

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            data = self._receive()
            if not data:
                if self._buffer:
                    raise NotHttpError(f"cut in a line: {self._buffer[:200]!r}")
                raise Ended
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _head(self) -> tuple[int, int, tuple[tuple[str, str], ...]]:
        match = _STATUS_LINE.fullmatch(line := self._line())
        if match is None:
            raise NotHttpError(f"no status line: {line[:200]!r}")
        headers: list[tuple[str, str]] = []
        while line := self._line():
            field = _FIELD.fullmatch(line)
            if field is None:
                raise NotHttpError(f"no field: {line[:200]!r}")
            headers.append((field[1].decode(), field[2].decode("latin-1")))
        return int(match[1]), int(match[2]), tuple(headers)

    def _body(self, headers: Sequence[tuple[str, str]]) -> bytes:
        told = {name.lower(): value for name, value in headers}
        lengths = [value for name, value in headers if name.lower() == "content-length"]
        if "transfer-encoding" in told:
            if lengths or told["transfer-encoding"] != "chunked":
                raise NotHttpError(f"framed twice, or oddly: {headers}")
            return self._chunks()
        if not lengths:
            return self.rest()
        if len(lengths) > 1 or not lengths[0].isdecimal():
            raise NotHttpError(f"no length: {lengths}")
        return self._exactly(int(lengths[0]))

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._line(), 16):
            body += self._exactly(size)
            if self._line():
                raise NotHttpError("a chunk of another size than it says")
        if self._line():
            raise NotHttpError("trailers")
        return body

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            data = self._receive()
            if not data:
                raise NotHttpError(f"cut in a body, {size - len(self._buffer)} bytes early")
            self._buffer += data
        piece, self._buffer = self._buffer[:size], self._buffer[size:]
        return piece
