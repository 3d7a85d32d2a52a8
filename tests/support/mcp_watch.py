"""Overhears every conversation in MCP that a test has, so that a new test is judged unasked.

Watched are: what an aiohttp client of the test says to a gateway, in the process or outside of it
(`mcp_http_watch`); the pipes of a stdio server in the process; and the pure core, where a test
speaks to it directly.
`install` once the tests are collected; `raise_faults` after each of them.
"""

import functools
import inspect
import sys
from collections.abc import Callable
from contextvars import ContextVar
from weakref import WeakKeyDictionary

import aiohttp

from gateway.server.pipes import PipeReader, PipeWriter
from tests.support import mcp_http_watch
from tests.support.mcp_http_watch import Headers, by_name
from tests.support.mcp_judge import judge_body, judge_message, read_line
from tests.support.mcp_transcript import (
    FAULTS,
    Transcript,
    decoded,
    judge_post,
    note,
    revision_over_http,
)

Decide = Callable[[object, object, bytes], object]


def install() -> None:
    """Watch whatever is imported by now."""
    send = mcp_http_watch.watched(aiohttp.ClientSession._request)
    setattr(aiohttp.ClientSession, "_request", send)  # noqa: B010
    http = sys.modules.get("gateway.mcp.streamable_http")
    if http is not None:
        http.StreamableHttp.on_post = _watched_post(http.StreamableHttp.on_post)
    stdio = sys.modules.get("gateway.mcp.stdio_dialogue")
    if stdio is not None:
        stdio.StdioDialogue.on_line = _watched_line(stdio.StdioDialogue.on_line)
    shell = sys.modules.get("gateway.server.mcp_stdio")
    if shell is not None:
        vars(shell).update(PipeReader=_Reader, PipeWriter=_Writer)
    for renderer in _renderers():
        _replace(renderer, _watched_renderer(renderer))


def raise_faults() -> None:
    """Fails, naming what was heard since the last time that was wrong."""
    faults = list(dict.fromkeys(FAULTS))
    FAULTS.clear()
    mcp_http_watch.forget()
    assert not faults, f"{len(faults)} messages break the protocol:\n" + "\n".join(faults[:5])


def _watched_post(decide: Decide) -> Decide:
    def on_post(core: object, arrival: object, body: bytes) -> object:
        decision = decide(core, arrival, body)
        headers: Headers = by_name(getattr(arrival, "headers", ()))
        members = getattr(decision, "members", None)
        for reply in filter(None, map(_body_of, members or ())):
            _judge_member(headers, body, reply)
        if members is None and (reply := _body_of(decision)):
            status: int = getattr(decision, "status", 0)
            session = dict(getattr(decision, "headers", ())).get("Mcp-Session-Id")
            judge_post(headers, decoded(body), status, reply, session)
        return decision

    return on_post


def _body_of(decision: object) -> bytes:
    """What a Reply says; other decisions say nothing yet."""
    body: bytes = getattr(decision, "body", b"")
    return body


def _judge_member(headers: Headers, body: bytes, reply: bytes) -> None:
    revision, asked = revision_over_http(headers), decoded(body)
    note(lambda: judge_message(read_line(reply), revision=revision, asked=asked), asked, reply)


_dialogues: WeakKeyDictionary[object, Transcript] = WeakKeyDictionary()


def _watched_line(decide: Callable[[object, bytes | None], object]) -> object:
    def on_line(dialogue: object, line: bytes | None) -> object:
        decision = decide(dialogue, line)
        transcript = _dialogues.setdefault(dialogue, Transcript())
        transcript.say((line or b"too long").replace(b"\n", b" ") + b"\n")
        for reply in map(_body_of, getattr(decision, "members", (decision,))):
            if reply:
                transcript.hear(reply + b"\n")
        return decision

    return on_line


_TASKS = {"CallTool": "tools/call", "ReadResource": "resources/read", "GetPrompt": "prompts/get"}

Render = Callable[..., object]


def _renderers() -> set[Render]:
    """The functions of the core that make a Reply of a piece of Work."""
    rooms = [room for name, room in sys.modules.items() if name.startswith("gateway.mcp.")]
    functions = {f for room in rooms for f in vars(room).values() if inspect.isfunction(f)}
    return {function for function in functions if _makes_reply(function)}


def _makes_reply(function: Render) -> bool:
    signature = inspect.signature(function)
    taken = [parameter.annotation for parameter in signature.parameters.values()][:1]
    names = [getattr(kind, "__name__", "") for kind in (*taken, signature.return_annotation)]
    return names == ["Work", "Reply"]


def _watched_renderer(render: Render) -> Render:
    @functools.wraps(render)
    def watched(work: object, *args: object, **named: object) -> object:
        reply = render(work, *args, **named)
        method = _TASKS[type(getattr(work, "task", None)).__name__]
        asked = {"jsonrpc": "2.0", "id": getattr(work, "id", None), "method": method}
        revision = str(getattr(getattr(work, "revision", None), "name", ""))
        body = _body_of(reply)
        note(lambda: judge_body(body, revision=revision, asked=asked), asked, body)
        return reply

    return watched


def _replace(function: Render, replacement: Render) -> None:
    """Everywhere where it was imported."""
    for name, module in tuple(sys.modules.items()):
        if name.partition(".")[0] in ("gateway", "tests"):
            for key in [key for key, value in vars(module).items() if value is function]:
                setattr(module, key, replacement)


_pipes: ContextVar[Transcript] = ContextVar("pipes")


class _Reader(PipeReader):
    """A server makes its reader and then its writer, in one task."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self.transcript = Transcript()
        _pipes.set(self.transcript)

    async def read(self) -> bytes:
        chunk = await super().read()
        self.transcript.say(chunk)
        return chunk


class _Writer(PipeWriter):
    def __init__(self, descriptor: int, *, on_broken: Callable[[], object]) -> None:
        super().__init__(descriptor, on_broken=on_broken)
        self.transcript = _pipes.get()

    def write(self, data: bytes) -> None:
        self.transcript.hear(data)
        super().write(data)
