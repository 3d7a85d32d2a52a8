"""The OCP 1.0 context object as an immutable value.

Times stay RFC 3339 text, exactly as received: text is the cheapest to write, it survives what a
`datetime` cannot hold (leap seconds, more than six digits, year 0000), and "the same entry" then
means the same text. Only `instant` ever looks inside one.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from gateway.messages import Headers

GENERIC_AGENT = "generic_agent"
MAX_AGENT_TYPE = 128
MAX_RECENT_CHANGES = 10
HEADER_ID = "[a-zA-Z0-9-]{1,64}"
"""The pattern of an id that `OCP-Context-ID` can carry, without anchors."""
ID_RULE = "1 to 64 letters, digits and hyphens"
"""HEADER_ID in words."""
SCHEMA_ID = "ocp-[a-f0-9]{8,}"
"""The pattern of an id that the context schema admits, without anchors."""
SPEC_NAME = "[a-zA-Z0-9_-]+"
"""The pattern of a name in `api_specs`, without anchors."""

_HEADER_ID = re.compile(HEADER_ID)
_SCHEMA_ID = re.compile(SCHEMA_ID)
_AGENT_TYPE = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
_NOT_IN_AGENT_TYPE = re.compile(r"[^a-zA-Z0-9_.-]+")
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
Disclosure = tuple[bool, frozenset[str] | None, frozenset[str] | None]
"""Which headers: full or the ids alone, of which fields, with the history of which APIs."""

# What needs no arithmetic, as we and the OCP libraries write it.
_UTC = re.compile(
    r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)"
    r"(?:\.(\d+))?(?:Z|\+00:00)",
    re.ASCII,
)
_NEVER = ("", "")
_TEXT_MEMBERS = (
    "user",
    "workspace",
    "current_file",
    "current_goal",
    "context_summary",
    "error_context",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One interaction. `timestamp` is RFC 3339 text with a zone; `metadata` is JSON."""

    timestamp: str
    action: str
    api_endpoint: str | None = None
    result: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    # This very entry as JSON, once `entries_json` has made it; no part of the value. orjson leaves
    # out what begins with an underscore.
    _json: bytes | None = field(default=None, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionState:
    """The context's `session` member: an open object, so what others put there is kept."""

    start_time: str
    interaction_count: int = 0
    agent_type: str
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentContext:
    """One agent conversation (OCP 1.0, context schema). None and absent mean the same.

    `context_id` is any header-valid id; only a schema-valid one can travel in `OCP-Session`.
    `taken` is the gateway's own and no part of the OCP object: by member, a digest of what the
    session merged last said of it. `outbound` is no part of the value: the headers that
    `outbound_headers` made of this very one, by what they were to show.
    """

    context_id: str
    agent_type: str
    created_at: str
    last_updated: str
    user: str | None = None
    workspace: str | None = None
    current_file: str | None = None
    current_goal: str | None = None
    context_summary: str | None = None
    error_context: str | None = None
    recent_changes: tuple[str, ...] = ()
    session: SessionState | None = None
    history: tuple[HistoryEntry, ...] = ()
    api_specs: Mapping[str, str] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)
    outbound: dict[Disclosure, Headers] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )


def is_header_id(text: str) -> bool:
    """Whether `OCP-Context-ID` can carry this id (OCP 1.0, headers)."""
    return _HEADER_ID.fullmatch(text) is not None


def is_schema_id(text: str) -> bool:
    """Whether the context schema admits this id, so that `OCP-Session` can carry it."""
    return _SCHEMA_ID.fullmatch(text) is not None


def mint_id(random_bytes: bytes) -> str:
    """A new id of 16 random bytes: `ocp-` and 32 hex digits, valid as header and by schema."""
    if len(random_bytes) != 16:
        raise ValueError("a context id is made of 16 random bytes")
    return f"ocp-{random_bytes.hex()}"


def is_agent_type(text: str) -> bool:
    """Whether `OCP-Agent-Type` can carry this text."""
    return _AGENT_TYPE.fullmatch(text) is not None


def reduce_agent_type(text: str) -> str:
    """What is left of a free name in the 128 characters that `OCP-Agent-Type` allows; maybe ""."""
    return _NOT_IN_AGENT_TYPE.sub("", text)[:MAX_AGENT_TYPE]


def agent_type_from(header_value: str | None, client_name: str | None) -> str:
    """A new context's agent type: the header, else the client's name reduced, else generic."""
    if header_value is not None and is_agent_type(header_value):
        return header_value
    return reduce_agent_type(client_name or "") or GENERIC_AGENT


