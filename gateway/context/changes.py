"""Steps from one state of a context to the next, as pure values for a context store."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from gateway.context.model import AgentContext, HistoryEntry, SessionState, later, rfc3339

MAX_ACTION = 128
MAX_ENDPOINT = 512
MAX_OPERATION = 128


class CallFailure(StrEnum):
    """Why there was no response."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCall:
    """One call: its entry is appended, `interaction_count` grows by 1, claims are taken over.

    `fresh` is the context to start when there is none. A caller that has read an existing context
    gives None: where that one was deleted in between, the deletion wins and the entry is dropped.
    `goal`, `user` and `workspace` are the request's valid header claims; None leaves a member.
    """

    operation_id: str
    entry: HistoryEntry
    fresh: AgentContext | None
    max_history: int
    goal: str | None = None
    user: str | None = None
    workspace: str | None = None

    def apply(self, now: AgentContext | None) -> AgentContext | None:
        context = now or self.fresh
        if context is None:
            return None
        session = context.session or SessionState(
            start_time=context.created_at, agent_type=context.agent_type
        )
        history = (*context.history, self.entry)
        return replace(
            context,
            current_goal=context.current_goal if self.goal is None else self.goal,
            user=context.user if self.user is None else self.user,
            workspace=context.workspace if self.workspace is None else self.workspace,
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
    outcome: int | CallFailure,
    milliseconds: int,
    tool: str | None = None,
    operation: CalledOperation | None = None,
) -> HistoryEntry:
    """The history entry of one call; nothing of its arguments, query, bodies or credentials.

    `tool` is the tool's name, None for a proxied request; `operation` is None for a native tool;
    `outcome` is the response's status, or why there is none; `milliseconds` run to the response
    head. Long names lose their ends.
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
    metadata["success"] = not isinstance(outcome, CallFailure) and outcome < 400
    return HistoryEntry(
        timestamp=rfc3339(now),
        action=action[:MAX_ACTION],
        api_endpoint=endpoint and endpoint[:MAX_ENDPOINT],
        result=outcome.value if isinstance(outcome, CallFailure) else f"HTTP {outcome}",
        metadata=metadata,
    )
