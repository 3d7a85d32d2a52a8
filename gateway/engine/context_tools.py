"""What the gateway's own tools for contexts do, and what becomes of the context argument."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from gateway.calls import ArgumentValidator, Structured, Text, ToolResult
from gateway.catalog import CONTEXT_ARGUMENT
from gateway.context import (
    ID_RULE,
    AgentContext,
    ContextPatch,
    NativeOutcome,
    is_header_id,
    read_patch,
    to_mapping,
)
from gateway.engine.context_additions import (
    ADDITIONS,
    CREATE,
    GET,
    HISTORY_ARGUMENT,
    HISTORY_LIMIT,
    MEMBERS,
)
from gateway.engine.own_contexts import OwnContexts
from gateway.engine.recording import Contexts, Conversation, Record
from gateway.engine.values import CallOutcome, ContextClaim, ToolCall
from gateway.errors import Fault, InvalidArguments, UnknownContext

_UNNAMED = (
    f"no context is named: give {CONTEXT_ARGUMENT}, the context_id that {CREATE} has answered"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A call without CONTEXT_ARGUMENT, which is its claim's now, or its fault."""

    call: ToolCall
    faults: tuple[Fault, ...] = ()


def take_context(call: ToolCall) -> Taken:
    """Where the argument is the gateway's. As with every argument, null says nothing."""
    if CONTEXT_ARGUMENT not in call.arguments:
        return Taken(call=call)
    value = call.arguments[CONTEXT_ARGUMENT]
    rest = {name: given for name, given in call.arguments.items() if name != CONTEXT_ARGUMENT}
    bare = replace(call, arguments=rest)
    if value is None:
        return Taken(call=bare)
    if isinstance(value, str) and is_header_id(value):
        return Taken(call=replace(bare, claim=replace(call.claim, argument_id=value)))
    message = f"is no text of {ID_RULE}"
    return Taken(call=bare, faults=(Fault(pointer=f"/{CONTEXT_ARGUMENT}", message=message),))


@contextmanager
def along_with(faults: tuple[Fault, ...]) -> Iterator[None]:
    """Raises InvalidArguments with these faults and those that the block finds."""
    try:
        yield
    except InvalidArguments as error:
        raise InvalidArguments(*faults, *error.faults) from None
    if faults:
        raise InvalidArguments(*faults)


class ContextTools:
    """What the tools of ADDITIONS do: each call is recorded in the context that it is about."""

    def __init__(self, contexts: Contexts, own: OwnContexts) -> None:
        self._contexts = contexts
        self._own = own
        self._validators = {
            tool.name: ArgumentValidator(dict(tool.input_schema)) for tool in ADDITIONS.tools
        }

    async def call(self, call: ToolCall) -> CallOutcome:
        """Raises UnknownContext, InvalidArguments and what a store raises: nothing done."""
        # None is a value for what can be erased, and says nothing elsewhere.
        given = {n: v for n, v in call.arguments.items() if v is not None or n in MEMBERS}
        taken = take_context(replace(call, arguments=given)).call
        if faults := self._validators[call.name].faults(given):
            raise InvalidArguments(*faults)
        return await self._carry_out(taken)

    async def _carry_out(self, call: ToolCall) -> CallOutcome:
        if call.name == GET:
            return await self._get(call)
        patch = read_patch(dict(call.arguments))
        return await (self._create if call.name == CREATE else self._update)(call, patch)

    async def _create(self, call: ToolCall, patch: ContextPatch) -> CallOutcome:
        claim = ContextClaim(inbound=call.claim.inbound, agent_hint=call.claim.agent_hint)
        talk = await self._contexts.open(call.principal, claim, self._contexts.new_id())
        await self._write(talk, call.name, patch)
        made = talk.context
        shown = {"context_id": made.context_id, "agent_type": made.agent_type}
        return native_outcome({**shown, "next": _advice(call.claim)}, made.context_id)

    async def _update(self, call: ToolCall, patch: ContextPatch) -> CallOutcome:
        context_id = _named(call.claim)
        talk = await self._contexts.open(call.principal, call.claim, context_id)
        await self._write(talk, call.name, patch)
        shown = {"context_id": context_id, "updated": sorted(call.arguments)}
        return native_outcome(shown, context_id)

    async def _write(self, talk: Conversation, name: str, patch: ContextPatch) -> None:
        """The entry and the patch in one step, so that neither is there without the other."""
        record = Record(self._contexts, talk, None, name)
        await record.answered(NativeOutcome.DONE, patch=patch)
        if record.refusal is not None:
            raise record.refusal

    async def _get(self, call: ToolCall) -> CallOutcome:
        context_id = _named(call.claim)
        context = await self._own.read(call.principal, context_id)
        talk = await self._contexts.open(call.principal, call.claim, context_id)
        record = Record(self._contexts, talk, None, call.name)
        await record.answered(NativeOutcome.DONE)
        wanted = call.arguments.get(HISTORY_ARGUMENT)
        # JSON Schema takes 20.0 for an integer, so it is one here too.
        limit = int(wanted) if isinstance(wanted, (int, float)) else HISTORY_LIMIT
        return native_outcome(*_shown(context, limit), recorded=bool(record.recorded))


def _shown(context: AgentContext, limit: int) -> tuple[Mapping[str, object], str, str | None]:
    """The context with its latest `limit` entries, its id, and a note if there are more."""
    total = len(context.history)
    if total <= limit:
        return to_mapping(context), context.context_id, None
    short = replace(context, history=context.history[total - limit :])
    note = (
        f"[The history shows the latest {limit} of {total} calls; {HISTORY_ARGUMENT} shows more.]"
    )
    return to_mapping(short), context.context_id, note


def _named(claim: ContextClaim) -> str:
    if claim.named_id is None:
        raise UnknownContext(_UNNAMED)
    return claim.named_id


def _advice(claim: ContextClaim) -> str:
    """How to go on in a new context; a client may name another one without the model's doing."""
    fixed = claim.explicit_id or claim.inbound.context_id
    if fixed is None:
        return f"Pass this context_id as {CONTEXT_ARGUMENT} with every later call."
    return (
        f"This client names the context {fixed} itself, which comes before {CONTEXT_ARGUMENT}: "
        "later calls belong to that one unless the client says otherwise."
    )


def native_outcome(
    shown: Mapping[str, object], context_id: str, note: str | None = None, *, recorded: bool = True
) -> CallOutcome:
    """The outcome of a call of a tool of the gateway's own, which shows a JSON object."""
    value = dict(shown)
    texts = [json.dumps(value, ensure_ascii=False, separators=(",", ":")), note]
    result = ToolResult(
        status=None,
        content=tuple(Text(text=text) for text in texts if text is not None),
        structured=Structured(value=value),
    )
    return CallOutcome(result=result, context_id=context_id, recorded=recorded)
