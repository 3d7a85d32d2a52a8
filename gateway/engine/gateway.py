"""The one sequence: the life of a tool call and of a proxied request, top to bottom.

Every way in (MCP over HTTP and stdio, `POST /tools`, `/apis`) goes through `Gateway`.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from gateway.calls import (
    MAY_HAVE_HAPPENED,
    UNSAFE_TO_REPEAT,
    Preview,
    ToolResult,
    build_request,
    failed,
    preview_request,
)
from gateway.catalog import Catalog, Tool, View
from gateway.context import IDENTIFYING, AgentContext, CalledOperation, outbound_headers
from gateway.engine.answers import Answers, Reading, ResultPart
from gateway.engine.recording import Contexts, Conversation, Record
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
    GatewayError,
    NotAvailable,
    UnknownApi,
    UnknownOperation,
    UnknownTool,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from gateway.forwarding import check_path, inbound_head, outbound_head, passed_on
from gateway.interfaces import ContextStore, ResultStore, UpstreamClient
from gateway.messages import Headers, Request, RequestHead, Response
from gateway.policy import Principal
from gateway.upstreams import OcpHeaders, ProxyReach, Upstream


class Gateway:
    """All APIs behind one catalog, one context store and one upstream client."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        upstreams: Mapping[str, Upstream],
        store: ContextStore,
        client: UpstreamClient,
        surroundings: Surroundings,
        max_history: int,
    ) -> None:
        self.catalog = catalog
        self.upstreams = upstreams
        # Configured APIs whose descriptions could not be loaded so far.
        self.missing = frozenset[str]()
        # By API; one that nobody keeps current is not in it.
        self.freshness: Mapping[str, Freshness] = {}
        self._contexts = Contexts(store, surroundings, max_history=max_history)
        self._new_handle = lambda: surroundings.random_bytes(16).hex()
        self._answers = Answers(None, url="", new_handle=self._new_handle)
        self._client = client
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
        ready = await self._prepare(call)
        return preview_request(ready.request, origin=ready.upstream.origin, shown=ready.shown)

    async def _prepare(self, call: ToolCall) -> "_Ready":
        """The call up to its sending: tool, request and context."""
        context_id = call.claim.named_id or self._contexts.new_id()
        try:
            tool = self._tool(call)
            upstream = _timed(_tool_place(self.upstreams[tool.api], tool), tool)
            built = build_request(tool, call.arguments, base_path=upstream.base_path)
        except GatewayError as error:
            error.context_id = context_id
            raise
        talk = await self._contexts.open(call.principal, call.claim, context_id)
        return _Ready(
            tool=tool,
            upstream=upstream,
            request=_tool_request(built, call, upstream, talk.context),
            talk=talk,
            shown=_names_of_arguments(built, upstream),
        )

    async def _run(self, ready: "_Ready", record: Record, reading: Reading) -> ToolResult:
        upstream = ready.upstream
        deadline = self._monotonic() + upstream.timeout_seconds
        status = None
        try:
            async with (
                record.watching(),
                self._client.send(ready.request, upstream, deadline=deadline) as response,
            ):
                status = response.head.status
                await record.answered(status)
                await reading.receive(response)
        except UpstreamError as error:
            return failed(_failure_text(error, ready.tool, upstream), status=status)
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
            talk = await self._contexts.open(call.principal, claim, context_id, kept=kept)
            head = outbound_head(
                call.request.head, upstream, _ocp_headers(talk.context, upstream), via=self._via
            )
            request = replace(call.request, head=head)
            operation = _proxied_operation(upstream, call.request.head, tool)
            record = Record(self._contexts, talk, operation)
            async with (
                record.watching(),
                self._client.send(request, upstream, deadline=None) as response,
            ):
                await record.answered(response.head.status)
                context: Headers = (("OCP-Context-ID", context_id),)
                if kept and not record.recorded:
                    context = (*context, ("OCP-Gateway-Recorded", "false"))
                yield replace(response, head=inbound_head(response.head, upstream, context))
        except GatewayError as error:
            error.context_id = context_id
            raise

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
            return _own_place(upstream, tool), tool
        except GatewayError:
            if upstream.proxy is ProxyReach.DESCRIBED:
                raise
            return upstream, None


