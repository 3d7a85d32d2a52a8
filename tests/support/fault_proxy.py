"""A TCP proxy before Redis that fails on purpose, at any byte of a command or of its answer."""

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

_CHUNK = 65_536
_SINGLE_BYTES = 64
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, 0 seconds: closing sends RST."""


class Fault(StrEnum):
    """CUT_* closes the connection once `at` bytes have passed in that direction."""

    CUT_COMMAND = "command cut"
    CUT_ANSWER = "answer cut"
    DELAY = "answer delayed"
    LATE = "command too late"
    STALL = "answer too late"
    SPLIT = "answer split"
    RESET = "connections reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One fault. `seconds` are those of DELAY, LATE and STALL.

    A LATE command arrives although its client has gone, as after a retransmission (RFC 9293,
    section 3.8.1). RESET takes every open connection; the command arrives.
    """

    fault: Fault
    at: int = 0
    seconds: float = 0.0


Choose = Callable[[bytes], Strike | None]


class FaultProxy:
    """`choose` is asked for each message of a client: what shall become of it, and of its answer.

    `open` and `most_open` count clients' connections, `struck` the faults that took place.
    """

    def __init__(self, target: int) -> None:
        self.choose: Choose = lambda _message: None
        self.struck: Counter[Fault] = Counter()
        self.most_open = 0
        self.port = 0
        self._target = target
        self._links: set[_Link] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def open(self) -> int:
        return len(self._links)

    async def closed(self) -> None:
        """Wait until no client is connected."""
        await self._quiet.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = await asyncio.open_connection("127.0.0.1", self._target)
        link = _Link(self, (reader, writer), server)
        self._links.add(link)
        self._quiet.clear()
        self.most_open = max(self.most_open, len(self._links))
        try:
            await link.relay()
        except* ConnectionError:
            pass  # a reset is an end like any other
        finally:
            link.cut()
            self._links.discard(link)
            if not self._links:
                self._quiet.set()

    def reset_all(self) -> None:
        for link in self._links:
            link.reset()


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One client's connection. Redis clients wait for an answer before the next message."""

    def __init__(self, proxy: FaultProxy, client: Stream, server: Stream) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._strike: Strike | None = None

    async def relay(self) -> None:
        """Until either side is through."""
        async with asyncio.TaskGroup() as group:
            ends = [group.create_task(self._up()), group.create_task(self._down())]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()

    async def _up(self) -> None:
        while message := await self._client[0].read(_CHUNK):
            strike = self._strike = self._proxy.choose(message)
            if strike is not None and strike.fault is Fault.CUT_COMMAND:
                self._struck(strike)
                _write(self._server, message[: strike.at])
                await self._server[1].drain()
                return
            if strike is not None and strike.fault is Fault.LATE:
                self._struck(strike)
                self._strike = None
                await asyncio.sleep(strike.seconds)
            _write(self._server, message)

    async def _down(self) -> None:
        while answer := await self._server[0].read(_CHUNK):
            strike, self._strike = self._strike, None
            if strike is None:
                _write(self._client, answer)
            elif not await self._answer(strike, answer):
                return

    async def _answer(self, strike: Strike, answer: bytes) -> bool:
        """Whether the connection goes on."""
        self._struck(strike)
        if strike.fault is Fault.RESET:
            self._proxy.reset_all()
            return False
        if strike.fault is Fault.CUT_ANSWER:
            _write(self._client, answer[: strike.at])
            await self._client[1].drain()
            return False
        if strike.fault in (Fault.DELAY, Fault.STALL):
            await asyncio.sleep(strike.seconds)
        for piece in _pieces(answer, split=strike.fault is Fault.SPLIT):
            _write(self._client, piece)
            await asyncio.sleep(0)
        return True

    def _struck(self, strike: Strike) -> None:
        self._proxy.struck[strike.fault] += 1

    def reset(self) -> None:
        connection: socket.socket | None = self._client[1].get_extra_info("socket")
        if connection is not None and connection.fileno() >= 0:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.cut()

    def cut(self) -> None:
        for _, writer in (self._client, self._server):
            writer.close()


def _write(stream: Stream, data: bytes) -> None:
    if not stream[1].is_closing():
        stream[1].write(data)


def _pieces(answer: bytes, *, split: bool) -> Iterator[bytes]:
    single = _SINGLE_BYTES if split else 0
    for at in range(min(len(answer), single)):
        yield answer[at : at + 1]
    yield answer[single:]


@asynccontextmanager
async def fault_proxy(target: int) -> AsyncIterator[FaultProxy]:
    """A proxy on a free loopback port, before the Redis at port `target`."""
    proxy = FaultProxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.reset_all()
        await proxy.closed()
        await server.wait_closed()
