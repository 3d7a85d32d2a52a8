"""A small model of the endpoint: what must come of a message, by the protocol's ladders alone."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.mcp_methods import (
    NOTHING,
    SILENT,
    STREAMS,
    Members,
    Opened,
    Outcome,
    World,
    as_object,
    outcomes_of,
)
from tests.support.mcp_shapes import LEGACY, MODERN
from tests.support.mcp_shop import MIRRORED

VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
ASSUMED = "2025-03-26"
MAX_BATCH = 100

Outcomes = set[Outcome]

_INVALID: Outcome = (400, -32600)
_LOST: Outcome = (404, -32600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """`value` is the body, None together with `broken`: bytes that are no JSON."""

    headers: Sequence[tuple[str, str]]
    value: object = None
    broken: bool = False
    api: str | None = None

    def values(self, name: str) -> list[str]:
        return [v.strip(" \t") for key, v in self.headers if key.lower() == name.lower()]


def expect(post: Post, world: World) -> Outcomes | list[Outcomes]:
    """The outcomes that are right; for a batch, those of each member."""
    if post.broken:
        return {(400, -32700)}
    versions = post.values("MCP-Protocol-Version")
    if versions and (len(versions) > 1 or versions[0] not in LEGACY):
        return _modern(post, world)
    named = post.values("Mcp-Session-Id")
    session = world.sessions.get(named[0]) if len(named) == 1 else None
    if session is not None and session.api != post.api:
        session = None
    if isinstance(post.value, list):
        if named and session is None:
            return {_LOST}
        revision = session.revision if session else (versions or [ASSUMED])[0]
        if revision != ASSUMED or not 1 <= len(post.value) <= MAX_BATCH:
            return {_INVALID}
        spoken = session.revision if session else None
        return [expect_member(member, world, spoken) for member in post.value]
    return _legacy(as_object(post.value), world, session, lost=bool(named) and session is None)


def _legacy(message: Members, world: World, session: Opened | None, *, lost: bool) -> Outcomes:
    if not is_message(message):
        return {_INVALID}
    request = _is_request(message)
    if claims_modern(message):
        # Of a message that asks nothing, the ladder may look at the session first, or not at all.
        return {(400, -32020)} | (set() if request else {SILENT, _LOST})
    if request and message["method"] == "initialize":
        return outcomes_of(message, world, LEGACY[-1])
    if lost:
        return {_LOST}
    return _within(message, world, session.revision if session else None)


def expect_member(value: object, world: World, revision: str | None) -> Outcomes:
    """The outcomes for one member of a batch; `revision` None: there is no session."""
    message = as_object(value)
    if not is_message(message) or (_is_request(message) and message["method"] == "initialize"):
        return {_INVALID}
    return _within(message, world, revision)


def _within(message: Members, world: World, revision: str | None) -> Outcomes:
    if not _is_request(message):
        return {SILENT}
    return {_INVALID} if revision is None else outcomes_of(message, world, revision)


def _modern(post: Post, world: World) -> Outcomes:
    message = as_object(post.value)
    if not is_message(message) or "method" not in message:
        return {_INVALID}
    if not _is_request(message):
        return {SILENT}
    version = _version_in(message)
    if version is None:
        return {(400, -32602)}
    if not _routes(post, message, version):
        return {(400, -32020)}
    if version != MODERN:
        return {(400, -32022)}
    repeated = _repeats(post, message) if message["method"] == "tools/call" else True
    otherwise = outcomes_of(message, world, MODERN) if repeated is not False else set()
    if STREAMS in otherwise and not _takes_events(post):
        otherwise = otherwise - {STREAMS} | {(406, -32600)}
    return otherwise | (set() if repeated else {(400, -32020)})


def _takes_events(post: Post) -> bool:
    """Whether an event stream may be the answer; one that is weighed at 0 may not."""
    said = ",".join(post.values("Accept"))
    ranges = [part for part in said.split(",") if part.strip()]
    wanted = [part for part in ranges if not part.replace(" ", "").endswith(";q=0")]
    fits = ("text/event-stream", "text/*", "*/*")
    return not ranges or any(part.split(";")[0].strip() in fits for part in wanted)


def _repeats(post: Post, message: Members) -> bool | None:
    """Whether the headers of a call repeat its arguments; None where that is arguable."""
    params = as_object(message.get("params"))
    name, arguments = params.get("name"), params.get("arguments")
    if not isinstance(name, str) or not isinstance(arguments, dict | None):
        return True
    found = [
        _repeats_one(post.values(f"Mcp-Param-{header}"), as_object(arguments).get(argument))
        for argument, header in MIRRORED.get(name, {}).items()
    ]
    return False if False in found else None if None in found else True


def _repeats_one(sent: list[str], value: object) -> bool | None:
    if not sent or value is None:
        return not sent and value is None
    if isinstance(value, str):
        return [_sentinel(text) for text in sent] == [value]
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return sent == [str(value)] or (None if len(sent) == 1 else False)


def _version_in(message: Members) -> str | None:
    """The version of a complete envelope, None for an incomplete one."""
    meta = as_object(as_object(message.get("params")).get("_meta"))
    version = meta.get(VERSION)
    complete = isinstance(version, str) and isinstance(meta.get(CAPABILITIES), dict)
    return str(version) if complete else None


def _routes(post: Post, message: Members, version: str) -> bool:
    """Whether the headers say what the body says."""
    method = message["method"]
    if post.values("MCP-Protocol-Version") != [version] or post.values("Mcp-Method") != [method]:
        return False
    named_by = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
    if method not in named_by:
        return True
    named = as_object(message.get("params")).get(named_by[str(method)])
    return [_sentinel(value) for value in post.values("Mcp-Name")] == [named]


def _sentinel(value: str) -> object:
    """The text behind `=?base64?...?=`; what equals nothing for one that is badly coded."""
    if not (value.startswith("=?base64?") and value.endswith("?=") and len(value) >= 11):
        return value
    try:
        raw = base64.b64decode(value[9:-2], validate=True)
        # The decoder lets pass what its own encoder would never write.
        return raw.decode() if base64.b64encode(raw).decode() == value[9:-2] else object()
    except ValueError:
        return object()


def expect_line(value: object, world: World, era: str | None) -> set[int | str]:
    """What may come of one line of stdio, no batch. `era`: the revision, None before a request."""
    message = as_object(value)
    if not is_message(message):
        return {-32600}
    if not _is_request(message):
        return {NOTHING}
    claims, initialize = claims_modern(message), message["method"] == "initialize"
    if era == MODERN or (era is None and claims and not initialize):
        return {what for _, what in _modern_line(message, world)}
    if claims:
        return {-32600}
    return {what for _, what in outcomes_of(message, world, era or ASSUMED)}


def _modern_line(message: Members, world: World) -> Outcomes:
    version = _version_in(message)
    if message["method"] == "initialize":
        # Which of two faults comes first is nobody's rule.
        legible = isinstance(message.get("params", {}), dict | None)
        return {(400, -32022)} if legible else {(400, -32022), (400, -32602)}
    if version is None:
        return {(400, -32602)}
    return outcomes_of(message, world, MODERN) if version == MODERN else {(400, -32022)}


def fixes_era(value: object) -> bool:
    """Whether a line is a request, after which the era is clear."""
    return is_message(as_object(value)) and _is_request(as_object(value))


def is_message(message: Members) -> bool:
    """Whether it is a request, a notification or a response at all."""
    if message.get("jsonrpc") != "2.0":
        return False
    if "method" not in message:
        return "result" in message or "error" in message
    legal = "id" not in message or _is_id(message["id"])
    return legal and isinstance(message["method"], str)


def _is_request(message: Members) -> bool:
    return "method" in message and "id" in message


def claims_modern(message: Members) -> bool:
    """Whether `_meta` has the modern version key, of whatever value."""
    return VERSION in as_object(as_object(message.get("params")).get("_meta"))


def _is_id(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
