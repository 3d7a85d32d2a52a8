"""A small keep-alive HTTP/1.1 load client on asyncio streams: every byte is prepared beforehand."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

CONNECTIONS = 16
Requests = Callable[[int, int], bytes]
"""Connection number and running number on it -> the whole request."""


async def load(url: str, requests: Requests, *, each: int) -> None:
    """Send `each` requests on each of CONNECTIONS connections; every answer must be a 200."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    async with asyncio.TaskGroup() as connections:
        for number in range(CONNECTIONS):
            prepared = [requests(number, turn) for turn in range(each)]
            connections.create_task(_converse(parts.hostname, parts.port, prepared))


async def _converse(host: str, port: int, prepared: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        for request in prepared:
            writer.write(request)
            await _read_answer(reader)
    finally:
        writer.close()
        await writer.wait_closed()


async def _read_answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(f"not a 200: {head.decode('latin-1')}")
    _, counted, rest = head.partition(b"\r\ncontent-length:")
    if counted:
        await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
        return
    while size := int(await reader.readuntil(b"\r\n"), 16):
        await reader.readexactly(size + 2)
    await reader.readexactly(2)
