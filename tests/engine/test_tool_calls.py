"""The life of a tool call."""

import asyncio
import json
from dataclasses import replace

import pytest

from gateway.calls import Text
from gateway.catalog import Catalog, ToolOverride
from gateway.context import InboundContext, is_valid_context, read_inbound, to_mapping
from gateway.engine import CallOutcome, ContextClaim, ToolCall
from gateway.errors import (
    ApiUnavailable,
    GatewayError,
    InvalidArguments,
    UnknownApi,
    UnknownTool,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from gateway.messages import Headers, header, header_values
from gateway.policy import ANONYMOUS, Principal
from gateway.upstreams import OcpHeaders
from tests.support.engine import SHOP, Answer, Stage, broken, stage

ID = "ocp-00000001"
NAMED = ContextClaim(explicit_id=ID)
GET_ITEM = "GET /items/{id}"


async def call(
    on: Stage,
    name: str = "getItem",
    arguments: dict[str, object] | None = None,
    *,
    claim: ContextClaim = NAMED,
    api: str | None = None,
    headers: Headers = (),
    trace: Headers = (),
    principal: Principal = ANONYMOUS,
) -> CallOutcome:
    return await on.gateway.call_tool(
        ToolCall(
            name=name,
            arguments={"id": "7"} if arguments is None else arguments,
            principal=principal,
            claim=claim,
            api=api,
            headers=headers,
            trace=trace,
        )
    )


def text_of(outcome: CallOutcome) -> str:
    (content,) = outcome.result.content
    assert isinstance(content, Text)
    return content.text


def claim_of(*headers: tuple[str, str]) -> ContextClaim:
    return ContextClaim(inbound=read_inbound(headers))


class TestWhichContext:
    INBOUND = InboundContext(context_id="from-header")

    @pytest.mark.parametrize(
        ("claim", "expected"),
        [
            (ContextClaim(explicit_id="a", inbound=INBOUND, ambient_id="c"), "a"),
            (ContextClaim(inbound=INBOUND, ambient_id="c"), "from-header"),
            (ContextClaim(ambient_id="c"), "c"),
        ],
        ids=["explicit", "header", "ambient"],
    )
    async def test_the_first_that_is_named(self, claim: ContextClaim, expected: str) -> None:
        on = stage()
        outcome = await call(on, claim=claim)
        assert (outcome.context_id, outcome.recorded) == (expected, True)
        assert header(on.client.last, "OCP-Context-ID") == expected
        assert len(await on.entries(expected)) == 1

    async def test_a_new_one_otherwise_which_a_second_call_can_name(self) -> None:
        on = stage()
        first = await call(on, claim=ContextClaim())
        assert len(first.context_id) == 36
        assert first.context_id.startswith("ocp-")
        assert (await call(on, claim=ContextClaim())).context_id != first.context_id

        await call(on, claim=ContextClaim(explicit_id=first.context_id))
        assert len(await on.entries(first.context_id)) == 2

    async def test_principals_do_not_share(self) -> None:
        on = stage()
        other = Principal(name="key:other")
        await call(on)
        await call(on, principal=other)
        mine, others = await on.context(ID), await on.context(ID, other)
        assert mine is not None
        assert others is not None
        assert (len(mine.history), len(others.history)) == (1, 1)

    async def test_the_agent_is_named_by_header_then_by_the_client(self) -> None:
        on = stage()
        await call(on, claim=ContextClaim(explicit_id="a", agent_hint="My Client/1.0"))
        claim = ContextClaim(
            explicit_id="b", agent_hint="x", inbound=read_inbound((("OCP-Agent-Type", "coder"),))
        )
        await call(on, claim=claim)
        await call(on, claim=ContextClaim(explicit_id="c"))
        agents = [context.agent_type for context in await on.stored()]
        assert len(agents) == 3
        assert {"coder", "generic_agent"} < set(agents)


class TestWhatIsSent:
    async def test_request_and_context(self) -> None:
        on = stage()
        await call(on, arguments={"id": "a/b", "X_Note": "hi"})
        await call(on, arguments={"id": "a/b", "X_Note": "hi"})

        head = on.client.requests[-1].head
        assert (head.method, head.target) == ("GET", "/v1/items/a%2Fb")
        assert [name for name, _ in head.headers] == [
            "Accept",
            "X-Note",
            "OCP-Context-ID",
            "OCP-Agent-Type",
            "OCP-Version",
            "OCP-Session",
        ]
        session = read_inbound(head.headers).session
        assert session is not None
        # The history before this call.
        assert [entry.result for entry in session.history] == ["HTTP 200"]

    @pytest.mark.parametrize(
        ("mode", "names"),
        [
            (OcpHeaders.OFF, set()),
            (OcpHeaders.IDS, {"OCP-Context-ID", "OCP-Agent-Type", "OCP-Version"}),
        ],
    )
    async def test_less_context_where_less_is_allowed(
        self, mode: OcpHeaders, names: set[str]
    ) -> None:
        on = stage(ocp_headers=mode)
        claim = claim_of(("OCP-Context-ID", ID), ("OCP-Current-Goal", "g"), ("OCP-User", "u"))
        await call(on, claim=claim)
        assert {name for name, _ in on.client.last if name.startswith("OCP-")} == names
        assert len(await on.entries(ID)) == 1

    async def test_of_the_callers_head_only_what_is_named(self) -> None:
        on = stage(
            forward_headers=frozenset({"x-tenant", "accept", "x-env"}), headers=(("X-Env", "prod"),)
        )
        caller = (
            ("X-Tenant", "acme"),
            ("X-Env", "test"),
            ("Accept", "text/html"),
            ("Authorization", "Bearer x"),
            ("Cookie", "a=b"),
            ("Mcp-Method", "tools/call"),
            ("OCP_Context_ID", "forged"),
        )
        await call(on, headers=caller)
        own = [pair for pair in on.client.last if not pair[0].startswith("OCP-")]
        assert own == [("Accept", "*/*"), ("X-Env", "prod"), ("X-Tenant", "acme")]
        assert header_values(on.client.last, "OCP_Context_ID") == ()

    @pytest.mark.parametrize(
        ("configured", "trace", "sent"),
        [
            ({}, {}, {"traceparent": "old", "tracestate": "o=1"}),
            ({}, {"traceparent": "new"}, {"traceparent": "new"}),
            ({}, {"tracestate": "n=1"}, {"traceparent": "old", "tracestate": "n=1"}),
            ({"traceparent": "fix"}, {"traceparent": "new"}, {"traceparent": "fix"}),
        ],
        ids=["the caller's", "the message's", "a state alone", "the configured"],
    )
    async def test_a_call_belongs_to_one_trace(
        self, configured: dict[str, str], trace: dict[str, str], sent: dict[str, str]
    ) -> None:
        names = frozenset({"traceparent", "tracestate"})
        on = stage(forward_headers=names, headers=tuple(configured.items()))
        caller = (("traceparent", "old"), ("tracestate", "o=1"))
        await call(on, headers=caller, trace=tuple(trace.items()))
        assert {name: value for name, value in on.client.last if name in names} == sent

    async def test_the_deadline_is_for_the_whole_call(self) -> None:
        on = stage(timeout_seconds=3.0)
        await call(on)
        (deadline,) = on.client.deadlines
        assert deadline is not None
        assert deadline > 3.0


class TestHistory:
    async def test_one_entry_a_call_says_what_and_how(self) -> None:
        on = stage()
        await call(on)
        context = await on.context(ID)
        assert context is not None
        (entry,) = context.history
        assert entry.timestamp == "2026-01-02T03:04:05.000000Z"
        assert (entry.action, entry.api_endpoint) == ("tool_call:getItem", GET_ITEM)
        assert entry.result == "HTTP 200"
        milliseconds = entry.metadata["ms"]
        assert isinstance(milliseconds, int)
        assert dict(entry.metadata) == {
            "api": "shop",
            "operation": "getItem",
            "ms": milliseconds,
            "success": True,
        }
        assert is_valid_context(to_mapping(context))

    @pytest.mark.parametrize(
        ("answer", "result"),
        [
            (Answer(status=204, chunks=()), "HTTP 204"),
            (Answer(status=404), "HTTP 404"),
            (broken(UpstreamTimeout), "timeout"),
            (broken(UpstreamUnreachable), "unreachable"),
            (broken(UpstreamError), "unreachable"),
        ],
        ids=["empty", "refused", "timeout", "unreachable", "broken"],
    )
    async def test_the_outcome(self, answer: Answer | Exception, result: str) -> None:
        on = stage()
        on.client.answer = answer
        outcome = await call(on)
        assert outcome.recorded
        assert await on.entries(ID) == [("tool_call:getItem", GET_ITEM, result)]
        assert outcome.result.is_error is (result != "HTTP 204")

    async def test_the_entry_is_there_before_the_body(self) -> None:
        on = stage()
        on.client.answer = Answer(chunks=(b"{",), breaks=broken(UpstreamTimeout))
        outcome = await call(on)
        # There was an answer; that it broke off later is the result's affair.
        assert await on.entries(ID) == [("tool_call:getItem", GET_ITEM, "HTTP 200")]
        assert (outcome.result.is_error, outcome.result.status) == (True, 200)

    async def test_is_bounded(self) -> None:
        on = stage()
        for _ in range(8):
            await call(on)
        context = await on.context(ID)
        assert context is not None
        assert len(context.history) == 5
        assert context.session is not None
        assert context.session.interaction_count == 8

    async def test_concurrent_calls_are_all_recorded(self) -> None:
        on = stage()
        await asyncio.gather(*(call(on) for _ in range(5)))
        assert len(await on.entries(ID)) == 5

    async def test_a_cancelled_call_is_recorded(self) -> None:
        on = stage()
        on.client.answer = Answer(hold=asyncio.Event())
        task = asyncio.ensure_future(call(on))
        await on.client.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await on.gateway.aclose()
        assert await on.entries(ID) == [("tool_call:getItem", GET_ITEM, "cancelled")]

    @pytest.mark.parametrize("answer", [Answer(), broken(UpstreamTimeout)], ids=["head", "failure"])
    async def test_a_call_cancelled_while_it_is_recorded_counts_once(
        self, answer: Answer | Exception
    ) -> None:
        on = stage()
        on.client.answer = answer
        on.store.hold = asyncio.Event()
        task = asyncio.ensure_future(call(on))
        await on.store.writing.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        on.store.hold.set()
        await on.gateway.aclose()
        ((_, _, result),) = await on.entries(ID)
        assert result == ("HTTP 200" if isinstance(answer, Answer) else "timeout")

    async def test_holds_nothing_of_what_was_said(self) -> None:
        on = stage(headers=(("X-Key", "s3cret-config"),))
        on.client.answer = Answer(
            headers=(("Set-Cookie", "s3cret-cookie"), ("X", "s3cret-head")),
            chunks=(b"s3cret-body",),
        )
        await call(on, arguments={"id": "s3cret-path", "X_Note": "s3cret-header"})
        await call(on, "listItems", {"q": "s3cret-query"}, headers=(("Cookie", "s3cret-c"),))
        await call(on, "addItem", {"body": {"s3cret-key": "s3cret-value"}})
        context = await on.context(ID)
        assert context is not None
        assert len(context.history) == 3
        assert "s3cret" not in json.dumps(to_mapping(context))

    async def test_a_deleted_context_does_not_come_back(self) -> None:
        on = stage()
        await call(on)
        hold = asyncio.Event()
        on.client.asked.clear()
        on.client.answer = Answer(hold=hold)
        task = asyncio.ensure_future(call(on))
        await on.client.asked.wait()
        await on.store.inner.update(ANONYMOUS, ID, Deletion())
        hold.set()
        outcome = await task
        assert not outcome.recorded
        assert await on.context(ID) is None


class Deletion:
    operation_id = "deletion"

    def apply(self, _: object) -> None:
        return None


class TestClaims:
    HEADERS = (
        ("OCP-Context-ID", ID),
        ("OCP-Current-Goal", "fix it"),
        ("OCP-User", "alice"),
        ("OCP-Workspace", "w1"),
    )

    async def test_are_sent_and_kept(self) -> None:
        on = stage()
        await call(on, claim=claim_of(*self.HEADERS))
        assert header(on.client.last, "OCP-Current-Goal") == "fix it"
        context = await on.context(ID)
        assert context is not None
        kept = (context.current_goal, context.user, context.workspace)
        assert kept == ("fix it", "alice", "w1")

    async def test_stay_where_a_later_call_says_nothing(self) -> None:
        on = stage()
        await call(on, claim=claim_of(*self.HEADERS))
        await call(on, claim=claim_of(("OCP-Context-ID", ID), ("OCP-Current-Goal", "next")))
        context = await on.context(ID)
        assert context is not None
        assert (context.current_goal, context.user) == ("next", "alice")
        assert header(on.client.last, "OCP-User") == "alice"


class TestStoreDown:
    async def test_calls_go_on_and_say_so(self) -> None:
        on = stage()
        on.store.up = False
        outcome = await call(on)
        assert (outcome.context_id, outcome.recorded) == (ID, False)
        assert (outcome.result.status, outcome.result.is_error) == (200, False)
        assert not await on.gateway.store_is_up()

    async def test_one_failed_attempt_is_delay_enough(self) -> None:
        on = stage()
        on.store.up = False
        await call(on)
        assert on.store.asked == 1

    async def test_a_new_context_is_named_though_it_is_not_stored(self) -> None:
        on = stage()
        on.store.up = False
        outcome = await call(on, claim=ContextClaim())
        assert outcome.context_id.startswith("ocp-")
        assert not outcome.recorded
        assert header(on.client.last, "OCP-Context-ID") == outcome.context_id

    async def test_recording_resumes(self) -> None:
        on = stage()
        on.store.up = False
        await call(on)
        on.store.up = True
        assert (await call(on)).recorded
        assert len(await on.entries(ID)) == 1


class TestRefusals:
    """Nothing is sent, nothing is stored, the context is named all the same."""

    @pytest.mark.parametrize(
        ("name", "arguments", "api", "error"),
        [
            ("nope", {}, None, UnknownTool),
            ("getItem", {}, "nope", UnknownApi),
            ("getItem", {"id": "7"}, "loading", ApiUnavailable),
            ("getItem", {}, None, InvalidArguments),
            ("getItem", {"id": ".."}, "shop", InvalidArguments),
        ],
    )
    async def test_are_raised(
        self, name: str, arguments: dict[str, object], api: str | None, error: type[GatewayError]
    ) -> None:
        on = stage()
        on.gateway.missing = frozenset({"loading"})
        with pytest.raises(error) as caught:
            await call(on, name, arguments, api=api)
        assert caught.value.context_id == ID
        assert not on.client.requests
        assert await on.stored() == ()

    async def test_the_prefixed_name_is_taken_too(self) -> None:
        on = stage()
        assert (await call(on, "shopGetItem")).result.status == 200


class TestTime:
    @pytest.mark.parametrize("seconds", [2.0, 90.0])
    async def test_a_tool_may_have_its_own(self, seconds: float) -> None:
        usual, own = stage(), stage()
        tool = replace(SHOP.tools["getItem"], override=ToolOverride(timeout_seconds=seconds))
        own.gateway.catalog = Catalog([replace(SHOP, tools={**SHOP.tools, "getItem": tool})])
        own.client.answer = broken(UpstreamTimeout)
        await call(usual)
        outcome = await call(own)
        (deadline,), (own_deadline,) = usual.client.deadlines, own.client.deadlines
        assert deadline is not None
        assert own_deadline == deadline - 30 + seconds
        assert own.client.upstreams[0].timeout_seconds == seconds
        assert f"did not answer in {seconds:g} s" in text_of(outcome)


class TestResults:
    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (UpstreamTimeout, "did not answer in 30 s"),
            (UpstreamUnreachable, "shop failed"),
            (UpstreamError, "shop failed"),
        ],
    )
    async def test_a_failure_is_a_result(self, error: type[UpstreamError], words: str) -> None:
        on = stage()
        on.client.answer = broken(error)
        outcome = await call(on)
        assert (outcome.result.status, outcome.result.is_error) == (None, True)
        assert words in text_of(outcome)
        assert "Retrying may help." in text_of(outcome)


async def test_closing_lets_go_of_everything() -> None:
    on = stage()
    await on.gateway.aclose()
    assert on.client.closed
    assert not on.store.up
