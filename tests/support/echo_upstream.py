"""A recording upstream on plain sockets: it keeps what really came over the wire.

No HTTP framework stands in between, because they all normalise something: header case, header
order, percent-encoding, the boundaries of chunks.
"""

import contextlib
import json
import queue
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BufferedReader
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request, as received. `headers` keep order and case; `connection` counts from 1."""

    request_line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int

    @property
    def target(self) -> str:
        return self.request_line.split(" ")[1]

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def value(self, name: str) -> str:
        (value,) = self.values(name)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the upstream says.

    `body` None echoes the request as JSON, an iterable is sent chunk by chunk. `hold` is waited
    for before the head; `until_left` is set when the peer closes, which is waited for instead of
    answering; `hang_up` closes the connection without an answer.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Iterable[bytes] | None = None
    hold: threading.Event | None = None
    until_left: threading.Event | None = None
    hang_up: bool = False


class EchoUpstream:
    """`with EchoUpstream() as echo:` listens on a free loopback port.

    Set `answer` to a value, or to a function of the request, to steer it. `arrivals` gets every
    piece of a request body at the moment it arrives.
    """

    def __init__(self) -> None:
        self.answer: Answer | Callable[[Seen], Answer] = Answer()
        self.seen: list[Seen] = []
        self.arrivals: queue.Queue[bytes] = queue.Queue()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._count = 0
        self._listen(0)

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._acceptor.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def last(self) -> Seen:
        return self.seen[-1]

    def go_down(self) -> None:
        """Refuse connections from now on, and drop the open ones."""
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

    def come_back(self) -> None:
        self._listen(self.port)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.go_down()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            # Head and body are two writes: Nagle would hold the second back for 40 ms.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._count += 1
            thread = threading.Thread(
                target=self._converse, args=(connection, self._count), daemon=True
            )
            with self._lock:
                self._open[connection] = thread
            thread.start()

    def _converse(self, connection: socket.socket, number: int) -> None:
        # A peer that goes away mid-message (mid-chunk: ValueError) is an ordinary end.
        with (
            contextlib.suppress(OSError, ValueError),
            connection,
            connection.makefile("rb") as stream,
        ):
            while (seen := self._read(stream, number)) is not None:
                self.seen.append(seen)
                answer = self.answer(seen) if callable(self.answer) else self.answer
                if answer.hold is not None:
                    answer.hold.wait(30)
                if answer.until_left is not None:
                    _wait_for_end(connection)
                    answer.until_left.set()
                    break
                if answer.hang_up:
                    break
                _send(connection, answer, seen)
        with self._lock:
            self._open.pop(connection, None)

    def _read(self, stream: BufferedReader, number: int) -> Seen | None:
        request_line = stream.readline().decode("latin-1").rstrip("\r\n")
        if not request_line:
            return None
        headers: list[tuple[str, str]] = []
        while line := stream.readline().decode("latin-1").rstrip("\r\n"):
            name, _, value = line.partition(":")
            headers.append((name, value.strip(" \t")))
        body = b"".join(self._pieces(stream, {key.lower(): value for key, value in headers}))
        return Seen(request_line=request_line, headers=tuple(headers), body=body, connection=number)

    def _pieces(self, stream: BufferedReader, headers: dict[str, str]) -> Iterable[bytes]:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            while size := int(stream.readline().split(b";")[0], 16):
                yield self._arrived(stream.read(size))
                stream.readline()
            stream.readline()
        else:
            left = int(headers.get("content-length", "0"))
            while left and (piece := stream.read1(min(left, 65536))):
                left -= len(piece)
                yield self._arrived(piece)

    def _arrived(self, piece: bytes) -> bytes:
        self.arrivals.put(piece)
        return piece


def _wait_for_end(connection: socket.socket) -> None:
    with contextlib.suppress(ConnectionError):
        while connection.recv(1):
            pass


def _send(connection: socket.socket, answer: Answer, seen: Seen) -> None:
    body = _echo(seen) if answer.body is None else answer.body
    headers = list(answer.headers)
    if answer.body is None:
        headers.append(("Content-Type", "application/json"))
    if isinstance(body, bytes):
        headers.append(("Content-Length", str(len(body))))
    else:
        headers.append(("Transfer-Encoding", "chunked"))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    connection.sendall(f"HTTP/1.1 {answer.status} Answer\r\n{lines}\r\n".encode("latin-1"))
    if seen.request_line.startswith("HEAD "):
        return
    if isinstance(body, bytes):
        connection.sendall(body)
        return
    for chunk in body:
        connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
    connection.sendall(b"0\r\n\r\n")


def _echo(seen: Seen) -> bytes:
    return json.dumps(
        {
            "request_line": seen.request_line,
            "headers": seen.headers,
            "body": seen.body.decode("utf-8", "replace"),
        }
    ).encode()
