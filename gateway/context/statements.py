"""What others say about a context: a request's claims and a response's updates, as values."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway.context.foreign_entries import entry_key, reduce_entry
from gateway.context.headers import InboundContext
from gateway.context.model import AgentContext, HistoryEntry

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

_SHORTEST_CUT = 64
# As in entries, but texts of several lines may have tabs and line feeds.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one request or response says: `members` by name, none of them empty, and entries."""

    members: Mapping[str, object] = field(default_factory=dict)
    history: tuple[HistoryEntry, ...] = ()


def claims_of(inbound: InboundContext) -> Statement | None:
    """The claims in a request's valid headers, None for none. A header wins over the session."""
    members = _members(inbound.session, CLAIMED) if inbound.session else {}
    headers = {
        "current_goal": inbound.goal,
        "user": inbound.user,
        "workspace": inbound.workspace,
    }
    members.update({name: value for name, value in headers.items() if value})
    history = inbound.session.history if inbound.session else ()
    return Statement(members=members, history=history) if members or history else None


def updates_of(
    answer: InboundContext, sent: AgentContext, *, allowed: frozenset[str], api: str
) -> Statement | None:
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
        history = tuple(_news(answer.session.history, sent.history, api))[-MAX_UPDATE_ENTRIES:]
    return Statement(members=changed, history=history) if changed or history else None


def _members(session: AgentContext, names: Iterable[str]) -> dict[str, object]:
    """What the session says; null and empty say nothing."""
    values = ((name, getattr(session, name)) for name in names)
    return {name: value for name, value in values if value}


def _news(
    said: Iterable[HistoryEntry], sent: Iterable[HistoryEntry], api: str
) -> Iterable[HistoryEntry]:
    known = set(map(entry_key, sent))
    for entry in said:
        reduced = None if entry_key(entry) in known else reduce_entry(entry)
        if reduced is not None and entry_key(reduced) not in known:
            # Whoever may call another API shall not read there what this one has made up about it.
            yield replace(reduced, metadata={**reduced.metadata, "api": api})


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
