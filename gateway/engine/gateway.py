"""The one sequence: the life of a tool call and of a proxied request, top to bottom.

Every way in (MCP over HTTP and stdio, `POST /tools`, `/apis`) goes through `Gateway`.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from gateway.calls import Preview, ToolResult, build_request, failed, preview_request
from gateway.catalog import NO_ADDITIONS, Catalog, NativeTool, Tool, View
from gateway.context import AgentContext, CalledOperation
from gateway.engine.answers import Answers, Reading, ResultPart
from gateway.engine.context_additions import ADDITIONS
from gateway.engine.context_tools import ContextTools, Taken, along_with, take_context
from gateway.engine.context_use import ocp_headers, require_context, updates_from
from gateway.engine.own_contexts import OwnContexts
from gateway.engine.recording import Contexts, Conversation, Record
from gateway.engine.sending import (
    failure_text,
    names_of_arguments,
    own_place,
    proxied_operation,
    timed,
    tool_place,
    tool_request,
)
from gateway.engine.session_refusals import SessionRefusals
from gateway.engine.store_watch import Unrecorded
from gateway.engine.values import (
    CallOutcome,
    ContextClaim,
    Freshness,
    ProxiedRequest,
    Surroundings,
    ToolCall,
)
from gateway.errors import (
    ApiUnavailable,
    BadRequest,
    GatewayError,
    UnknownApi,
    UnknownOperation,
    UnknownTool,
    UpstreamError,
)
from gateway.forwarding import check_path, inbound_head, outbound_head
from gateway.interfaces import ContextStore, ResultStore, UpstreamClient
from gateway.messages import Headers, Request, Response
from gateway.policy import Principal
from gateway.upstreams import ProxyReach, Upstream


class Gateway:
    """All APIs behind one catalog, one context store and one upstream client."""

    def __init__(  # noqa: PLR0913 - by name, and each from somewhere else
        self,
        *,
        catalog: Catalog,
        upstreams: Mapping[str, Upstream],
        store: ContextStore,
        client: UpstreamClient,
        surroundings: Surroundings,
        max_history: int,
        context_argument: bool = False,
    ) -> None:
        """`context_argument`: every tool takes one, and contexts have tools of their own."""
        self.catalog = catalog
        self.upstreams = upstreams
        # Configured APIs whose descriptions could not be loaded so far.
        self.missing = frozenset[str]()
        # By API; one that nobody keeps current is not in it.
        self.freshness: Mapping[str, Freshness] = {}
        self.contexts = OwnContexts(store, surroundings)
        self._contexts = Contexts(store, surroundings, max_history=max_history)
        # What is published beside the tools of descriptions.
        self.additions: Final = ADDITIONS if context_argument else NO_ADDITIONS
        self._context_tools = ContextTools(self._contexts, self.contexts)
        self._new_handle = lambda: surroundings.random_bytes(16).hex()
        self._answers = Answers(None, url="", new_handle=self._new_handle)
        self._client = client
        self._refusals = SessionRefusals(client, surroundings.monotonic)
        self._monotonic = surroundings.monotonic
        self._via = f"ocp-gateway-{surroundings.random_bytes(4).hex()}"

    def view(self, api: str | None = None) -> View:
        """The tools of all APIs or of one. Raises UnknownApi, ApiUnavailable."""
        if api is not None:
            self._check_loaded(api)
        return self.catalog.view(api)

    def admit(self, catalog: Catalog, upstream: Upstream) -> None:
        """Replace the whole catalog by one that has an API anew, or has it at last.

        Calls under way keep the tools that they have found.
        """
        self.upstreams = {**self.upstreams, upstream.name: upstream}
        self.catalog = catalog
        self.missing -= {upstream.name}

    def keep_results(self, store: ResultStore, *, url: str) -> None:
        """From now on keep what is too large to be shown; it can be read at `url` + handle."""
        self._answers = Answers(store, url=url, new_handle=self._new_handle)

    @property
    def unrecorded(self) -> Mapping[Unrecorded, int]:
        """How many calls the store has not taken since the start, by reason; absent is none."""
        return self._contexts.unrecorded

    async def store_is_up(self) -> bool:
        return await self._contexts.store_is_up()

    async def aclose(self) -> None:
        """Finish what cancelled calls still have to record, then let go of stores and client."""
        await self._contexts.settle()
        await self._client.aclose()
        await self._answers.aclose()
        await self._contexts.store.aclose()

    async def call_tool(self, call: ToolCall) -> CallOutcome:
        """Call one tool.

        Raises UnknownTool, UnknownApi, InvalidArguments and their like while nothing was sent;
        whatever the upstream does after that is a result.
        """
        if self._own_tool(call):
            return await self._context_tools.call(call)
        ready = await self._prepare(call)
        tool, talk = ready.tool, ready.talk
        operation = CalledOperation(
            api=tool.api, method=tool.method, path=tool.path, name=tool.name
        )
        record = Record(self._contexts, talk, operation, tool.name)
        limit = ready.upstream.max_response_bytes
        async with self._answers.reading(tool, call.principal, limit) as reading:
            result = await self._run(ready, record, reading)
        return CallOutcome(
            result=result, context_id=talk.context.context_id, recorded=bool(record.recorded)
        )

    async def read_result(
        self, principal: Principal, handle: str, *, start: int = 0, length: int = 0
    ) -> ResultPart:
        """Part of a large result that was kept for this principal. Raises UnknownResult."""
        return await self._answers.read(principal, handle, start, length)

    async def preview_tool(self, call: ToolCall) -> Preview:
        """What `call_tool` would send, without what is secret in it; nothing is sent or stored.

        Raises what `call_tool` does.
        """
        if self._own_tool(call):
            raise BadRequest(f"{call.name} is the gateway's own and sends no request to be shown")
        ready = await self._prepare(call)
        return preview_request(ready.request, origin=ready.upstream.origin, shown=ready.shown)

    async def _prepare(self, call: ToolCall) -> "_Ready":
        """The call up to its sending: tool, request and context."""
        context_id = call.claim.named_id or self._contexts.new_id()
        try:
            tool = self._tool(call)
            taken = take_context(call) if self.additions.gives_argument(tool) else Taken(call=call)
            call = taken.call
            context_id = call.claim.named_id or context_id
            upstream = timed(tool_place(self.upstreams[tool.api], tool), tool)
            with along_with(taken.faults):
                built = build_request(tool, call.arguments, base_path=upstream.base_path)
            required = require_context(tool, call.claim)
            talk = await self._contexts.open(
                call.principal, call.claim, context_id, required=required
            )
        except GatewayError as error:
            error.context_id = context_id
            raise
        ocp = self._ocp_headers(talk.context, upstream, tool)
        return _Ready(
            tool=tool,
            upstream=upstream,
            request=tool_request(built, call, upstream, ocp),
            talk=talk,
            shown=names_of_arguments(built, upstream),
        )

    async def _run(self, ready: "_Ready", record: Record, reading: Reading) -> ToolResult:
        upstream = ready.upstream
        deadline = self._monotonic() + upstream.timeout_seconds
        status = None
        try:
            async with (
                record.watching(),
                self._refusals.exchange(ready.request, upstream, deadline=deadline) as response,
            ):
                status = response.head.status
                updates = updates_from(response, ready.talk.context, upstream, ready.tool)
                await record.answered(status, updates)
                await reading.receive(response)
        except UpstreamError as error:
            return failed(failure_text(error, ready.tool, upstream), status=status)
        return await reading.result()

    @asynccontextmanager
    async def forward(self, call: ProxiedRequest) -> AsyncIterator[Response]:
        """Pass a request on; the response's body streams while the context manager is open.

        Raises a GatewayError, its `context_id` set, when there is no answer to pass back.
        """
        context_id = call.inbound.context_id or self._contexts.new_id()
        try:
            upstream, tool = self._route(call)
            claim = ContextClaim(inbound=call.inbound)
            # Plain traffic that says nothing of a context leaves nothing behind.
            kept = call.inbound.says_something
            required = tool is not None and _is_call(call, tool) and require_context(tool, claim)
            talk = await self._contexts.open(
                call.principal, claim, context_id, kept=kept, required=required
            )
            ocp = self._ocp_headers(talk.context, upstream, tool)
            head = outbound_head(call.request.head, upstream, ocp, via=self._via)
            request = replace(call.request, head=head)
            operation = proxied_operation(upstream, call.request.head, tool)
            record = Record(self._contexts, talk, operation)
            async with (
                record.watching(),
                self._refusals.exchange(request, upstream, deadline=None) as response,
            ):
                updates = updates_from(response, talk.context, upstream, tool)
                await record.answered(response.head.status, updates)
                context: Headers = (("OCP-Context-ID", context_id),)
                if kept and not record.recorded:
                    context = (*context, ("OCP-Gateway-Recorded", "false"))
                yield replace(response, head=inbound_head(response.head, upstream, context))
        except GatewayError as error:
            error.context_id = context_id
            raise

    def _ocp_headers(self, context: AgentContext, upstream: Upstream, tool: Tool | None) -> Headers:
        apis = self.missing.union(self.upstreams)
        return self._refusals.spare(upstream, ocp_headers(context, upstream, tool, apis=apis))

    def _own_tool(self, call: ToolCall) -> NativeTool | None:
        """The tool of our own that is called; every view has them. Raises UnknownApi."""
        tool = self.additions.find(call.name)
        if tool is not None:
            with suppress(ApiUnavailable):
                self.view(call.api)
        return tool

    def _tool(self, call: ToolCall) -> Tool:
        tool = self.view(call.api).find(call.name)
        if tool is None:
            raise UnknownTool(f"there is no tool {call.name[:64]!r}")
        return tool

    def _check_loaded(self, name: str) -> None:
        if name in self.catalog.apis:
            return
        if name in self.missing or name in self.upstreams:
            raise ApiUnavailable(f"the description of {name} could not be loaded")
        raise UnknownApi(f"there is no API {name[:64]!r}")

    def _route(self, call: ProxiedRequest) -> tuple[Upstream, Tool | None]:
        self._check_loaded(call.api)
        upstream, api = self.upstreams[call.api], self.catalog.apis[call.api]
        head = call.request.head
        path = head.target.partition("?")[0]
        check_path(path)
        if upstream.proxy is ProxyReach.OFF:
            raise UnknownOperation(f"{upstream.name} is not proxied")
        try:
            tool = api.routes.match(head.method, path)
            return own_place(upstream, tool), tool
        except GatewayError:
            if upstream.proxy is ProxyReach.DESCRIBED:
                raise
            return upstream, None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A tool call that only has to be sent. `shown` names the headers that hold no secret."""

    tool: Tool
    upstream: Upstream
    request: Request
    talk: Conversation
    shown: frozenset[str]


def _is_call(request: ProxiedRequest, tool: Tool) -> bool:
    """Whether the operation itself is asked for: OPTIONS may only be about it."""
    return request.request.head.method != "OPTIONS" or tool.method == "OPTIONS"
