"""What others say about a context, taken over: a request's claims and a response's updates.

Both are other people's words: texts are bounded, history entries are reduced to what the gateway
itself would have written, and nothing that is there is ever erased.
"""

import heapq
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b

import orjson

from gateway.context.headers import InboundContext
from gateway.context.model import AgentContext, HistoryEntry, instant

CLAIMED = (
    "current_goal",
    "context_summary",
    "error_context",
    "current_file",
    "recent_changes",
    "api_specs",
    "user",
    "workspace",
)
"""Members that a request's valid OCP headers may set."""
UPDATABLE = frozenset(
    {"current_goal", "context_summary", "error_context", "recent_changes", "history"}
)
"""Members that a response may set: what `updates_context` can name (OCP 1.0, extensions)."""
MAX_UPDATE_TEXT = 4_096
MAX_UPDATE_ENTRIES = 32
MAX_ACTION = 128
MAX_ENDPOINT = 512
MAX_OPERATION = 128

_SHORTEST_CUT = 64
_MAX_TIMESTAMP = 64  # RFC 3339 puts no end to the digits of a fraction
_ENDPOINT = re.compile(r"([A-Za-z]{1,16}) (?:[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)?(/[^?#]*)")
_STATUS = re.compile(r"HTTP [1-9][0-9]{2}")
# Controls but tab and line feed, directions and tags: nothing that a reader would not see.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What one request says: `members` by name, none of them empty, and history entries."""

    members: Mapping[str, object] = field(default_factory=dict)
    history: tuple[HistoryEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Updates:
    """What one response changes: `members` by name, none of them empty, and history entries."""

    members: Mapping[str, object] = field(default_factory=dict)
    history: tuple[HistoryEntry, ...] = ()


def claims_of(inbound: InboundContext) -> Claims | None:
    """The claims in a request's valid headers, None for none. A header wins over the session."""
    members = _members(inbound.session, CLAIMED) if inbound.session else {}
    headers = {
        "current_goal": inbound.goal,
        "user": inbound.user,
        "workspace": inbound.workspace,
    }
    members.update({name: value for name, value in headers.items() if value})
    history = inbound.session.history if inbound.session else ()
    return Claims(members=members, history=history) if members or history else None


def merge_claims(
    context: AgentContext, claims: Claims, *, now: str, max_history: int
) -> AgentContext:
    """The context with what the claims say that no earlier claim has said already.

    A member is taken where it differs from the one that was claimed last, so that a caller which
    repeats its session undoes nobody's change. Entries from after `now` are left for later.
    """
    digests = {name: _digest(value) for name, value in claims.members.items()}
    if claims.history:
        digests["history"] = _digest(claims.history)
    new = {name for name, digest in digests.items() if context.taken.get(name) != digest}
    if not new:
        return context
    merged = replace(
        context,
        taken={**context.taken, **digests},
        **{name: claims.members[name] for name in new if name != "history"},  # type: ignore[arg-type]
    )
    if "history" not in new:
        return merged
    past = _until(now, claims.history)
    if len(past) < len(claims.history):
        merged = replace(merged, taken={**merged.taken, "history": ""})
    return _with_entries(merged, map(_reduced, past), max_history=max_history)


def updates_of(
    answer: InboundContext, sent: AgentContext, *, allowed: frozenset[str], api: str
) -> Updates | None:
    """What a response's valid OCP headers change of the context `sent` with the request, or None.

    They have to name that very context. Of what they say only `allowed` members count, and only
    where they differ from what was sent: an upstream that gives back its copy changes nothing.
    """
    if answer.context_id != sent.context_id or not allowed:
        return None
    wanted = tuple(name for name in CLAIMED if name in allowed & UPDATABLE)
    members = _members(answer.session, wanted) if answer.session else {}
    if answer.goal and "current_goal" in allowed:
        members["current_goal"] = answer.goal
    changed = {
        name: value
        for name, value in members.items()
        if not _is_echo(value, getattr(sent, name)) and _is_presentable(value)
    }
    history: tuple[HistoryEntry, ...] = ()
    if answer.session and "history" in allowed:
        known = set(map(_key, sent.history))
        fresh = (e for e in map(_reduced, answer.session.history) if e and _key(e) not in known)
        # Whoever may call another API shall not read there what this one has made up about it.
        history = tuple(replace(entry, metadata={**entry.metadata, "api": api}) for entry in fresh)[
            -MAX_UPDATE_ENTRIES:
        ]
    return Updates(members=changed, history=history) if changed or history else None


def merge_updates(
    context: AgentContext, updates: Updates, *, now: str, max_history: int
) -> AgentContext:
    """The context with a response's updates. Entries from after `now` are dropped."""
    merged = replace(context, **dict(updates.members))  # type: ignore[arg-type]
    return _with_entries(merged, _until(now, updates.history), max_history=max_history)


def _members(session: AgentContext, names: Iterable[str]) -> dict[str, object]:
    """What the session says; null and empty say nothing."""
    values = ((name, getattr(session, name)) for name in names)
    return {name: value for name, value in values if value}


def _digest(value: object) -> str:
    return blake2b(orjson.dumps(value), digest_size=8).hexdigest()


def _key(entry: HistoryEntry) -> tuple[str, str, str | None]:
    return entry.timestamp, entry.action, entry.api_endpoint


def _until(now: str, entries: Iterable[HistoryEntry]) -> list[HistoryEntry]:
    limit = instant(now)
    return [entry for entry in entries if _when(entry) <= limit]


def _texts(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()


def _is_echo(value: object, sent: object) -> bool:
    """Whether it is what was sent, or what is left of it in a session that had to be trimmed."""
    said, ours = _texts(value), _texts(sent)
    return len(said) == len(ours) and all(
        one == other or (len(one) >= _SHORTEST_CUT and other.startswith(one))
        for one, other in zip(said, ours, strict=True)
    )


def _is_presentable(value: object) -> bool:
    return all(len(text) <= MAX_UPDATE_TEXT and not _HIDDEN.search(text) for text in _texts(value))


def _with_entries(
    context: AgentContext, entries: Iterable[HistoryEntry | None], *, max_history: int
) -> AgentContext:
    """Others' entries in their place in time, as far as there is room: none pushes out another."""
    known = set(map(_key, context.history))
    added: list[HistoryEntry] = []
    for entry in entries:
        if entry is not None and _key(entry) not in known:
            known.add(_key(entry))
            added.append(entry)
    room = max(0, max_history - len(context.history))
    added = added[len(added) - room :] if room < len(added) else added
    if not added:
        return context
    # What is there keeps its own order: replicas' clocks differ.
    added.sort(key=_when)
    return replace(context, history=tuple(heapq.merge(context.history, added, key=_when)))


def _when(entry: HistoryEntry) -> tuple[datetime, str]:
    return instant(entry.timestamp)


def _reduced(entry: HistoryEntry) -> HistoryEntry | None:
    """What the gateway itself would have written of it; None for an entry of no use."""
    if not entry.action or len(entry.timestamp) > _MAX_TIMESTAMP or _HIDDEN.search(entry.action):
        return None
    endpoint = _ENDPOINT.match(entry.api_endpoint or "")
    result = entry.result if entry.result and _STATUS.fullmatch(entry.result) else None
    return HistoryEntry(
        timestamp=entry.timestamp,
        action=entry.action[:MAX_ACTION],
        api_endpoint=f"{endpoint[1].upper()} {endpoint[2]}"[:MAX_ENDPOINT] if endpoint else None,
        result=result,
        metadata=_reduced_metadata(entry.metadata),
    )


def _reduced_metadata(metadata: Mapping[str, object]) -> dict[str, object]:
    reduced: dict[str, object] = {}
    for name in ("api", "operation"):
        text = metadata.get(name)
        if isinstance(text, str) and not _HIDDEN.search(text):
            reduced[name] = text[:MAX_OPERATION]
    milliseconds, success = metadata.get("ms"), metadata.get("success")
    if type(milliseconds) is int and 0 <= milliseconds < 2**53:
        reduced["ms"] = milliseconds
    if isinstance(success, bool):
        reduced["success"] = success
    return reduced
