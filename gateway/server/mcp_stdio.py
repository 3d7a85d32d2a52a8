"""MCP over stdio: moves lines between two pipes and the MCP core."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial

from gateway.engine import Gateway
from gateway.mcp import LineBuffer, Reply, StdioDialogue
from gateway.policy import ANONYMOUS
from gateway.server.mcp_calls import CallDesk, Caller
from gateway.server.pipes import PipeReader, PipeWriter

# Together under the two seconds in which a client may expect an abandoned server to be gone.
_GRACE_SECONDS = 1.0
_FLUSH_SECONDS = 0.5

_CALLER = Caller(principal=ANONYMOUS)


async def serve_stdio(
    gateway: Gateway,
    *,
    dialogue: StdioDialogue,
    new_bytes: Callable[[int], bytes],
    stdin: int,
    stdout: int,
) -> None:
    """Speaks MCP until the input ends, the reader leaves, or SIGTERM or SIGINT arrives.

    What is in flight then gets a moment to finish. `stdin`, `stdout`: file descriptors; take the
    latter from `claim_stdout`.
    """
    reader = PipeReader(stdin)
    writer = PipeWriter(stdout, on_broken=reader.close)
    with _stop_on_signals(reader.close):
        await _converse(dialogue, CallDesk(gateway, new_bytes=new_bytes), reader, writer)
        await writer.close(_FLUSH_SECONDS)


async def _converse(
    dialogue: StdioDialogue, desk: CallDesk, reader: PipeReader, writer: PipeWriter
) -> None:
    async with asyncio.TaskGroup() as group:
        running: set[asyncio.Task[None]] = set()
        async for line in _lines(reader):
            decision = desk.consider(partial(dialogue.on_line, line))
            if isinstance(decision, Reply):
                _say(writer, decision)
                continue
            # A cancellation, too: it must not overtake the start of the call that it names.
            task = group.create_task(_carry_out(desk.settle(decision, _CALLER), writer))
            running.add(task)
            task.add_done_callback(running.discard)
        if running:
            await asyncio.wait(running, timeout=_GRACE_SECONDS)
        for task in running:
            task.cancel()


async def _lines(reader: PipeReader) -> AsyncIterator[bytes | None]:
    buffer = LineBuffer()
    while chunk := await reader.read():
        for line in buffer.feed(chunk):
            yield line
    # A client that leaves without a last line end has still said something.
    rest = buffer.finish()
    if rest != b"":
        yield rest


async def _carry_out(reply: Coroutine[object, object, Reply], writer: PipeWriter) -> None:
    _say(writer, await reply)


def _say(writer: PipeWriter, reply: Reply) -> None:
    if reply.body:
        writer.write(reply.body + b"\n")


@contextmanager
def _stop_on_signals(stop: Callable[[], object]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
