"""A trivial upstream: reads one request head and body, answers about 200 bytes of JSON.

Run as `python -m benchmarks.upstream`. Its cost is not counted; it only has to keep up.
"""

import asyncio
import sys
from typing import cast

import uvloop

_BODY = (
    b'{"id": 1296269, "name": "hello-world", "full_name": "octo/hello-world", "private": false, '
    b'"description": "A repository to measure with", "fork": false, "stars": 80, "open": true, '
    b'"topics": ["a", "b"]}'
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(_BODY),
    _BODY,
)


class Answering(asyncio.Protocol):
    """One connection. Bodies are framed by Content-Length or chunked, and thrown away."""

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio's without being of its classes.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := _end_of_request(self._buffer)) is not None:
            self._buffer = self._buffer[end:]
            self._transport.write(ANSWER)


def _end_of_request(data: bytes) -> int | None:
    head, separator, _ = data.partition(b"\r\n\r\n")
    if not separator:
        return None
    start = len(head) + 4
    lowered = head.lower()
    if b"\r\ntransfer-encoding: chunked" in lowered:
        end = data.find(b"0\r\n\r\n", start)
        return None if end < 0 else end + 5
    _, found, rest = lowered.partition(b"\r\ncontent-length:")
    end = start + (int(rest.split(b"\r\n", 1)[0]) if found else 0)
    return end if len(data) >= end else None


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(f"listening on http://127.0.0.1:{port}", file=sys.stderr, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