def rfc3339(moment: datetime) -> str:
    """An aware moment as RFC 3339 text in UTC, always 27 characters, so that text order is time."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a zone")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def later(one: str, other: str) -> str:
    """The later of two RFC 3339 texts; `one` when they are the same moment or unreadable."""
    return other if instant(other) > instant(one) else one


def instant(text: str) -> tuple[str, str]:
    """A moment to compare: in UTC to the second, and the digits of its fraction.

    For what is no RFC 3339 text it is before all others.
    """
    match = _UTC.fullmatch(text)
    if match is not None:
        return match[1], (match[2] or "").rstrip("0")
    match = _RFC3339.fullmatch(text)
    return _NEVER if match is None else _in_utc(match)


def _in_utc(match: re.Match[str]) -> tuple[str, str]:
    day, clock, seconds, fraction, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        # Seconds are added apart: RFC 3339 5.6 allows :60, datetime does not.
        moment = datetime.fromisoformat(f"{day}T{clock}+00:00") + timedelta(seconds=int(seconds))
        moment += offset if sign == "-" else -offset
    except (ValueError, OverflowError):
        return _NEVER
    return moment.isoformat()[:19], (fraction or "").rstrip("0")


def new_context(context_id: str, agent_type: str, now: datetime) -> AgentContext:
    """A context without history, its session started `now` (aware)."""
    moment = rfc3339(now)
    return AgentContext(
        context_id=context_id,
        agent_type=agent_type,
        created_at=moment,
        last_updated=moment,
        session=SessionState(start_time=moment, agent_type=agent_type),
    )


def to_mapping(context: AgentContext) -> dict[str, object]:
    """The OCP context object as plain JSON values."""
    value = head_mapping(context)
    value["history"] = [entry_mapping(entry) for entry in context.history]
    return value


def head_mapping(context: AgentContext) -> dict[str, object]:
    """The OCP context object as plain JSON values, with an empty history."""
    value: dict[str, object] = {
        "context_id": context.context_id,
        "agent_type": context.agent_type,
        "created_at": context.created_at,
        "last_updated": context.last_updated,
    }
    for name in _TEXT_MEMBERS:
        text: str | None = getattr(context, name)
        if text is not None:
            value[name] = text
    value["recent_changes"] = list(context.recent_changes)
    if context.session is not None:
        value["session"] = {
            **context.session.extra,
            "start_time": context.session.start_time,
            "interaction_count": context.session.interaction_count,
            "agent_type": context.session.agent_type,
        }
    value["api_specs"] = dict(context.api_specs)
    value["history"] = []
    return value


def entry_mapping(entry: HistoryEntry) -> dict[str, object]:
    """The entry as plain JSON values, its metadata not copied."""
    return {
        "timestamp": entry.timestamp,
        "action": entry.action,
        "api_endpoint": entry.api_endpoint,
        "result": entry.result,
        "metadata": entry.metadata,
    }


def from_mapping(value: object) -> AgentContext:
    """The context that `to_mapping` or another OCP library wrote.

    Checks shapes only (formats and the id's pattern are the schema's); raises ValueError.
    """
    members = _object(value)
    history = [_check_entry(_object(item)) for item in _array(members.get("history", []))]
    return _context(members, _entries(history))


def from_valid(members: dict[str, object]) -> AgentContext:
    """The context in values that obey the context schema; ValueError for a count beyond 63 bits."""
    history = cast("list[dict[str, object]]", members.get("history", []))
    return _context(members, _entries(history))


def _context(members: dict[str, object], history: tuple[HistoryEntry, ...]) -> AgentContext:
    texts = {name: _optional_text(members.get(name)) for name in _TEXT_MEMBERS}
    session = members.get("session")
    return AgentContext(
        context_id=_text(members.get("context_id")),
        agent_type=_text(members.get("agent_type")),
        created_at=_text(members.get("created_at")),
        last_updated=_text(members.get("last_updated")),
        user=texts["user"],
        workspace=texts["workspace"],
        current_file=texts["current_file"],
        current_goal=texts["current_goal"],
        context_summary=texts["context_summary"],
        error_context=texts["error_context"],
        recent_changes=tuple(_text(item) for item in _array(members.get("recent_changes", []))),
        session=None if session is None else _session(_object(session)),
        history=history,
        api_specs={key: _text(uri) for key, uri in _object(members.get("api_specs", {})).items()},
    )


def _session(members: dict[str, object]) -> SessionState:
    known = ("start_time", "interaction_count", "agent_type")
    count = members.get("interaction_count")
    # JSON Schema counts 1.0 as an integer; a bool is an int in Python only.
    if isinstance(count, bool) or not isinstance(count, int | float) or not 0 <= count < 2**63:
        raise ValueError("interaction_count is not a count")
    return SessionState(
        start_time=_text(members.get("start_time")),
        interaction_count=int(count),
        agent_type=_text(members.get("agent_type")),
        extra={key: item for key, item in members.items() if key not in known},
    )


# Slots are set directly: a frozen dataclass's __init__ takes twice as long, and a long history has
# a thousand entries.
_SET_ENTRY = tuple(
    vars(HistoryEntry)[name].__set__
    for name in ("timestamp", "action", "api_endpoint", "result", "metadata", "_json")
)


def _entries(items: Iterable[dict[str, object]]) -> tuple[HistoryEntry, ...]:
    set_timestamp, set_action, set_endpoint, set_result, set_metadata, set_json = _SET_ENTRY
    new, entries = HistoryEntry.__new__, []
    for members in items:
        get = members.get
        entry = new(HistoryEntry)
        set_timestamp(entry, get("timestamp"))
        set_action(entry, get("action"))
        set_endpoint(entry, get("api_endpoint"))
        set_result(entry, get("result"))
        set_metadata(entry, get("metadata", {}))
        set_json(entry, None)
        entries.append(entry)
    return tuple(entries)


def _check_entry(members: dict[str, object]) -> dict[str, object]:
    _text(members.get("timestamp"))
    _text(members.get("action"))
    _optional_text(members.get("api_endpoint"))
    _optional_text(members.get("result"))
    _object(members.get("metadata", {}))
    return members


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("text expected")  # noqa: TRY004 - one error type at this door
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _array(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("array expected")  # noqa: TRY004 - one error type at this door
    return value


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError("object expected")  # noqa: TRY004 - one error type at this door
    return cast("dict[str, object]", value)
