"""An upstream that breaks HTTP in every way that one can, each under a name.

The first segment of a path is the behaviour. `/NAME/ok?TAG` is answered well and with the tag, so
that a test sees whose answer it got; anything else below `/NAME` gets what the table says.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from io import BufferedReader
from types import TracebackType
from typing import Self

_OK = b"HTTP/1.1 200 OK\r\n"
_TEXT = _OK + b"Content-Type: text/plain\r\n"
_CHUNKED = _TEXT + b"Transfer-Encoding: chunked\r\n\r\n"
_SIZED = _TEXT + b"Content-Length: 10\r\n\r\n"
# Far more than a gateway has any reason to read.
_FLOOD_BYTES = 50_000_000


class Then(Enum):
    """What follows the last byte."""

    CLOSE = auto()
    RESET = auto()
    STAY = auto()  # until the peer closes


class Fate(Enum):
    """What a caller has to see of it, where that is no status."""

    # A head, and then a stream that is cut; or 502, where the fault was there before the head left.
    CUT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """`said` is sent piece by piece.

    `proxied` is what `/apis` answers to `method`, `body` its body where that is known. `excess`:
    the answer is followed by more, and may be refused for that.
    """

    said: tuple[bytes, ...] | Callable[[], Iterator[bytes]]
    then: Then
    proxied: int | Fate
    method: str = "GET"
    body: bytes | None = None
    excess: bool = False


def _broken(*said: bytes, then: Then = Then.CLOSE, status: int = 502) -> Behaviour:
    return Behaviour(said=said, then=then, proxied=status)


def _cut(*said: bytes, then: Then = Then.CLOSE) -> Behaviour:
    return Behaviour(said=said, then=then, proxied=Fate.CUT)


def _well(
    *said: bytes,
    then: Then = Then.STAY,
    status: int = 200,
    method: str = "GET",
    body: bytes = b"",
) -> Behaviour:
    return Behaviour(said=said, then=then, proxied=status, method=method, body=body)


def _more(*said: bytes, status: int = 200, method: str = "GET", body: bytes = b"") -> Behaviour:
    return replace(_well(*said, status=status, method=method, body=body), excess=True)


def _flood(beginning: bytes, repeated: bytes) -> Callable[[], Iterator[bytes]]:
    def say() -> Iterator[bytes]:
        yield beginning
        many = repeated * max(1, 65_536 // len(repeated))
        for _ in range(_FLOOD_BYTES // len(many)):
            yield many

    return say


def _bytes_of(text: bytes) -> Iterator[bytes]:
    return (text[n : n + 1] for n in range(len(text)))


BEHAVIOURS: Mapping[str, Behaviour] = {
    # Before a head is there.
    "hangs-up": _broken(),
    "resets": _broken(then=Then.RESET),
    "never-answers": _broken(then=Then.STAY, status=504),
    "stalls-in-the-head": _broken(b"HTTP/1.1 200 OK\r\nX: ", then=Then.STAY, status=504),
    "ends-in-the-head": _broken(b"HTTP/1.1 200 OK\r\nX: 1\r\n"),
    "resets-in-the-head": _broken(b"HTTP/1.1 200 OK\r\nX: 1\r\n", then=Then.RESET),
    "no-http": _broken(b"hello\r\n\r\n"),
    "http-0-9": _broken(b"<html>since 1991</html>"),
    "tls-alert": _broken(b"\x15\x03\x01\x00\x02\x02\x28"),
    "flood-of-1xx": Behaviour(
        said=_flood(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
        then=Then.CLOSE,
        proxied=502,
    ),
    "flood-of-100": Behaviour(
        said=_flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), then=Then.CLOSE, proxied=502
    ),
    "only-interim": _broken(b"HTTP/1.1 100 Continue\r\n\r\n"),
    # Heads.
    "status-099": _broken(b"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n"),
    "status-in-letters": _broken(b"HTTP/1.1 2xx OK\r\nContent-Length: 0\r\n\r\n"),
    "status-of-four-digits": _broken(b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
    "version-2": _broken(b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "unasked-101": _broken(
        b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi",
        then=Then.STAY,
    ),
    "unasked-h2c": _broken(
        b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", then=Then.STAY
    ),
    "cr-in-reason": _broken(b"HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n"),
    "nul-in-reason": _broken(b"HTTP/1.1 200 O\x00K\r\nContent-Length: 0\r\n\r\n"),
    "cr-in-field": _broken(_OK + b"X: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n"),
    "nul-in-field": _broken(_OK + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n"),
    "control-in-field": _broken(_OK + b"X: a\x01b\r\nContent-Length: 0\r\n\r\n"),
    "field-without-colon": _broken(_OK + b"X a\r\nContent-Length: 0\r\n\r\n"),
    "field-without-name": _broken(_OK + b": a\r\nContent-Length: 0\r\n\r\n"),
    "blank-in-name": _broken(_OK + b"X Y: a\r\nContent-Length: 0\r\n\r\n"),
    "blank-before-colon": _broken(_OK + b"X : a\r\nContent-Length: 0\r\n\r\n"),
    "field-of-a-megabyte": _broken(_OK + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n"),
    "endless-field": Behaviour(said=_flood(_OK + b"X: ", b"x"), then=Then.CLOSE, proxied=502),
    "fields-of-megabytes": _broken(
        _OK, *(b"X%d: " % n + b"x" * 60_000 + b"\r\n" for n in range(100)), b"\r\n"
    ),
    "ten-thousand-fields": _broken(_OK + b"X: y\r\n" * 10_000 + b"\r\n"),
    "endless-fields": Behaviour(said=_flood(_OK, b"X: y\r\n"), then=Then.CLOSE, proxied=502),
    "two-hundred-cookies": _broken(_OK + b"Set-Cookie: a=b\r\n" * 200 + b"\r\n"),
    # Framing.
    "length-and-chunked": _broken(
        _OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    ),
    "two-lengths": _broken(_OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    "list-of-lengths": _broken(_OK + b"Content-Length: 1, 2\r\n\r\nab"),
    "signed-length": _broken(_OK + b"Content-Length: +2\r\n\r\nab"),
    "negative-length": _broken(_OK + b"Content-Length: -2\r\n\r\nab"),
    "length-in-letters": _broken(_OK + b"Content-Length: two\r\n\r\nab"),
    "astronomic-length": _broken(_OK + b"Content-Length: 99999999999999999999999\r\n\r\nab"),
    "compressed-in-transfer": _broken(
        _OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    ),
    "chunked-under-1-0": _broken(
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    ),
    "unknown-coding": _broken(_OK + b"Transfer-Encoding: xchunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
    "chunked-twice": _broken(
        _OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    ),
    # Bodies that do not end as they should.
    "short-length": _cut(_SIZED + b"short"),
    "short-length-reset": _cut(_SIZED + b"short", then=Then.RESET),
    "stalls-in-a-body": _cut(_SIZED + b"short", then=Then.STAY),
    "ends-in-a-chunk": _cut(_CHUNKED + b"5\r\nab"),
    "ends-after-a-chunk": _cut(_CHUNKED + b"2\r\nab\r\n"),
    "ends-before-the-last-line": _cut(_CHUNKED + b"2\r\nab\r\n0\r\n"),
    "resets-in-a-chunk": _cut(_CHUNKED + b"5\r\nab", then=Then.RESET),
    "stalls-in-a-chunk": _cut(_CHUNKED + b"5\r\nab", then=Then.STAY),
    "bad-chunk-size": _cut(_CHUNKED, b"2\r\nab\r\n", b"zz\r\nab\r\n0\r\n\r\n"),
    "negative-chunk-size": _cut(_CHUNKED, b"2\r\nab\r\n", b"-1\r\nab\r\n0\r\n\r\n"),
    "chunk-size-in-0x": _cut(_CHUNKED, b"2\r\nab\r\n", b"0x2\r\nab\r\n0\r\n\r\n"),
    "astronomic-chunk-size": _cut(_CHUNKED, b"2\r\nab\r\n", b"ffffffffffffffffff\r\nab"),
    "chunk-longer-than-it-says": _cut(_CHUNKED, b"2\r\nab\r\n", b"2\r\nabc\r\n0\r\n\r\n"),
    "endless-chunk-line": Behaviour(
        said=_flood(_CHUNKED + b"2\r\nab\r\n2;", b"x"), then=Then.CLOSE, proxied=Fate.CUT
    ),
    "endless-trailers": Behaviour(
        said=_flood(_CHUNKED + b"2\r\nab\r\n0\r\n", b"X: y\r\n"),
        then=Then.CLOSE,
        proxied=Fate.CUT,
    ),
    "bad-trailer": _cut(_CHUNKED, b"2\r\nab\r\n", b"0\r\nX\x00Y: z\r\n\r\n"),
    # Odd, and in order.
    "status-999": _well(b"HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nhi", status=999, body=b"hi"),
    "no-reason": _well(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", body=b"hi"),
    "some-1xx": _well(
        b"HTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\n" * 5,
        b"HTTP/1.1 102 Processing\r\n\r\n",
        _OK + b"Content-Length: 2\r\n\r\nhi",
        body=b"hi",
    ),
    "folded-field": _well(_OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
    "http-1-0": _well(b"HTTP/1.0 200 OK\r\n\r\nto the end", then=Then.CLOSE, body=b"to the end"),
    "no-length": _well(_TEXT + b"\r\nto the end", then=Then.CLOSE, body=b"to the end"),
    "trailers": _well(
        _CHUNKED + b"2\r\nhi\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n", body=b"hi"
    ),
    "chunk-extensions": _well(_CHUNKED + b"2;a=b\r\nhi\r\n0\r\n\r\n", body=b"hi"),
    "byte-by-byte": _well(*_bytes_of(_CHUNKED + b"2\r\nhi\r\n0\r\n\r\n"), body=b"hi"),
    "204-with-a-length": _well(b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n", status=204),
    "204-with-a-body": _more(b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nhi", status=204),
    "304-with-a-body": _more(b"HTTP/1.1 304 No\r\nContent-Length: 2\r\n\r\nhi", status=304),
    "head-with-a-body": _more(_OK + b"Content-Length: 2\r\n\r\n", b"hi", method="HEAD"),
    # More than one answer: the next caller must not get the rest.
    "longer-than-its-length": _more(_OK + b"Content-Length: 2\r\n\r\nhi there", body=b"hi"),
    "more-after-the-last-chunk": _more(_CHUNKED + b"2\r\nhi\r\n0\r\n\r\nand more", body=b"hi"),
    "two-answers": _more(
        _OK + b"Content-Length: 2\r\n\r\nhi" + _OK + b"Content-Length: 6\r\n\r\npoison", body=b"hi"
    ),
    "two-answers-to-head": _more(
        _OK + b"Content-Length: 2\r\n\r\n" + _OK + b"Content-Length: 6\r\n\r\npoison",
        method="HEAD",
    ),
}


class EvilUpstream:
    """`with EvilUpstream() as evil:` listens on a free loopback port.

    `asked` counts the requests of each behaviour, those for `/NAME/ok` apart.
    """

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # shutdown() first: close() alone does not wake the thread that sits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        with self._lock:
            connections = dict(self._open)
        for connection, thread in connections.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._converse, args=(connection,), daemon=True)
            with self._lock:
                self._open[connection] = thread
            thread.start()

    def _converse(self, connection: socket.socket) -> None:
        with (
            contextlib.suppress(OSError, ValueError),
            connection,
            connection.makefile("rb") as stream,
        ):
            while (target := _read_request(stream)) is not None:
                name, _, rest = target.removeprefix("/").partition("/")
                if rest.startswith("ok"):
                    tag = rest.partition("?")[2].encode()
                    connection.sendall(_OK + b"Content-Length: %d\r\n\r\n%s" % (len(tag), tag))
                    continue
                with self._lock:
                    self.asked[name] = self.asked.get(name, 0) + 1
                if not _behave(connection, BEHAVIOURS[name]):
                    break
        with self._lock:
            self._open.pop(connection, None)


def _read_request(stream: BufferedReader) -> str | None:
    """The target of the next request, its body read and forgotten."""
    line = stream.readline()
    if not line:
        return None
    length = 0
    while field := stream.readline().strip():
        if field.lower().startswith(b"content-length:"):
            length = int(field.partition(b":")[2])
    stream.read(length)
    return line.split()[1].decode()


def _behave(connection: socket.socket, behaviour: Behaviour) -> bool:
    """Whether the connection goes on."""
    said = behaviour.said
    for piece in said() if callable(said) else said:
        connection.sendall(piece)
    if behaviour.then is Then.RESET:
        # RFC 793: a close with a linger of 0 seconds is a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return behaviour.then is Then.STAY
