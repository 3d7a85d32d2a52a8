"""The gateway's own tools, whatever they do: who carries out which call."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway.catalog import Additions, View
from gateway.engine.context_tools import ContextTools, take_context
from gateway.engine.own_contexts import OwnContexts
from gateway.engine.recording import Contexts
from gateway.engine.search_additions import CALL, DESCRIBE, SEARCH
from gateway.engine.search_tools import SearchTools
from gateway.engine.values import CallOutcome, ToolCall
from gateway.errors import BadRequest, GatewayError
from gateway.interfaces import ToolSearch

T = TypeVar("T")


class OwnTools:
    """Calls of the tools of `additions`."""

    def __init__(
        self,
        additions: Additions,
        contexts: Contexts,
        own_contexts: OwnContexts,
        *,
        search: ToolSearch | None,
        view: Callable[[str | None], View],
    ) -> None:
        """`view` as SearchTools has it."""
        self._additions = additions
        self._new_id = contexts.new_id
        self._contexts = ContextTools(contexts, own_contexts)
        self._search = SearchTools(search, contexts, additions, view) if search else None

    async def call(
        self, call: ToolCall, call_tool: Callable[[ToolCall], Awaitable[CallOutcome]]
    ) -> CallOutcome:
        """`call_tool` makes the call that this one may be about.

        Whatever is raised has a context: that of the other call, else the one that this call names.
        """
        try:
            return await self._carry_out(call, call_tool)
        except GatewayError as error:
            error.context_id = error.context_id or self._named_by(call) or self._new_id()
            raise

    async def _carry_out(
        self, call: ToolCall, call_tool: Callable[[ToolCall], Awaitable[CallOutcome]]
    ) -> CallOutcome:
        if self._search is not None and call.name == CALL:
            return await self._search.through(call, call_tool)
        if self._search is not None and call.name in (SEARCH, DESCRIBE):
            return await self._search.call(call)
        return await self._contexts.call(call)

    def _named_by(self, call: ToolCall) -> str | None:
        taken = take_context(call).call if self._additions.context_argument else call
        return taken.claim.named_id

    async def preview(self, call: ToolCall, preview_tool: Callable[[ToolCall], Awaitable[T]]) -> T:
        """Only a call that is about another has anything to show. Raises BadRequest."""
        if self._search is not None and call.name == CALL:
            return await self._search.through(call, preview_tool)
        raise BadRequest(f"{call.name} is the gateway's own and sends no request to be shown")
