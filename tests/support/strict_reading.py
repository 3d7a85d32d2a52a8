"""Reads an HTTP/1.1 answer as strictly as it can be read: whole, or cut."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """`whole`: the framing says that this is all. Header names are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool


async def ask(
    url: str, method: str, target: str, *, headers: str = "", body: bytes = b"", patience: float
) -> Read:
    """One request over a connection of its own. Raises ValueError for what is no HTTP at all."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(
            f"{method} {target} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n"
            f"{headers}\r\n".encode()
            + body
        )
        async with asyncio.timeout(patience):
            return _parse(await _until_end(reader), method)
    finally:
        writer.close()


async def _until_end(reader: asyncio.StreamReader) -> bytes:
    got = bytearray()
    try:
        while piece := await reader.read(65_536):
            got += piece
    except ConnectionError:  # a reset, the hardest way of being cut
        pass
    return bytes(got)


def _parse(raw: bytes, method: str) -> Read:
    head, blank, rest = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not blank or not lines[0].startswith("HTTP/1.1 "):
        raise ValueError(f"no head: {raw[:100]!r}")
    status = int(lines[0].split(" ")[1])
    pairs = (line.partition(":") for line in lines[1:])
    headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
    fields = dict(headers)
    if method == "HEAD" or status in (204, 304):
        return Read(status=status, headers=headers, body=rest, whole=not rest)
    if fields.get("transfer-encoding") == "chunked":
        assert "content-length" not in fields
        body, whole = _unchunk(rest)
    else:
        length = int(fields["content-length"])
        body, whole = rest, len(rest) == length
    return Read(status=status, headers=headers, body=body, whole=whole)


def _unchunk(rest: bytes) -> tuple[bytes, bool]:
    body = b""
    while True:
        line, found, after = rest.partition(b"\r\n")
        if not found:
            return body, False
        size = int(line, 16)
        if size == 0:
            return body, after == b"\r\n"
        if len(after) < size + 2:
            return body + after[:size], False
        body, rest = body + after[:size], after[size + 2 :]
