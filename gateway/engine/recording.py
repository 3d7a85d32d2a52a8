"""A call's context: read before the call, moved on once its outcome is known."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from gateway.context import (
    AgentContext,
    CalledOperation,
    CallFailure,
    InboundContext,
    RecordCall,
    agent_type_from,
    entry_for_call,
    mint_id,
    new_context,
)
from gateway.engine.store_watch import StoreWatch
from gateway.engine.values import ContextClaim, Surroundings
from gateway.errors import (
    PayloadTooLarge,
    StoreUnavailable,
    UnreadableRecord,
    UpstreamError,
    UpstreamTimeout,
    VersionConflict,
)
from gateway.interfaces import ContextStore
from gateway.policy import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One call's context as it was before the call. `kept`: whether the call is to be recorded."""

    principal: Principal
    context: AgentContext
    existed: bool
    kept: bool
    claims: InboundContext


class Contexts:
    """The engine's side of the context store."""

    def __init__(self, store: ContextStore, world: Surroundings, *, max_history: int) -> None:
        self.store = store
        self.world = world
        self.max_history = max_history
        self._watch = StoreWatch(world.monotonic)
        self._late: set[asyncio.Task[bool]] = set()

    def new_id(self) -> str:
        return mint_id(self.world.random_bytes(16))

    async def store_is_up(self) -> bool:
        """Whether the store answers and took the latest entry that it was handed."""
        # Asked to write each time, it would let anybody who may ask for readiness wear out a disk.
        try:
            await self.store.ping()
        except StoreUnavailable as error:
            self._watch.cannot_read(error)
        else:
            self._watch.has_read()
        return self._watch.up

    async def open(
        self, principal: Principal, claim: ContextClaim, context_id: str, *, kept: bool = True
    ) -> Conversation:
        """The context that the call belongs to, or a fresh one; without the store, always fresh."""
        stored = None
        if claim.named_id is not None and kept:
            try:
                stored = await self.store.get(principal, context_id)
            except StoreUnavailable as error:
                self._watch.cannot_read(error)
                # One failed attempt is delay enough: the write is not tried as well.
                kept = False
            else:
                self._watch.has_read()
        agent_type = agent_type_from(claim.inbound.agent_type, claim.agent_hint)
        fresh = new_context(context_id, agent_type, self.world.now())
        return Conversation(
            principal=principal,
            context=_claimed(stored.context if stored else fresh, claim.inbound),
            existed=stored is not None,
            kept=kept,
            claims=claim.inbound,
        )

    async def append(self, talk: Conversation, change: RecordCall) -> bool:
        """Whether the call is in the history now."""
        context_id = talk.context.context_id
        try:
            stored = await self.store.update(talk.principal, context_id, change)
        except (UnreadableRecord, VersionConflict, PayloadTooLarge):
            return False  # this context's own trouble, not the store's
        except StoreUnavailable as error:
            self._watch.cannot_write(error)
            return False
        if stored is None:
            return False  # deleted meanwhile: there was nothing to write
        self._watch.has_written()
        return True

    def finish_later(self, record: "Record") -> None:
        """Write the entry of a call whose task is being cancelled, in a task of our own."""
        task = asyncio.get_running_loop().create_task(record.write(CallFailure.CANCELLED))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def settle(self) -> None:
        """Wait for what cancelled calls still have to record."""
        if self._late:
            await asyncio.wait(self._late)


class Record:
    """The history entry of one call: written once. `recorded` is None until then."""

    def __init__(
        self,
        contexts: Contexts,
        talk: Conversation,
        operation: CalledOperation,
        tool: str | None = None,
    ) -> None:
        """`tool` is the called tool's name, None for a proxied request."""
        self._contexts = contexts
        self._talk = talk
        self._operation = operation
        self._tool = tool
        self._started = contexts.world.monotonic()
        self._change: RecordCall | None = None
        self.recorded: bool | None = None

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Around the exchange: what ends it without an answer is recorded, too."""
        try:
            try:
                yield
            except UpstreamError as error:
                await self._failed(error)
                raise
        except asyncio.CancelledError:
            # The caller has gone; the entry outlives its task.
            if self.recorded is None:
                self._contexts.finish_later(self)
            raise

    async def answered(self, status: int) -> None:
        """The response head is there: the entry is stored before the caller sees it."""
        self.recorded = await self.write(status)

    async def _failed(self, error: UpstreamError) -> None:
        """There is no response, unless the failure came after its head."""
        if self.recorded is None:
            timeout = isinstance(error, UpstreamTimeout)
            self.recorded = await self.write(
                CallFailure.TIMEOUT if timeout else CallFailure.UNREACHABLE
            )

    async def write(self, outcome: int | CallFailure) -> bool:
        """Append the entry. A second try hands over the same change, so it counts once."""
        if not self._talk.kept:
            return False
        if self._change is None:
            self._change = self._make_change(outcome)
        return await self._contexts.append(self._talk, self._change)

    def _make_change(self, outcome: int | CallFailure) -> RecordCall:
        talk, world = self._talk, self._contexts.world
        entry = entry_for_call(
            now=world.now(),
            outcome=outcome,
            milliseconds=round((world.monotonic() - self._started) * 1000),
            tool=self._tool,
            operation=self._operation,
        )
        return RecordCall(
            operation_id=world.random_bytes(16).hex(),
            entry=entry,
            fresh=None if talk.existed else talk.context,
            max_history=self._contexts.max_history,
            goal=talk.claims.goal,
            user=talk.claims.user,
            workspace=talk.claims.workspace,
        )


def _claimed(context: AgentContext, inbound: InboundContext) -> AgentContext:
    """The context with what the request's valid headers claim, as the upstream is to see it."""
    if inbound.goal is inbound.user is inbound.workspace is None:
        return context
    return replace(
        context,
        current_goal=inbound.goal or context.current_goal,
        user=inbound.user or context.user,
        workspace=inbound.workspace or context.workspace,
    )
