"""Steps from one state of a context to the next, as pure values for a context store."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from gateway.context.foreign_entries import MAX_ACTION, MAX_ENDPOINT, MAX_OPERATION
from gateway.context.merging import merge_claims, merge_updates
from gateway.context.model import AgentContext, HistoryEntry, SessionState, later, rfc3339
from gateway.context.patching import ContextPatch
from gateway.context.statements import Statement
from gateway.errors import VersionConflict


class CallFailure(StrEnum):
    """Why there was no response."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"


class NativeOutcome(StrEnum):
    """How a call of one of the gateway's own tools went."""

    DONE = "done"
    REFUSED = "refused"


Outcome = int | CallFailure | NativeOutcome
"""A response's status, or what there is instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCall:
    """One call: claims are merged, its entry is appended, the response's updates are merged.

    `patch` is what the call itself, a native tool's, sets of the context: it comes last.
    `interaction_count` grows by 1. `fresh` is the context to start when there is none. A caller
    that has read an existing context gives None, and its `created_at` as `began`: where that one
    was deleted in between, the deletion wins and the entry is dropped. Where another has begun
    since, VersionConflict says so. `merged`: what the claims make of the context `read`, where
    that is known already.
    """

    operation_id: str
    entry: HistoryEntry
    fresh: AgentContext | None
    max_history: int
    claims: Statement | None = None
    updates: Statement | None = None
    patch: ContextPatch | None = None
    began: str | None = None
    read: AgentContext | None = None
    merged: AgentContext | None = None

    def apply(self, now: AgentContext | None) -> AgentContext | None:
        context = now or self.fresh
        if context is None:
            return None
        if self.began is not None and self.began != context.created_at:
            raise VersionConflict("the context was deleted, and another one has begun")
        moment = self.entry.timestamp
        context = self._counted(self._with_claims(context))
        if self.updates is not None:
            context = merge_updates(context, self.updates, now=moment, max_history=self.max_history)
        return context if self.patch is None else self.patch.apply_to(context, moment)

    def _with_claims(self, context: AgentContext) -> AgentContext:
        if self.merged is not None and context is self.read:
            return self.merged
        if self.claims is None:
            return context
        moment = self.entry.timestamp
        return merge_claims(context, self.claims, now=moment, max_history=self.max_history)

    def _counted(self, context: AgentContext) -> AgentContext:
        session = context.session or SessionState(
            start_time=context.created_at, agent_type=context.agent_type
        )
        history = (*context.history, self.entry)
        return replace(
            context,
            session=replace(session, interaction_count=session.interaction_count + 1),
            history=history[max(0, len(history) - self.max_history) :],
            # Replicas' clocks differ: the newest moment stays.
            last_updated=later(context.last_updated, self.entry.timestamp),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledOperation:
    """What was called at an API: `name` is the operation's, `path` its template."""

    api: str
    method: str
    path: str | None = None
    name: str | None = None


def entry_for_call(
    *,
    now: datetime,
    outcome: Outcome,
    milliseconds: int,
    tool: str | None = None,
    operation: CalledOperation | None = None,
) -> HistoryEntry:
    """The history entry of one call; nothing of its arguments, query, bodies or credentials.

    `tool` is the tool's name, None for a proxied request; `operation` is None for a native tool;
    `milliseconds` run to the response head. Long names lose their ends.
    """
    metadata: dict[str, object] = {}
    action, endpoint = f"tool_call:{tool}", None
    if operation is not None:
        method = operation.method
        action = action if tool else f"api_call_{method.lower()}"
        endpoint = f"{method.upper()} {operation.path}" if operation.path else None
        metadata["api"] = operation.api
        if operation.name:
            metadata["operation"] = operation.name[:MAX_OPERATION]
    metadata["ms"] = max(0, milliseconds)
    status = outcome if isinstance(outcome, int) else None
    metadata["success"] = outcome is NativeOutcome.DONE if status is None else status < 400
    return HistoryEntry(
        timestamp=rfc3339(now),
        action=action[:MAX_ACTION],
        api_endpoint=endpoint and endpoint[:MAX_ENDPOINT],
        result=outcome if isinstance(outcome, str) else f"HTTP {outcome}",
        metadata=metadata,
    )
