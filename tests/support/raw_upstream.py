"""An upstream that says exactly the bytes that a test gives it, HTTP or not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class RawUpstream:
    """`requests` counts the heads that arrived, `asked` says that one has.

    `left` is set when a peer has closed.
    """

    url: str
    requests: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def raw_upstream(*pieces: bytes, stay: bool = False) -> AsyncIterator[RawUpstream]:
    """Answer each request with `pieces`, then close; with `stay`, wait for the peer to close."""
    state = RawUpstream(url="")

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            state.requests += 1
            state.asked.set()
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            while stay and await reader.read(65_536):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            if stay:
                state.left.set()
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    async with server:
        state.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield state
