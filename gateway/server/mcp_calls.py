"""Carries out what the MCP core decided: one way for HTTP and stdio."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import TypedDict, TypeVar

from gateway.context import InboundContext
from gateway.engine import (
    ContextClaim,
    Continuation,
    Gateway,
    Listener,
    LogLine,
    Progress,
    PromptCall,
    ResourceCall,
    ToolCall,
)
from gateway.errors import BadRequest, GatewayError, InputRequired
from gateway.mcp import (
    ACCEPTED,
    INVALID_PARAMS,
    Answered,
    Batch,
    CallTool,
    Cancel,
    Doable,
    GetPrompt,
    ReadResource,
    Reply,
    RpcError,
    SetLevel,
    Watch,
    Work,
    abilities_of,
    crash_reply,
    error_reply,
    finish_call,
    finish_prompt,
    finish_reading,
    id_in,
    is_loud_enough,
    join_replies,
    log_notice,
    progress_notice,
    refuse_call,
    refuse_offer,
    result_reply,
)
from gateway.messages import Headers
from gateway.policy import Principal
from gateway.server.asking import Asking, Round
from gateway.server.channels import Channel
from gateway.server.running_calls import RunningCalls
from gateway.server.session_records import SessionRecords

T = TypeVar("T")

_LOG = logging.getLogger(__name__)

DEFAULT_LEVEL = "info"
"""Of log lines that a legacy client hears which has set none (`logging/setLevel`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and what the transport knows beside the message."""

    principal: Principal
    api: str | None = None
    inbound: InboundContext = field(default_factory=InboundContext)
    headers: Headers = ()


class Told:
    """Tells a client how its request is getting on, as far as it wants to know."""

    def __init__(self, work: Work, channel: Channel, records: SessionRecords) -> None:
        self._work = work
        self._records = records
        self._channel = channel
        self._furthest = -inf

    async def progress(self, progress: Progress) -> None:
        if not self._channel.can_send:  # legacy calls go on without their client
            return
        # Rounds count for themselves, and a client is told of one call (2025-11-25, progress).
        if self._work.progress_token is not None and progress.progress > self._furthest:
            self._furthest = progress.progress
            notice = progress_notice(
                self._work, progress.progress, total=progress.total, message=progress.message
            )
            await self._channel.send(notice)

    async def log(self, line: LogLine) -> None:
        if not self._channel.can_send:
            return
        least = await self._least()
        if least is not None and is_loud_enough(line.level, least):
            await self._channel.send(log_notice(line.level, line.data, logger=line.logger))

    async def _least(self) -> str | None:
        if self._work.revision.modern:
            return self._work.log_level
        notes = await self._records.look(self._work.session or b"")
        return notes.level or DEFAULT_LEVEL


class _About(TypedDict):
    """The members of Call."""

    principal: Principal
    claim: ContextClaim
    api: str | None
    headers: Headers
    trace: Headers
    abilities: frozenset[str]
    listener: Listener
    continuation: Continuation | None


class CallDesk:
    """Runs decisions to their replies and remembers which calls can still be cancelled."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        asking: Asking,
        records: SessionRecords,
        new_bytes: Callable[[int], bytes],
        running: RunningCalls | None = None,
    ) -> None:
        self._gateway = gateway
        self._asking = asking
        self._records = records
        self._new_bytes = new_bytes
        self._running = RunningCalls() if running is None else running

    def consider(self, data: bytes | None, think: Callable[[], T]) -> T | Reply:
        """`think()`'s decision about `data`; a bug in there is logged and answered all the same."""
        try:
            return think()
        except Exception:  # noqa: BLE001  one message must not end the conversation of all others
            return crash_reply(id_in(data), self._log_incident())

    async def settle(self, decision: Doable, caller: Caller, channel: Channel) -> Reply:
        """The reply to a decision. Members of a batch run side by side."""
        match decision:
            case Reply():
                return decision
            case Work():
                return await self._running.run(decision, self._run(decision, caller, channel))
            case Cancel():
                await self._running.withdraw(decision)
                return ACCEPTED
            case Answered():
                await self._asking.hear(decision)
                return ACCEPTED
            case SetLevel() | Watch():
                return await self._note(decision)
            case Batch(members=members):
                async with asyncio.TaskGroup() as group:
                    tasks = [
                        group.create_task(self.settle(each, caller, channel)) for each in members
                    ]
                return join_replies([task.result() for task in tasks])

    async def _note(self, wish: SetLevel | Watch) -> Reply:
        """The result is an empty object, without as much as `_meta` (all legacy revisions)."""
        records, session, until = self._records, wish.session, wish.until
        try:
            match wish:
                case SetLevel(level=level):
                    await records.set_level(session, level, until=until)
                case Watch(uri=uri, wanted=True):
                    await records.watch(session, uri, until=until)
                case Watch(uri=uri):
                    await records.unwatch(session, uri, until=until)
        except BadRequest as error:
            refusal = RpcError(INVALID_PARAMS, str(error), request_id=wish.id)
            return error_reply(refusal, modern=False)
        return result_reply(wish.id, b"{}")

    async def _run(self, work: Work, caller: Caller, channel: Channel) -> Reply:
        try:
            return await self._in_rounds(work, caller, channel)
        except RpcError as error:
            return error_reply(error, modern=work.revision.modern)
        except GatewayError as error:
            refuse = refuse_call if isinstance(work.task, CallTool) else refuse_offer
            return refuse(work, error)
        except Exception:  # noqa: BLE001  one call must not end the conversation of all others
            return crash_reply(work.id, self._log_incident())

    async def _in_rounds(self, work: Work, caller: Caller, channel: Channel) -> Reply:
        """One round, and further ones when the call asks: here, or when a modern client retries."""
        current = self._asking.resume(work, caller.principal, caller.api)
        told = Told(work, channel, self._records)
        while True:
            about = _about(work, caller, told, channel, current)
            try:
                return await self._carry_out(work, about)
            except InputRequired as required:
                asked = await self._ask(work, caller, channel, required, current)
            if isinstance(asked, Reply):
                return asked
            current = asked

    async def _ask(
        self, work: Work, caller: Caller, channel: Channel, required: InputRequired, last: Round
    ) -> Reply | Round:
        """The result that asks a modern client, or the round that the answers lead to."""
        try:
            if work.revision.modern:
                return self._asking.result(work, caller.principal, caller.api, required, last)
            return await self._asking.ask(work, required, channel, last)
        except GatewayError as error:
            error.context_id = required.context_id
            raise

    async def _carry_out(self, work: Work, about: _About) -> Reply:
        match work.task:
            case CallTool(name=name, arguments=arguments):
                outcome = await self._gateway.call_tool(
                    ToolCall(**about, name=name, arguments=arguments)
                )
                return finish_call(
                    work, outcome.result, context_id=outcome.context_id, recorded=outcome.recorded
                )
            case ReadResource(uri=uri):
                read = await self._gateway.read_resource(ResourceCall(**about, uri=uri))
                return finish_reading(
                    work,
                    read.contents,
                    ttl_ms=None if read.is_private else self._gateway.ttl_ms(about["api"]),
                    context_id=read.context_id,
                    recorded=read.recorded,
                    rest=read.rest,
                )
            case GetPrompt(name=name, arguments=values):
                got = await self._gateway.get_prompt(
                    PromptCall(**about, name=name, arguments=values)
                )
                return finish_prompt(
                    work,
                    got.description,
                    got.messages,
                    context_id=got.context_id,
                    recorded=got.recorded,
                )

    def _log_incident(self) -> str:
        incident = self._new_bytes(6).hex()
        _LOG.exception("MCP message failed, incident %s", incident)
        return incident


def _about(work: Work, caller: Caller, told: Told, channel: Channel, current: Round) -> _About:
    return _About(
        principal=caller.principal,
        claim=claim_of(work, caller, current),
        api=caller.api,
        headers=caller.headers,
        trace=work.trace,
        abilities=abilities_of(work, can_send=channel.can_send),
        listener=told,
        continuation=current.continuation,
    )


def claim_of(work: Work, caller: Caller, current: Round | None = None) -> ContextClaim:
    """The context that a request says it belongs to, in the round that it has come to."""
    # What the first round was told is what the later ones belong to.
    told = None if current is None else current.context_id
    return ContextClaim(
        inbound=caller.inbound,
        explicit_id=work.explicit_id,
        ambient_id=work.ambient_id or told,
        agent_hint=work.agent_hint,
    )
