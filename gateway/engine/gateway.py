"""The one sequence: the life of a tool call and of a proxied request, top to bottom.

Every way in (MCP over HTTP and stdio, `POST /tools`, `/apis`) goes through `Gateway`.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from gateway.calls import Preview, ToolResult, failed, preview_request
from gateway.catalog import (
    NO_ADDITIONS,
    NOTHING_DECLARED,
    Additions,
    Catalog,
    Declared,
    Offerings,
    Tool,
    View,
)
from gateway.context import AgentContext, CalledOperation
from gateway.engine.answers import Answers, Reading, ResultPart
from gateway.engine.building import Ready, build_call, check_proxied, turn_of
from gateway.engine.catalog_watch import CatalogWatch
from gateway.engine.confirmation import Declined
from gateway.engine.context_tools import Taken, take_context
from gateway.engine.context_use import naming, ocp_headers, updates_from
from gateway.engine.finding import find_own, find_route, find_tool
from gateway.engine.freshness import milliseconds_left
from gateway.engine.offerings import Offered
from gateway.engine.own_contexts import OwnContexts
from gateway.engine.own_tools import OwnTools
from gateway.engine.recording import Contexts, Record
from gateway.engine.sending import (
    called_operation,
    failure_text,
    own_operation,
    proxied_operation,
)
from gateway.engine.session_refusals import SessionRefusals
from gateway.engine.silence import NO_TELEMETRY
from gateway.engine.store_watch import Unrecorded
from gateway.engine.traffic import Traffic
from gateway.engine.values import (
    AskedInVain,
    CallOutcome,
    ContextClaim,
    Freshness,
    PromptCall,
    PromptOutcome,
    ProxiedRequest,
    ResourceCall,
    ResourceOutcome,
    Surroundings,
    ToolCall,
)
from gateway.errors import (
    ApiUnavailable,
    GatewayError,
    UnknownApi,
    UpstreamError,
)
from gateway.forwarding import inbound_head, outbound_head
from gateway.interfaces import (
    CallWatch,
    ContextStore,
    ResultStore,
    Telemetry,
    ToolSearch,
    UpstreamClient,
    Way,
)
from gateway.messages import Headers, Response
from gateway.policy import Principal
from gateway.upstreams import Upstream


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
        additions: Additions = NO_ADDITIONS,
        search: ToolSearch | None = None,
        confirm_destructive: bool = False,
        declared: Declared = NOTHING_DECLARED,
        telemetry: Telemetry = NO_TELEMETRY,
    ) -> None:
        """`additions` as `make_additions` makes them; tools that find others need a `search`.

        `confirm_destructive`: what is published as destructive needs a confirmation.
        """
        self.catalog = catalog
        self.changes = CatalogWatch(catalog, declared)
        self.upstreams = upstreams
        # Configured APIs whose descriptions could not be loaded so far.
        self.missing = frozenset[str]()
        # By API; one that nobody keeps current is not in it.
        self.freshness: Mapping[str, Freshness] = {}
        self.contexts = OwnContexts(store, surroundings)
        self._contexts = Contexts(store, surroundings, max_history=max_history)
        # What is published beside the tools of descriptions.
        self.additions: Final = additions
        self._own_tools = OwnTools(
            additions, self._contexts, self.contexts, search=search, view=self.view
        )
        self._offered = Offered(self, declared)
        self._new_handle = lambda: surroundings.random_bytes(16).hex()
        self._answers = Answers(None, url="", new_handle=self._new_handle)
        self._client = client
        self._refusals = SessionRefusals(client, surroundings.monotonic)
        self._traffic = Traffic(telemetry, surroundings.monotonic)
        self._monotonic = surroundings.monotonic
        self._confirms = confirm_destructive
        self._telemetry = telemetry
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
        upstreams = {**self.upstreams, upstream.name: upstream}
        self.become(catalog, upstreams, self.missing - {upstream.name})

    def become(
        self, catalog: Catalog, upstreams: Mapping[str, Upstream], missing: frozenset[str]
    ) -> None:
        """Replace everything that is known of the APIs; `missing` are those without a catalog.

        Calls under way keep the tools and upstreams that they have found.
        """
        self.upstreams, self.catalog, self.missing = upstreams, catalog, missing
        self.changes.announce(catalog)

    def ttl_ms(self, api: str | None = None) -> int:
        """For how many milliseconds a view stays as it is, as far as anybody can tell."""
        return milliseconds_left(self.freshness, api, self._monotonic())

    def offerings(self, api: str | None = None) -> Offerings:
        """What there is beside the tools of a view. Raises UnknownApi, ApiUnavailable."""
        return self._offered.offerings(api)

    async def read_resource(self, call: ResourceCall) -> ResourceOutcome:
        """As Offered.read."""
        return await self._offered.read(call)

    async def get_prompt(self, call: PromptCall) -> PromptOutcome:
        """As Offered.prompt."""
        return await self._offered.prompt(call)

    def keep_results(self, store: ResultStore, *, url: str | None) -> None:
        """From now on keep what is too large to be shown.

        It can be read as a resource, and at `url` + handle where that is not None.
        """
        self._answers = Answers(store, url=url, new_handle=self._new_handle)

    @property
    def unrecorded(self) -> Mapping[Unrecorded, int]:
        """How many calls the store has not taken since the start, by reason; absent is none."""
        return self._contexts.unrecorded

    @property
    def unjudged(self) -> int:
        """How many proxied messages were not judged because too many were waiting for that."""
        return self._traffic.skipped

    @property
    def store_works(self) -> bool:
        """As the latest attempts tell; nobody is asked."""
        return self._contexts.store_works

    async def store_is_up(self) -> bool:
        return await self._contexts.store_is_up()

    async def aclose(self) -> None:
        """Finish what cancelled calls still have to record, then let go of stores and client."""
        await self._contexts.settle()
        await self._traffic.aclose()
        await self._client.aclose()
        await self._answers.aclose()
        await self._contexts.store.aclose()

    async def call_tool(self, call: ToolCall) -> CallOutcome:
        """Call one tool, as far as it goes without asking.

        Raises UnknownTool, UnknownApi, InvalidArguments and their like while nothing was sent;
        whatever the upstream does after that is a result, unless it asks: then InputRequired, after
        which the same call goes on with a Continuation, or CannotAsk. So do calls that need a
        confirmation or lack arguments (docs/interactions.md).
        """
        with self._telemetry.watching(Way.TOOL, call.claim.inbound.rejects) as watch:
            if own := find_own(call, self.additions, self.view):
                watch.about(own_operation(own))
                return await self._own_tools.call(call, self.call_tool)
            return await self._call(call, watch)

    async def _call(self, call: ToolCall, watch: CallWatch) -> CallOutcome:
        try:
            ready = await self._prepare(call, watch)
        except Declined as no:
            return CallOutcome(result=failed(str(no)), context_id=no.context_id, recorded=True)
        tool, context_id = ready.turn.tool, ready.talk.context.context_id
        record = Record(self._contexts, ready.talk, called_operation(tool), tool.name)
        limit = ready.turn.upstream.max_response_bytes
        with naming(context_id):
            async with self._answers.reading(tool, call.principal, limit) as reading:
                result = await self._run(ready, record, reading, watch)
        return CallOutcome(result=result, context_id=context_id, recorded=bool(record.recorded))

    async def read_result(
        self, principal: Principal, handle: str, *, start: int = 0, length: int = 0
    ) -> ResultPart:
        """Part of a large result that was kept for this principal. Raises UnknownResult."""
        return await self._answers.read(principal, handle, start, length)

    async def preview_tool(self, call: ToolCall) -> Preview:
        """What `call_tool` would send, without what is secret in it; nothing is sent or stored.

        Raises what `call_tool` does, but asks for nothing.
        """
        if find_own(call, self.additions, self.view):
            return await self._own_tools.preview(call, self.preview_tool)
        ready = await self._prepare(call, NO_TELEMETRY, asks=False)
        turn = ready.turn
        return preview_request(turn.request, origin=turn.upstream.origin, shown=turn.shown)

    async def _prepare(self, call: ToolCall, watch: CallWatch, *, asks: bool = True) -> Ready:
        """The call up to its sending: tool, request and context."""
        context_id = call.claim.named_id or self._contexts.new_id()
        try:
            tool = find_tool(call, self.catalog, self.view)
            watch.about(called_operation(tool))
            taken = take_context(call) if self.additions.gives_argument(tool) else Taken(call=call)
            context_id = taken.call.claim.named_id or context_id
            built = build_call(
                tool, taken, self.upstreams[tool.api], asks=asks, confirms=self._confirms
            )
            talk = await self._contexts.open(
                call.principal, built.call.claim, context_id, required=built.requires_context
            )
        except (GatewayError, Declined) as error:
            error.context_id = context_id
            raise
        ocp = self._ocp_headers(talk.context, built.upstream, tool)
        return Ready(turn=turn_of(built, ocp, self._monotonic), talk=talk)

    async def _run(
        self, ready: Ready, record: Record, reading: Reading, watch: CallWatch
    ) -> ToolResult:
        turn = ready.turn
        tool, upstream = turn.tool, turn.upstream
        status = None
        try:
            async with record.watching(), turn.exchange(self._refusals) as response:
                status = response.head.status
                watch.answered(status)
                heard = await turn.hear(response)
                updates = updates_from(response, ready.talk.context, upstream, tool)
                await record.answered(status, updates)
                if isinstance(heard, AskedInVain):
                    heard.recorded = bool(record.recorded)
                    raise heard
                if isinstance(heard, ToolResult):
                    return heard
                await reading.receive(heard)
        except UpstreamError as error:
            watch.failed(error)
            return failed(failure_text(error, tool, upstream), status=status)
        return await reading.result()

    @asynccontextmanager
    async def forward(self, call: ProxiedRequest) -> AsyncIterator[Response]:
        """Pass a request on; the response's body streams while the context manager is open.

        Raises a GatewayError, its `context_id` set, when there is no answer to pass back.
        """
        context_id = call.inbound.context_id or self._contexts.new_id()
        watching = self._telemetry.watching(Way.PROXY, call.inbound.rejects)
        with watching as watch, naming(context_id):
            if call.api in self.missing or call.api in self.upstreams:
                watch.about(CalledOperation(api=call.api, method=call.request.head.method))
            self._check_loaded(call.api)
            api = self.upstreams[call.api]
            upstream, tool = find_route(call.request.head, api, self.catalog.apis[api.name].routes)
            operation = proxied_operation(upstream, call.request.head, tool)
            watch.about(operation)
            claim = ContextClaim(inbound=call.inbound)
            # Plain traffic that says nothing of a context leaves nothing behind.
            kept = call.inbound.says_something
            required = check_proxied(
                tool, upstream, call.request.head, claim, confirms=self._confirms
            )
            talk = await self._contexts.open(
                call.principal, claim, context_id, kept=kept, required=required
            )
            ocp = self._ocp_headers(talk.context, upstream, tool)
            head = outbound_head(
                call.request.head,
                upstream,
                ocp,
                via=self._via,
                provenance=call.provenance,
                is_open=call.is_open,
            )
            request = replace(call.request, head=head)
            request = await self._traffic.admit(request, tool, upstream)
            record = Record(self._contexts, talk, operation)
            async with (
                record.watching(),
                self._refusals.exchange(request, upstream, deadline=None) as answer,
            ):
                watch.answered(answer.head.status)
                updates = updates_from(answer, talk.context, upstream, tool)
                await record.answered(answer.head.status, updates)
                response = await self._traffic.release(request, answer, tool, upstream)
                context: Headers = (("OCP-Context-ID", context_id),)
                if kept and not record.recorded:
                    context = (*context, ("OCP-Gateway-Recorded", "false"))
                back = inbound_head(
                    response.head, upstream, context, request=head, provenance=call.provenance
                )
                yield replace(response, head=back)

    def _ocp_headers(self, context: AgentContext, upstream: Upstream, tool: Tool | None) -> Headers:
        apis = self.missing.union(self.upstreams)
        return self._refusals.spare(upstream, ocp_headers(context, upstream, tool, apis=apis))

    def _check_loaded(self, name: str) -> None:
        if name in self.catalog.apis:
            return
        if name in self.missing or name in self.upstreams:
            raise ApiUnavailable(f"the description of {name} could not be loaded")
        raise UnknownApi(f"there is no API {name[:64]!r}")
