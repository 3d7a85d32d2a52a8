"""MCP over stdio: moves lines between two pipes and the MCP core."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from gateway.mcp import (
    Cancel,
    LineBuffer,
    Listen,
    Reply,
    StdioDialogue,
    Subscribe,
    is_opening,
)
from gateway.policy import ANONYMOUS
from gateway.server.channels import DirectChannel
from gateway.server.listen_streams import ListenLines
from gateway.server.listening import Listening
from gateway.server.mcp_calls import CallDesk, Caller
from gateway.server.pipes import PipeReader, PipeWriter

# Together under the two seconds in which a client may expect an abandoned server to be gone.
_GRACE_SECONDS = 1.0
_FLUSH_SECONDS = 0.5

_CALLER = Caller(principal=ANONYMOUS)
# No line: those have no ends in them.
_THE_END = b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Where what a dialogue has decided is carried out."""

    desk: CallDesk
    listening: Listening


async def serve_stdio(
    ready: "asyncio.Future[Counter]", *, dialogue: StdioDialogue, stdin: int, stdout: int
) -> None:
    """Speaks MCP until the input ends, the reader leaves, or SIGTERM or SIGINT arrives.

    Until `ready` is there only the messages that open a conversation are answered; the first of
    another kind waits for it. What is in flight at the end gets a moment to finish. `stdin`,
    `stdout`: file descriptors; take the latter from `claim_stdout`.
    """
    reader = PipeReader(stdin)
    writer = PipeWriter(stdout, on_broken=reader.close)

    def stop() -> None:
        ready.cancel()  # nothing is worth waiting for any more
        reader.close()

    with _stop_on_signals(stop):
        lines = _lines(reader)
        late = await _open(dialogue, lines, writer)
        if late is not _THE_END and (counter := await _until(ready)) is not None:
            await _converse(counter, dialogue, _again(late, lines), writer)
        await writer.close(_FLUSH_SECONDS)


async def _open(
    dialogue: StdioDialogue, lines: AsyncIterator[bytes | None], writer: PipeWriter
) -> bytes | None:
    """Answers what opens a conversation; the line that does not, `_THE_END` where none comes."""
    async for line in lines:
        if not is_opening(line):
            return line
        decision = dialogue.on_line(line)
        if isinstance(decision, Reply):
            _say(writer, decision)
    return _THE_END


async def _until(ready: "asyncio.Future[Counter]") -> Counter | None:
    await asyncio.wait({ready})
    return None if ready.cancelled() else ready.result()


async def _again(
    first: bytes | None, lines: AsyncIterator[bytes | None]
) -> AsyncIterator[bytes | None]:
    yield first
    async for line in lines:
        yield line


async def _converse(
    counter: Counter,
    dialogue: StdioDialogue,
    lines: AsyncIterator[bytes | None],
    writer: PipeWriter,
) -> None:
    desk, listening = counter.desk, counter.listening
    async with asyncio.TaskGroup() as group:
        running: set[asyncio.Task[None]] = set()
        streams = ListenLines(listening, partial(_write_line, writer))
        channel = DirectChannel(partial(_write_line, writer), writer.room)
        async for line in lines:
            decision = desk.consider(line, partial(dialogue.on_line, line))
            if isinstance(decision, Reply):
                _say(writer, decision)
                continue
            if isinstance(decision, Listen | Subscribe):
                await streams.open(decision)
                continue
            if isinstance(decision, Cancel) and streams.cancel(decision):
                continue
            # A cancellation, too: it must not overtake the start of the call that it names.
            task = group.create_task(_carry_out(desk.settle(decision, _CALLER, channel), writer))
            running.add(task)
            task.add_done_callback(running.discard)
        await listening.aclose()
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
        _write_line(writer, reply.body)


def _write_line(writer: PipeWriter, message: bytes) -> None:
    writer.write(message + b"\n")


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
