"""A principal's own contexts, read and set on purpose rather than by calls."""

from gateway.context import (
    AgentContext,
    ContextDraft,
    ContextPatch,
    CreateContext,
    DeleteContext,
    PatchContext,
    mint_id,
    new_context,
    rfc3339,
)
from gateway.engine.values import Surroundings
from gateway.errors import UnknownContext
from gateway.interfaces import Change, ContextStore, Page, Stored
from gateway.policy import Principal

NO_CONTEXT = "there is no such context, or it is there no more"


class OwnContexts:
    """Every method that waits raises StoreUnavailable.

    Another principal's context is as unknown as one that never was. `only_if` is the context as
    the caller has read it: VersionConflict, if it has changed since.
    """

    def __init__(self, store: ContextStore, world: Surroundings) -> None:
        self._store = store
        self._world = world

    async def list(self, principal: Principal, *, cursor: str | None, limit: int) -> Page:
        """Raises BadRequest for a cursor that is none."""
        return await self._store.list(principal, cursor, limit)

    async def read(self, principal: Principal, context_id: str) -> AgentContext:
        """As it is now. Raises UnknownContext."""
        return _known(await self._store.get(principal, context_id, newest=True))

    async def create(
        self, principal: Principal, draft: ContextDraft, *, agent_type: str
    ) -> AgentContext:
        """Start a context; `agent_type` is for a draft that has none. Raises ContextExists."""
        context_id = draft.context_id or mint_id(self._world.random_bytes(16))
        context = self.drafted(draft, context_id, agent_type=agent_type)
        change = CreateContext(operation_id=self._new_operation(), context=context)
        return await self._update(principal, context_id, change)

    def drafted(self, draft: ContextDraft, context_id: str, *, agent_type: str) -> AgentContext:
        """The context that a draft describes, not stored yet. Raises InvalidArguments."""
        context = new_context(context_id, draft.agent_type or agent_type, self._world.now())
        return draft.patch.apply_to(context, context.last_updated)

    async def patch(
        self,
        principal: Principal,
        context_id: str,
        patch: ContextPatch,
        *,
        only_if: AgentContext | None = None,
    ) -> AgentContext:
        """Apply `patch` in one step. Raises UnknownContext, VersionConflict, InvalidArguments.

        One that says nothing is no change: neither version nor time to live are touched.
        """
        if patch == ContextPatch():
            return only_if or await self.read(principal, context_id)
        change = PatchContext(
            operation_id=self._new_operation(),
            patch=patch,
            moment=rfc3339(self._world.now()),
            only_if=only_if,
        )
        return await self._update(principal, context_id, change)

    async def delete(
        self, principal: Principal, context_id: str, *, only_if: AgentContext | None = None
    ) -> None:
        """Raises UnknownContext, VersionConflict."""
        _known(await self._store.get(principal, context_id, newest=True))
        change = DeleteContext(operation_id=self._new_operation(), only_if=only_if)
        await self._store.update(principal, context_id, change)

    async def _update(self, principal: Principal, context_id: str, change: Change) -> AgentContext:
        return _known(await self._store.update(principal, context_id, change))

    def _new_operation(self) -> str:
        return self._world.random_bytes(16).hex()


def _known(stored: Stored | None) -> AgentContext:
    if stored is None:
        raise UnknownContext(NO_CONTEXT)
    return stored.context