def _tool_place(upstream: Upstream, tool: Tool) -> Upstream:
    """Where a tool's call goes. Raises NotAvailable where its fixed arguments must not go."""
    place = upstream.of(tool.method, tool.path)
    # Only the description has named that origin: what the operator fixed is meant for this API.
    if tool.override.set and place.origin != upstream.origin:
        raise NotAvailable(
            f"{tool.method} {tool.path[:200]} is on another server, where fixed arguments are not"
            " sent; give that server an API of its own"
        )
    return place


def _timed(upstream: Upstream, tool: Tool) -> Upstream:
    """The upstream with the tool's own limit, where it has one."""
    seconds = tool.override.timeout_seconds
    return upstream if seconds is None else replace(upstream, timeout_seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A tool call that only has to be sent. `shown` names the headers that hold no secret."""

    tool: Tool
    upstream: Upstream
    request: Request
    talk: Conversation
    shown: frozenset[str]


def _names_of_arguments(built: Request, upstream: Upstream) -> frozenset[str]:
    """Headers, lower-case, that the arguments make, and those that identify the context."""
    configured = {name.lower() for name, _ in upstream.headers}
    made = {name.lower() for name, _ in built.head.headers}
    return frozenset((made - configured) | IDENTIFYING)


def _ocp_headers(context: AgentContext, upstream: Upstream) -> Headers:
    if upstream.ocp_headers is OcpHeaders.OFF:
        return ()
    return outbound_headers(context, full=upstream.ocp_headers is OcpHeaders.FULL)


def _tool_request(
    request: Request, call: ToolCall, upstream: Upstream, context: AgentContext
) -> Request:
    """The built request with the API's own headers, the caller's permitted ones and the context."""
    own = {name.lower() for name, _ in (*request.head.headers, *upstream.headers)}
    passed = tuple(p for p in passed_on(call.headers, upstream) if p[0].lower() not in own)
    configured = {name.lower() for name, _ in upstream.headers}
    built = tuple(p for p in request.head.headers if p[0].lower() not in configured)
    headers = (*built, *upstream.headers, *passed, *_ocp_headers(context, upstream))
    return replace(request, head=replace(request.head, headers=headers))


def _own_place(upstream: Upstream, tool: Tool) -> Upstream:
    """Where an operation is on its API's own server. Raises UnknownOperation for another's."""
    place = upstream.of(tool.method, tool.path)
    # What a caller sends through the proxy, cookies and keys included, is meant for this origin.
    if place.origin != upstream.origin:
        what = f"{tool.method} {tool.path[:200]}"
        raise UnknownOperation(f"{what} is on another server; only its tool leads there")
    return place


def _proxied_operation(upstream: Upstream, head: RequestHead, tool: Tool | None) -> CalledOperation:
    # An undescribed path may hold anything, ids and secrets included: it is not recorded.
    return CalledOperation(
        api=upstream.name,
        method=head.method,
        path=tool.path if tool else None,
        name=tool.name if tool else None,
    )


def _failure_text(error: UpstreamError, tool: Tool, upstream: Upstream) -> str:
    """What happened and whether to try again; what was sent may have been carried out."""
    if isinstance(error, UpstreamTimeout):
        said = f"{upstream.name} did not answer in {upstream.timeout_seconds:g} s."
    else:
        said = f"{error}."
    if isinstance(error, UpstreamUnreachable) or tool.method not in UNSAFE_TO_REPEAT:
        return f"{said} Retrying may help."
    return f"{said} {MAY_HAVE_HAPPENED}"
