"""Carries out what the MCP core decided: one way for HTTP and stdio."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.context import InboundContext
from gateway.engine import ContextClaim, Gateway, ToolCall
from gateway.errors import GatewayError
from gateway.mcp import (
    ACCEPTED,
    Batch,
    CallTool,
    Cancel,
    Decision,
    Reply,
    RequestId,
    crash_reply,
    finish_call,
    join_replies,
    refuse_call,
)
from gateway.messages import Headers
from gateway.policy import Principal

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and what the transport knows beside the message."""

    principal: Principal
    api: str | None = None
    inbound: InboundContext = field(default_factory=InboundContext)
    headers: Headers = ()


class CallDesk:
    """Runs decisions to their replies and remembers which calls can still be cancelled."""

    def __init__(self, gateway: Gateway, *, new_bytes: Callable[[int], bytes]) -> None:
        self._gateway = gateway
        self._new_bytes = new_bytes
        self._running: dict[tuple[bytes, RequestId], asyncio.Task[object]] = {}
        self._withdrawn: set[asyncio.Task[object]] = set()

    def consider(self, think: Callable[[], Decision]) -> Decision:
        """`think()`'s decision; a bug in there is logged and answered like any other."""
        try:
            return think()
        except Exception:  # noqa: BLE001  one message must not end the conversation of all others
            return crash_reply(None, self._log_incident())

    async def settle(self, decision: Decision, caller: Caller) -> Reply:
        """The reply to a decision. Members of a batch run side by side."""
        match decision:
            case Reply():
                return decision
            case CallTool():
                return await self._call(decision, caller)
            case Cancel():
                self._withdraw(decision)
                return ACCEPTED
            case Batch(members=members):
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(self.settle(each, caller)) for each in members]
                return join_replies([task.result() for task in tasks])

    async def _call(self, call: CallTool, caller: Caller) -> Reply:
        task = asyncio.current_task()
        if task is None or call.cancel_scope is None:
            return await self._run(call, caller)
        key = (call.cancel_scope, call.id)
        self._running[key] = task
        try:
            return await self._run(call, caller)
        except asyncio.CancelledError:
            if task not in self._withdrawn:
                raise
            # The client asked for it, so its message gets no answer (every revision, cancellation).
            task.uncancel()
            return ACCEPTED
        finally:
            self._withdrawn.discard(task)
            if self._running.get(key) is task:
                del self._running[key]

    def _withdraw(self, cancel: Cancel) -> None:
        task = self._running.get((cancel.scope, cancel.request_id))
        if task is not None:
            self._withdrawn.add(task)
            task.cancel()

    async def _run(self, call: CallTool, caller: Caller) -> Reply:
        claim = ContextClaim(
            inbound=caller.inbound,
            explicit_id=call.explicit_id,
            ambient_id=call.ambient_id,
            agent_hint=call.agent_hint,
        )
        try:
            outcome = await self._gateway.call_tool(
                ToolCall(
                    name=call.name,
                    arguments=call.arguments,
                    principal=caller.principal,
                    claim=claim,
                    api=caller.api,
                    headers=caller.headers,
                )
            )
            return finish_call(
                call, outcome.result, context_id=outcome.context_id, recorded=outcome.recorded
            )
        except GatewayError as error:
            return refuse_call(call, error)
        except Exception:  # noqa: BLE001  one call must not end the conversation of all others
            return crash_reply(call.id, self._log_incident())

    def _log_incident(self) -> str:
        incident = self._new_bytes(6).hex()
        _LOG.exception("MCP message failed, incident %s", incident)
        return incident
