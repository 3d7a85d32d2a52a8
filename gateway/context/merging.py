"""What others say about a context, taken over. Nothing that they leave out is erased by it."""

import heapq
from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b

import orjson

from gateway.context.foreign_entries import entry_key, reduce_entry
from gateway.context.model import AgentContext, HistoryEntry, instant
from gateway.context.statements import Statement


def merge_claims(
    context: AgentContext, claims: Statement, *, now: str, max_history: int
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
    added, waiting = _new_entries(merged, claims.history, now=now, max_history=max_history)
    if waiting:
        merged = replace(merged, taken={**merged.taken, "history": ""})
    return _with_entries(merged, added)


def merge_updates(
    context: AgentContext, updates: Statement, *, now: str, max_history: int
) -> AgentContext:
    """The context with a response's updates. Entries from after `now` are dropped."""
    merged = replace(context, **dict(updates.members))  # type: ignore[arg-type]
    added, _ = _new_entries(merged, updates.history, now=now, max_history=max_history)
    return _with_entries(merged, added)


def _digest(value: object) -> str:
    # However its members are ordered, an object says the same.
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=8).hexdigest()


def _new_entries(
    context: AgentContext, entries: Iterable[HistoryEntry], *, now: str, max_history: int
) -> tuple[list[HistoryEntry], bool]:
    """The latest of those that are not there yet, as many as there is room for, by their time.

    None pushes out another. Also whether there will be one: it is from after `now`.
    """
    room, limit = max_history - len(context.history), instant(now)
    if room <= 0:
        return [], False
    known = set(map(entry_key, context.history))
    added, waiting = list[HistoryEntry](), False
    for entry in entries:
        # Most are known: nothing else is looked at in them.
        reduced = None if entry_key(entry) in known else reduce_entry(entry)
        if reduced is None or entry_key(reduced) in known:
            continue
        if _when(reduced) > limit:
            waiting = True
            continue
        known.add(entry_key(reduced))
        added.append(reduced)
    added.sort(key=_when)
    return added[max(0, len(added) - room) :], waiting and len(added) < room


def _with_entries(context: AgentContext, added: list[HistoryEntry]) -> AgentContext:
    if not added:
        return context
    # What is there keeps its own order, because replicas' clocks differ; from its end on, because
    # what is new is late.
    place, first = len(context.history), _when(added[0])
    while place and _when(context.history[place - 1]) > first:
        place -= 1
    later = heapq.merge(context.history[place:], added, key=_when)
    return replace(context, history=(*context.history[:place], *later))


def _when(entry: HistoryEntry) -> tuple[str, str]:
    return instant(entry.timestamp)
