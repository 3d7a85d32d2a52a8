"""What the lines of an interaction say (docs/interactions.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.calls.bodies import json_bytes
from gateway.calls.content import Content, Structured
from gateway.calls.decoding import loads
from gateway.calls.envelope_content import BadContent, read_blocks
from gateway.calls.envelope_requests import Ask, BadRequestLine, read_asks
from gateway.calls.envelope_shapes import LINES, misfit
from gateway.json_weight import weigh_json

Json = Mapping[str, object]

MAX_STATE = 8_192
"""Bytes of compact JSON."""
MAX_PARTS = 100_000
"""Objects, arrays and members of a line: a parser takes some 20 ms, and no thread helps."""
MAX_NOTE_PARTS = 10_000
"""Of a line that is no result: such are passed on, or checked to the last member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a call has come; `total` is None where nobody knows."""

    progress: float
    total: float | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """`level` is a word of RFC 5424 as MCP spells them; `data` is any JSON value."""

    level: str
    data: object
    logger: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The API needs answers. `state` comes back with them; None where there is none to come."""

    asks: Mapping[str, Ask]
    state: object = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonAnswer:
    """UTF-8 JSON, to be taken as if it were the whole answer."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeAnswer:
    """MCP content, from a line of `size` bytes; there may be none."""

    content: tuple[Content, ...]
    structured: Structured | None
    is_error: bool
    size: int


Line = Progress | LogLine | Asked | JsonAnswer | NativeAnswer
LastLine = Asked | JsonAnswer | NativeAnswer


class BadLine(Exception):
    """What is wrong with a line."""


def read_line(data: bytes) -> Line:
    """One line, without its end. Raises BadLine."""
    members = _members(data)
    kind = members.get("type")
    if not isinstance(kind, str) or kind not in LINES:
        raise BadLine(f"/type: is none of {', '.join(LINES)}")
    if kind != "result":
        _weigh(data, MAX_NOTE_PARTS)
    if reason := misfit(f"line {kind}", members):
        raise BadLine(reason)
    match kind:
        case "progress":
            return Progress(
                progress=_number(members["progress"]) or 0,
                total=_number(members.get("total")),
                message=_word(members, "message"),
            )
        case "log":
            level, logger = str(members["level"]), _word(members, "logger")
            return LogLine(level=level, data=members["data"], logger=logger)
        case "input_required":
            return _asked(members)
        case _:
            return _answer(members, len(data))


def _members(data: bytes) -> Json:
    _weigh(data, MAX_PARTS)
    loaded = loads(_text(data))
    if loaded is None:
        raise BadLine("is no JSON, or nested too deeply")
    if not isinstance(loaded.value, dict):
        raise BadLine("is no JSON object")
    return loaded.value


def _weigh(data: bytes, most: int) -> None:
    # No line has more parts than these, which spares nearly every one a closer look.
    signs = data.count(b"{") + data.count(b"[") + data.count(b":")
    if signs > most and weigh_json(data, most)[0] > most:
        raise BadLine(f"has more than {most:,} objects, arrays and members")


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadLine("is no UTF-8") from None


def _number(value: object) -> float | None:
    """As it came: 50 stays an integer."""
    return value if isinstance(value, (int, float)) else None


def _word(members: Json, name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) else None


def _asked(members: Json) -> Asked:
    state = members.get("state")
    if state is not None and len(json_bytes(state)) > MAX_STATE:
        raise BadLine(f"/state: is larger than {MAX_STATE:,} bytes of JSON")
    requests = members.get("requests")
    try:
        asks = read_asks(requests if isinstance(requests, dict) else {})
    except BadRequestLine as error:
        raise BadLine(str(error)) from None
    if not asks and state is None:
        raise BadLine("has neither requests nor a state to come back with")
    return Asked(asks=asks, state=state)


def _answer(members: Json, size: int) -> JsonAnswer | NativeAnswer:
    content = members.get("content")
    if not isinstance(content, list):
        return JsonAnswer(data=json_bytes(members["json"]))
    try:
        blocks = read_blocks(content)
    except BadContent as error:
        raise BadLine(str(error)) from None
    structured = Structured(value=members["structured"]) if "structured" in members else None
    is_error = members.get("is_error") is True
    return NativeAnswer(content=blocks, structured=structured, is_error=is_error, size=size)
