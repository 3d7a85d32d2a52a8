"""An upstream of small, large and endless answers, which throws away what it is sent.

`python -m benchmarks.proxy_upstream`. `GET /large` is 10 MB, `GET /events` one event and then
nothing more; anything else about 200 bytes of JSON, once the request's body is there. Its cost is
not counted.
"""

import asyncio
import sys
from typing import cast

import uvloop

from benchmarks.upstream import ANSWER

LARGE_BYTES = 10_485_760
_LARGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n"
    % LARGE_BYTES
)
_PIECE = b"." * 65_536
_EVENT = b"data: {}\n\n"
_EVENTS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"%x\r\n%s\r\n" % (len(_EVENT), _EVENT)
)
_LAST_CHUNK = b"0\r\n\r\n"


class Answering(asyncio.Protocol):
    """One connection, one request at a time. Of a body no more than its end is looked at."""

    def __init__(self) -> None:
        self._head = b""
        self._target = b""
        self._left = 0
        self._is_chunked = False
        self._unsent = 0
        self._is_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio's without being of its classes.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        if not self._target:
            head, ended, data = (self._head + data).partition(b"\r\n\r\n")
            if not ended:
                self._head = head
                return
            self._begin(head)
        self._left -= len(data)
        if self._is_chunked:
            self._head = (self._head + data)[-len(_LAST_CHUNK) :]
            if self._head != _LAST_CHUNK:
                return
        elif self._left > 0:
            return
        self._answer()

    def _begin(self, head: bytes) -> None:
        self._head, self._target = b"", head.split(b" ", 2)[1]
        lowered = head.lower()
        self._is_chunked = b"\r\ntransfer-encoding: chunked" in lowered
        _, found, rest = lowered.partition(b"\r\ncontent-length:")
        self._left = int(rest.split(b"\r\n", 1)[0]) if found else 0

    def _answer(self) -> None:
        target, self._target, self._head = self._target, b"", b""
        if target == b"/large":
            self._transport.write(_LARGE)
            self._unsent = LARGE_BYTES // len(_PIECE)
            self._fill()
        else:
            self._transport.write(_EVENTS if target == b"/events" else ANSWER)

    def _fill(self) -> None:
        while self._unsent and not self._is_full:
            self._unsent -= 1
            self._transport.write(_PIECE)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._fill()


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    print(f"listening on http://127.0.0.1:{port}", file=sys.stderr, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
