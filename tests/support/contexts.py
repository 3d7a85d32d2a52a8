"""Changes and contexts for the tests of the stores."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from gateway.context import (
    AgentContext,
    CalledOperation,
    HistoryEntry,
    RecordCall,
    entry_for_call,
    new_context,
)
from gateway.interfaces import ContextStore
from gateway.stores import StoreLimits, open_store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_NUMBERS = count()


def a_context_id(number: int = 0) -> str:
    return f"ocp-{number:08x}"


def a_context(context_id: str = "ocp-00000000") -> AgentContext:
    return new_context(context_id, "tester", NOW)


def append(
    name: str = "listPets", *, context_id: str = "ocp-00000000", operation_id: str | None = None
) -> RecordCall:
    """The recording of one call of the tool `name`, with an operation id of its own."""
    return RecordCall(
        operation_id=operation_id or f"operation-{next(_NUMBERS)}",
        entry=entry_for_call(
            now=NOW,
            outcome=200,
            milliseconds=5,
            tool=name,
            operation=CalledOperation(api="pets", method="get", path="/pets", name="listPets"),
        ),
        fresh=a_context(context_id),
        max_history=1_000_000,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """A change made of any function."""

    step: Callable[[AgentContext | None], AgentContext | None]
    operation_id: str = field(default_factory=lambda: f"operation-{next(_NUMBERS)}")

    def apply(self, now: AgentContext | None) -> AgentContext | None:
        return self.step(now)


def delete() -> Apply:
    return Apply(step=lambda _now: None)


def tools_of(context: AgentContext) -> list[str]:
    """The tools that the history names, in order."""
    return [mark_of(entry) for entry in context.history]


def mark_of(entry: HistoryEntry) -> str:
    """The name that `append` was given."""
    return entry.action.removeprefix("tool_call:")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[ContextStore]:
    """The store at `url`, closed in the end."""
    store = open_store(url, StoreLimits())
    try:
        yield store
    finally:
        await store.aclose()
