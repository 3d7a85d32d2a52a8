"""Holds streams of `subscriptions/listen`: says when all are open, and when all have heard."""

import json
import select
import signal
import socket
import sys
import time
from urllib.parse import urlsplit

_AT_ONCE = 100
_NEWS = b"notifications/tools/list_changed"
_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


def main() -> None:
    url, streams = sys.argv[1], int(sys.argv[2])
    place = urlsplit(url)
    address = (place.hostname or "127.0.0.1", place.port or 80)
    poll, waiting = select.epoll(), {}
    for start in range(0, streams, _AT_ONCE):
        opened = [_ask(address, n) for n in range(start, min(start + _AT_ONCE, streams))]
        for connection in opened:
            # The acknowledgement is the first event, and comes with the head.
            received = b""
            while b"acknowledged" not in received:
                received += _some(connection)
            poll.register(connection, select.EPOLLIN)
            waiting[connection.fileno()] = connection
    print("open", flush=True)
    kept = dict(waiting)
    last: dict[int, bytes] = {}
    while waiting:
        for descriptor, _ in poll.poll():
            tail = last.get(descriptor, b"") + _some(kept[descriptor])
            last[descriptor] = tail[-len(_NEWS) :]
            if _NEWS in tail:
                waiting.pop(descriptor, None)
    print(time.monotonic(), flush=True)
    signal.pause()


def _ask(address: tuple[str, int], number: int) -> socket.socket:
    wanted = {"toolsListChanged": True, "resourcesListChanged": True}
    params = {"notifications": wanted, "_meta": _META}
    message = {"id": number, "method": "subscriptions/listen", "params": params}
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    connection = socket.create_connection(address)
    connection.sendall(
        f"POST /mcp HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n"
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
        "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\n"
        f"Accept-Encoding: gzip, deflate\r\nUser-Agent: benchmark\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    return connection


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise SystemExit("a stream has ended")
    return data


if __name__ == "__main__":
    main()
