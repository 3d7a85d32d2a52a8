"""The context around a call: what the caller claims, what the API is sent, what it answers."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from gateway.catalog import Catalog
from gateway.context import (
    AgentContext,
    HistoryEntry,
    decode_session,
    encode_session,
    new_context,
    read_inbound,
)
from gateway.engine import CallOutcome, ContextClaim, ProxiedRequest, ToolCall
from gateway.engine.session_refusals import SessionRefusals
from gateway.errors import ContextRequired, StoreUnavailable, UpstreamUnreachable
from gateway.messages import Headers, Request, RequestHead, Response, header
from gateway.policy import ANONYMOUS
from gateway.upstreams import ContextUpdates, OcpHeaders, ProxyReach, Upstream
from tests.support.engine import NOW, UPSTREAM, Answer, FakeClient, Stage, broken, stage
from tests.support.tools import DONE, TEXT, api_of, parameter

ID = "ocp-00000001"
ITEM = {"parameters": [parameter("id", "path", TEXT)]}
LEVEL2 = api_of(
    {
        "/plain": {"get": {"operationId": "plain", "responses": DONE}},
        "/aware": {
            "get": {
                "operationId": "aware",
                "responses": DONE,
                "x-ocp-context": {
                    "enhances_with": ["agent_goal"],
                    "updates_context": ["current_goal", "history"],
                },
            }
        },
        "/strict/{id}": {
            **ITEM,
            "get": {
                "operationId": "strict",
                "responses": DONE,
                "x-ocp-context": {"requires_context": True},
            },
            "post": {"operationId": "make", "responses": DONE},
        },
    },
    name="shop",
)


def level2(**changes: object) -> Stage:
    on = stage(**changes)
    on.gateway.admit(Catalog([LEVEL2]), replace(UPSTREAM, **changes))  # type: ignore[arg-type]
    return on


def claim(*headers: tuple[str, str], context_id: str = ID) -> ContextClaim:
    return ContextClaim(inbound=read_inbound((("OCP-Context-ID", context_id), *headers)))


def session(**members: object) -> tuple[str, str]:
    encoded = encode_session(replace(new_context(ID, "agent", NOW), **members))  # type: ignore[arg-type]
    assert encoded is not None
    return "OCP-Session", encoded


async def call(
    on: Stage, name: str = "plain", said: ContextClaim | None = None, **arguments: object
) -> CallOutcome:
    said = claim() if said is None else said
    return await on.gateway.call_tool(
        ToolCall(name=name, arguments=arguments, principal=ANONYMOUS, claim=said)
    )


async def proxy(
    on: Stage, method: str, path: str, headers: Headers = (), body: bytes | None = None
) -> tuple[int, Headers]:
    request = Request(head=RequestHead(method=method, target=path, headers=headers), body=body)
    asked = ProxiedRequest(
        api="shop", request=request, principal=ANONYMOUS, inbound=read_inbound(headers)
    )
    async with on.gateway.forward(asked) as response:
        await drained(response)
        return response.head.status, response.head.headers


async def drained(response: Response) -> None:
    async for _ in response.body:
        pass


def sent_session(on: Stage, number: int = -1) -> AgentContext | None:
    value = header(on.client.requests[number].head.headers, "OCP-Session")
    if value is None:
        return None
    context = decode_session(value, ID)
    assert isinstance(context, AgentContext)
    return context


class TestWhatTheCallerClaims:
    async def test_a_session_is_merged_before_the_call_and_kept(self) -> None:
        on = level2()
        await call(on, said=claim(session(context_summary="so far", current_file="a.py")))
        sent = sent_session(on)
        assert sent is not None
        assert (sent.context_summary, sent.current_file) == ("so far", "a.py")
        kept = await on.context(ID)
        assert kept is not None
        assert (kept.context_summary, kept.current_file, len(kept.history)) == ("so far", "a.py", 1)

    async def test_a_repeated_session_undoes_nothing(self) -> None:
        on = level2(context_updates=ContextUpdates.ALL)
        said = claim(session(current_goal="mine"))
        await call(on, said=said)
        on.client.answer = Answer(headers=(("OCP-Context-ID", ID), ("OCP-Current-Goal", "theirs")))
        await call(on)
        on.client.answer = Answer()
        await call(on, said=said)
        kept = await on.context(ID)
        assert kept is not None
        assert kept.current_goal == "theirs"

    async def test_headers_of_one_context_say_nothing_of_another(self) -> None:
        on = level2()
        said = replace(
            claim(session(current_goal="of 1"), ("OCP-User", "ada")), explicit_id="ocp-00000002"
        )
        outcome = await call(on, said=said)
        kept = await on.context("ocp-00000002")
        assert outcome.context_id == "ocp-00000002"
        assert kept is not None
        assert (kept.current_goal, kept.user) == (None, None)

    async def test_the_argument_comes_after_the_header_and_before_the_session(self) -> None:
        on = level2()
        named = replace(claim(), argument_id="argument", ambient_id="ambient")
        assert (await call(on, said=named)).context_id == ID
        no_header = ContextClaim(argument_id="argument", ambient_id="ambient")
        assert (await call(on, said=no_header)).context_id == "argument"


class TestWhatTheApiIsSent:
    async def test_an_operation_is_sent_what_it_can_use(self) -> None:
        on = level2()
        said = claim(session(current_goal="g", context_summary="s", user="ada"))
        await call(on, said=said)
        await call(on, "aware", said=said)
        whole, part = sent_session(on, 0), sent_session(on, 1)
        assert whole is not None
        assert part is not None
        assert (whole.current_goal, whole.context_summary) == ("g", "s")
        assert (part.current_goal, part.context_summary, part.history) == ("g", None, ())
        headers = on.client.requests[1].head.headers
        assert header(headers, "OCP-Current-Goal") == "g"
        assert header(headers, "OCP-User") is None

    async def test_history_of_apis_that_are_none_here_stays_here(self) -> None:
        on = level2()
        entry = HistoryEntry(timestamp="2026-01-01T00:00:00Z", action="tool_call:x")
        said = session(
            history=(
                replace(entry, action="ours", metadata={"api": "shop"}),
                replace(entry, action="theirs", metadata={"api": "gone"}),
                replace(entry, action="nobody's"),
            )
        )
        await call(on, said=claim(said))
        sent = sent_session(on)
        assert sent is not None
        assert [entry.action for entry in sent.history] == ["ours", "nobody's"]


class TestRequiredContext:
    async def test_a_call_that_names_none_is_refused(self) -> None:
        on = level2()
        with pytest.raises(ContextRequired):
            await call(on, "strict", said=ContextClaim(), id="7")
        with pytest.raises(ContextRequired) as refused:
            await proxy(on, "GET", "/strict/7", (("OCP-Agent-Type", "agent"),))
        assert refused.value.context_id is not None
        assert on.client.requests == []
        assert await on.stored() == ()

    @pytest.mark.parametrize(
        "named",
        [
            ContextClaim(explicit_id="a"),
            ContextClaim(argument_id="a"),
            ContextClaim(ambient_id="a"),
            claim(context_id="a"),
        ],
        ids=["meta", "argument", "session", "header"],
    )
    async def test_any_way_of_naming_one_will_do(self, named: ContextClaim) -> None:
        on = level2()
        assert (await call(on, "strict", said=named, id="7")).recorded
        other_operation = await call(on, "make", said=ContextClaim(), id="7")
        assert other_operation.recorded

    async def test_without_the_store_there_is_no_context(self) -> None:
        on = level2()
        on.store.up = False
        with pytest.raises(StoreUnavailable):
            await call(on, "strict", id="7")
        assert on.client.requests == []
        assert not (await call(on, "plain")).recorded

    async def test_asking_about_an_operation_needs_none(self) -> None:
        on = level2(proxy=ProxyReach.ANY)
        status, _ = await proxy(on, "OPTIONS", "/strict/7")
        assert status == 200


class TestWhatTheApiAnswers:
    SAID: Headers = (
        ("OCP-Context-ID", ID),
        ("OCP-Current-Goal", "theirs"),
        session(context_summary="theirs", user="mallory"),
    )

    @pytest.mark.parametrize(
        ("updates", "tool", "expected"),
        [
            (ContextUpdates.DECLARED, "plain", (None, None)),
            (ContextUpdates.DECLARED, "aware", ("theirs", None)),
            (ContextUpdates.ALL, "plain", ("theirs", "theirs")),
            (ContextUpdates.OFF, "aware", (None, None)),
        ],
    )
    async def test_what_it_may_change(
        self, updates: ContextUpdates, tool: str, expected: tuple[str | None, str | None]
    ) -> None:
        for by_proxy in (False, True):
            on = level2(context_updates=updates)
            on.client.answer = Answer(headers=self.SAID)
            if by_proxy:
                _, answered = await proxy(on, "GET", f"/{tool}", (("OCP-Context-ID", ID),))
                assert [v for n, v in answered if n.lower().startswith("ocp-")] == [ID]
            else:
                await call(on, tool)
            kept = await on.context(ID)
            assert kept is not None
            assert (kept.current_goal, kept.context_summary) == expected
            assert kept.user is None
            assert len(kept.history) == 1

    async def test_entry_and_updates_are_one_version(self) -> None:
        on = level2(context_updates=ContextUpdates.ALL)
        on.client.answer = Answer(headers=self.SAID)
        await call(on)
        stored = await on.store.inner.get(ANONYMOUS, ID)
        assert stored is not None
        assert stored.version == 1

    async def test_another_contexts_answer_is_ignored(self) -> None:
        on = level2(context_updates=ContextUpdates.ALL)
        on.client.answer = Answer(headers=self.SAID)
        await call(on, said=claim(context_id="ocp-00000002"))
        kept = await on.context("ocp-00000002")
        assert kept is not None
        assert kept.current_goal is None
        assert await on.context(ID) is None


class TestRefusedSessions:
    def refusing(self, *, status: int = 431, limit: int = 0) -> Stage:
        on = level2()

        def answer(request: Request) -> Answer:
            value = header(request.head.headers, "OCP-Session")
            return Answer(status=status if value and len(value) > limit else 200)

        on.client.answer = answer
        return on

    @pytest.mark.parametrize("status", [400, 431])
    async def test_one_more_attempt_without_it_and_none_from_then_on(
        self, status: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        on = self.refusing(status=status)
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                outcome = await call(on)
                assert outcome.result.status == 200
        sessions = [header(r.head.headers, "OCP-Session") for r in on.client.requests]
        assert [value is not None for value in sessions] == [True, False, False, False]
        ids = {header(r.head.headers, "OCP-Context-ID") for r in on.client.requests}
        assert ids == {ID}
        assert [r.message.split(";")[0] for r in caplog.records] == ["shop refuses OCP-Session"]
        assert [result for *_, result in await on.entries(ID)] == ["HTTP 200"] * 3

    async def test_the_proxy_does_the_same(self) -> None:
        on = self.refusing()
        status, _ = await proxy(on, "GET", "/plain", (("OCP-Context-ID", ID),))
        assert status == 200
        assert len(on.client.requests) == 2
        assert [result for *_, result in await on.entries(ID)] == ["HTTP 200"]

    async def test_what_may_have_been_done_is_not_repeated(self) -> None:
        on = self.refusing()
        assert (await call(on, "make", id="7")).result.status == 431
        assert len(on.client.requests) == 1
        # Too large are the fields themselves: the next call does without them at once.
        assert (await call(on, "make", id="7")).result.status == 200
        assert len(on.client.requests) == 2

    async def test_a_streamed_body_is_not_repeated(self) -> None:
        on = self.refusing(status=400)

        async def chunks() -> AsyncIterator[bytes]:
            yield b"x"

        head = RequestHead(method="PUT", target="/plain", headers=(("OCP-Context-ID", ID),))
        request = Request(head=head, body=chunks())
        on.gateway.admit(on.gateway.catalog, replace(UPSTREAM, proxy=ProxyReach.ANY))
        asked = ProxiedRequest(
            api="shop", request=request, principal=ANONYMOUS, inbound=read_inbound(head.headers)
        )
        async with on.gateway.forward(asked) as response:
            assert response.head.status == 400
        assert len(on.client.requests) == 1

    async def test_a_400_for_another_reason_is_asked_about_once(self) -> None:
        on = level2()
        on.client.answer = Answer(status=400)
        same = [await call(on, said=claim(context_id=f"ocp-0000000{n}")) for n in range(4)]
        assert [outcome.result.status for outcome in same] == [400] * 4
        # The second attempt has shown that a session so long is not the reason.
        assert len(on.client.requests) == 5
        on.client.answer = Answer()
        await call(on)
        assert sent_session(on) is not None

    async def test_a_431_is_asked_about_however_long_a_session_has_been_taken(self) -> None:
        on = level2()
        await call(on, said=claim(session(context_summary="s" * 400)))
        on.client.answer = self.refusing().client.answer
        outcome = await call(on, said=claim(context_id="ocp-00000002"))
        assert outcome.result.status == 200

    @pytest.mark.parametrize("second", [503, 429, 408])
    async def test_an_answer_that_proves_nothing_is_not_remembered(self, second: int) -> None:
        on = level2()
        statuses = iter([400, second])
        on.client.answer = lambda _request: Answer(status=next(statuses))
        assert (await call(on)).result.status == second
        on.client.answer = Answer()
        await call(on)
        assert sent_session(on) is not None

    async def test_a_failing_second_attempt_leaves_the_first_answer(self) -> None:
        on = level2()
        answers: Iterator[Answer | Exception] = iter(
            [Answer(status=400, chunks=(b'"why"',)), broken(UpstreamUnreachable)]
        )
        on.client.answer = lambda _request: next(answers)
        outcome = await call(on)
        assert outcome.result.status == 400
        assert "why" in str(outcome.result.content)
        assert [result for *_, result in await on.entries(ID)] == ["HTTP 400"]

    async def test_nothing_is_tried_again_when_half_the_time_is_gone(self) -> None:
        # The stage's clock moves on by 1/8 s each time that it is looked at.
        on = level2(timeout_seconds=0.25)
        on.client.answer = Answer(status=400)
        assert (await call(on)).result.status == 400
        assert len(on.client.requests) == 1

    async def test_what_a_caller_has_made_too_large_is_not_held_against_the_session(self) -> None:
        on = level2()
        total = 6_000

        def answer(request: Request) -> Answer:
            size = sum(len(name) + len(value) for name, value in request.head.headers)
            return Answer(status=431 if size > total else 200)

        on.client.answer = answer
        large = (("OCP-Context-ID", ID), ("X-Own", "x" * (total - 300)))
        assert (await proxy(on, "GET", "/plain", large))[0] == 200
        await proxy(on, "POST", "/strict/7", (("OCP-Context-ID", ID), ("X-Own", "x" * total)))
        await call(on)
        assert sent_session(on) is not None

    async def test_an_hour_later_it_is_tried_again(self) -> None:
        client, now = FakeClient(), [0.0]
        refusals = SessionRefusals(client, lambda: now[0])
        headers = (session(),)
        request = Request(head=RequestHead(method="GET", target="/", headers=headers))

        def answer(request: Request) -> Answer:
            return Answer(status=431 if request.head.headers else 200)

        client.answer = answer
        async with refusals.exchange(request, UPSTREAM, deadline=None) as response:
            assert response.head.status == 200
        assert refusals.spare(UPSTREAM, headers) == ()
        now[0] = 3_601.0
        assert refusals.spare(UPSTREAM, headers) == headers

    async def test_nothing_is_tried_twice_where_no_session_is_sent(self) -> None:
        on = level2(ocp_headers=OcpHeaders.IDS)
        on.client.answer = Answer(status=431)
        await call(on)
        assert len(on.client.requests) == 1

    async def test_a_refused_connection_is_let_go_before_the_answer_streams(self) -> None:
        open_now: list[Headers] = []

        class Counting(FakeClient):
            @asynccontextmanager
            async def send(
                self, request: Request, upstream: Upstream, *, deadline: float | None
            ) -> AsyncIterator[Response]:
                async with FakeClient.send(self, request, upstream, deadline=deadline) as answer:
                    open_now.append(request.head.headers)
                    yield answer
                    open_now.remove(request.head.headers)

        client = Counting(answer=self.refusing().client.answer)
        refusals = SessionRefusals(client, lambda: 0.0)
        request = Request(head=RequestHead(method="GET", target="/", headers=(session(),)))
        async with refusals.exchange(request, UPSTREAM, deadline=None) as response:
            assert response.head.status == 200
            assert open_now == [()]
        assert open_now == []
