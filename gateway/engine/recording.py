"""A call's context: read before the call, moved on once its outcome is known."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.context import (
    AgentContext,
    CalledOperation,
    CallFailure,
    ContextPatch,
    Outcome,
    RecordCall,
    Statement,
    agent_type_from,
    claims_of,
    entry_for_call,
    merge_claims,
    mint_id,
    new_context,
    rfc3339,
)
from gateway.engine.own_contexts import NO_CONTEXT
from gateway.engine.store_watch import StoreWatch, Unrecorded
from gateway.engine.values import ContextClaim, Surroundings
from gateway.errors import (
    GatewayError,
    PayloadTooLarge,
    StoreBusy,
    StoreUnavailable,
    UnknownContext,
    UnreadableRecord,
    UpstreamError,
    UpstreamTimeout,
    VersionConflict,
)
from gateway.interfaces import ContextStore
from gateway.policy import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One call's context before the call, with what the call claims already merged.

    `read` is what it was without that, and `fresh` the same where it is a new one. `kept`: whether
    the call is to be recorded. `failure`: it would be, but the store could not be read.
    """

    principal: Principal
    context: AgentContext
    read: AgentContext
    fresh: AgentContext | None
    kept: bool
    claims: Statement | None
    failure: StoreUnavailable | None = None


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

    @property
    def unrecorded(self) -> Mapping[Unrecorded, int]:
        """As StoreWatch."""
        return self._watch.unrecorded

    @property
    def store_works(self) -> bool:
        """As StoreWatch's `up`."""
        return self._watch.up

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
        self,
        principal: Principal,
        claim: ContextClaim,
        context_id: str,
        *,
        kept: bool = True,
        required: bool = False,
    ) -> Conversation:
        """The context that the call belongs to, or a fresh one; without the store, always fresh.

        Raises StoreUnavailable where the call cannot do without what is stored: `required`.
        """
        stored, failure = None, None
        if claim.named_id is not None and kept:
            try:
                stored = await self.store.get(principal, context_id)
            except StoreUnavailable as error:
                if not isinstance(error, StoreBusy):
                    self._watch.cannot_read(error)
                if required:
                    raise
                # One failed attempt is delay enough: the write is not tried as well.
                kept, failure = False, error
            else:
                self._watch.has_read()
        now = self.world.now()
        claims = _claims(claim, context_id)
        if stored is None:
            agent_type = agent_type_from(claim.inbound.agent_type, claim.agent_hint)
            read = fresh = new_context(context_id, agent_type, now)
        else:
            read, fresh = stored.context, None
        context = read
        if claims is not None:
            context = merge_claims(context, claims, now=rfc3339(now), max_history=self.max_history)
        return Conversation(
            principal=principal,
            context=context,
            read=read,
            fresh=fresh,
            kept=kept,
            claims=claims,
            failure=failure,
        )

    async def append(self, talk: Conversation, change: RecordCall) -> GatewayError | None:
        """Why the call is not in the history now; None: it is."""
        context_id = talk.context.context_id
        try:
            stored = await self.store.update(talk.principal, context_id, change)
        except (StoreUnavailable, VersionConflict, PayloadTooLarge) as error:
            reason = _reason(error)
            if isinstance(error, StoreUnavailable) and reason is Unrecorded.STORE_DOWN:
                self._watch.cannot_write(error)
            self._watch.missed(reason)
            return error
        if stored is None:
            self._watch.missed(Unrecorded.DELETED)
            return UnknownContext(NO_CONTEXT)
        self._watch.has_written()
        return None

    def pass_over(self, talk: Conversation) -> None:
        """The call's entry is not written."""
        if talk.failure is not None:
            self._watch.missed(_reason(talk.failure))

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
    """The history entry of one call: written once.

    `recorded` is None until then, `refusal` why it could not be recorded.
    """

    def __init__(
        self,
        contexts: Contexts,
        talk: Conversation,
        operation: CalledOperation | None,
        tool: str | None = None,
    ) -> None:
        """`tool` is the called tool's name, None for a proxied request.

        `operation` is None for a tool of the gateway's own.
        """
        self._contexts = contexts
        self._talk = talk
        self._operation = operation
        self._tool = tool
        self._started = contexts.world.monotonic()
        self._change: RecordCall | None = None
        self.recorded: bool | None = None
        self.refusal: GatewayError | None = None

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

    async def answered(
        self,
        outcome: Outcome,
        updates: Statement | None = None,
        *,
        patch: ContextPatch | None = None,
    ) -> None:
        """The response head is there: the entry is stored before the caller sees it.

        `updates` are what the response changes of the context, `patch` what the call itself does.
        Raises InvalidArguments where the patch does not fit the context.
        """
        self.recorded = await self.write(outcome, updates, patch)

    async def _failed(self, error: UpstreamError) -> None:
        """There is no response, unless the failure came after its head."""
        if self.recorded is None:
            timeout = isinstance(error, UpstreamTimeout)
            self.recorded = await self.write(
                CallFailure.TIMEOUT if timeout else CallFailure.UNREACHABLE
            )

    async def write(
        self,
        outcome: Outcome,
        updates: Statement | None = None,
        patch: ContextPatch | None = None,
    ) -> bool:
        """Append the entry. A second try hands over the same change, so it counts once."""
        if not self._talk.kept:
            self._contexts.pass_over(self._talk)
            self.refusal = self._talk.failure
            return False
        if self._change is None:
            self._change = self._make_change(outcome, updates, patch)
        self.refusal = await self._contexts.append(self._talk, self._change)
        return self.refusal is None

    def _make_change(
        self, outcome: Outcome, updates: Statement | None, patch: ContextPatch | None
    ) -> RecordCall:
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
            fresh=talk.fresh,
            began=talk.context.created_at if talk.fresh is None else None,
            max_history=self._contexts.max_history,
            claims=talk.claims,
            read=talk.read,
            merged=talk.context,
            updates=updates,
            patch=patch,
        )


def _claims(claim: ContextClaim, context_id: str) -> Statement | None:
    # Headers that name one context say nothing about another, which `_meta` has named.
    return claims_of(claim.inbound) if claim.inbound.context_id in (None, context_id) else None


def _reason(error: StoreUnavailable | VersionConflict | PayloadTooLarge) -> Unrecorded:
    """Most are this context's own trouble, not the store's."""
    match error:
        case UnreadableRecord():
            return Unrecorded.UNREADABLE
        case StoreBusy() | VersionConflict():
            return Unrecorded.CONFLICT
        case PayloadTooLarge():
            return Unrecorded.TOO_LARGE
        case StoreUnavailable():
            return Unrecorded.STORE_DOWN
