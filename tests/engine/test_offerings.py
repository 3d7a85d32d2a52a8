"""Resources and prompts: what is read for whom, and what calls that takes."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.calls import Image, Resource, Text
from gateway.catalog import (
    Catalog,
    Declared,
    Prompt,
    PromptArgument,
    PromptMessage,
    ResourcePart,
)
from gateway.context import ContextDraft, ContextPatch
from gateway.engine import (
    ContextClaim,
    Continuation,
    Gateway,
    PromptCall,
    PromptOutcome,
    ResourceCall,
    ResourceOutcome,
    Surroundings,
    ToolCall,
    make_additions,
)
from gateway.errors import (
    ApiUnavailable,
    GatewayError,
    InputRequest,
    InputRequired,
    InvalidArguments,
    SourceFailed,
    UnknownPrompt,
    UnknownResource,
    UnknownTool,
)
from gateway.messages import Request
from gateway.policy import ANONYMOUS, Principal
from gateway.stores import ResultFiles
from tests.support.engine import NOW, UPSTREAM, Answer, FakeClient, Stage, StoreWithSwitch
from tests.support.offerings import ASK, DECLARED, GREET, LOGO, catalog, from_tool

OTHER = Principal(name="other")
CONTEXT = "ocp-00000001"


def stage(declared: Declared = DECLARED, *, found: Catalog | None = None) -> Stage:
    client, store, ticks = FakeClient(), StoreWithSwitch(), count()
    gateway = Gateway(
        catalog=found or catalog(),
        upstreams={
            name: replace(UPSTREAM, name=name, origin=f"http://{name}.test")
            for name in ("shop", "stock")
        },
        store=store,
        client=client,
        surroundings=Surroundings(
            now=lambda: NOW,
            monotonic=lambda: 0.0,
            random_bytes=lambda size: next(ticks).to_bytes(size, "big"),
        ),
        max_history=5,
        additions=make_additions(context_argument=True),
        declared=declared,
    )
    return Stage(gateway=gateway, client=client, store=store)


async def read(
    on: Stage,
    uri: str,
    *,
    principal: Principal = ANONYMOUS,
    api: str | None = None,
    claim: ContextClaim | None = None,
) -> ResourceOutcome:
    return await on.gateway.read_resource(
        ResourceCall(uri=uri, principal=principal, api=api, claim=claim or ContextClaim())
    )


async def prompt(
    on: Stage, name: str = "greet", api: str | None = None, /, **arguments: str
) -> PromptOutcome:
    call = PromptCall(name=name, arguments=arguments, principal=ANONYMOUS, api=api)
    return await on.gateway.get_prompt(call)


def only(outcome: ResourceOutcome) -> Resource:
    (contents,) = outcome.contents
    return contents


def answering(body: bytes, media_type: str = "application/json", status: int = 200) -> Answer:
    return Answer(status=status, headers=(("Content-Type", media_type),), chunks=(body,))


class TestDeclared:
    async def test_a_text_is_a_text_for_everybody(self) -> None:
        outcome = await read(stage(), "test://note")
        assert only(outcome) == Resource(uri="test://note", media_type="text/plain", text="a note")
        assert (outcome.is_private, outcome.context_id) == (False, None)

    async def test_bytes_are_base64(self) -> None:
        found = only(await read(stage(), "test://logo"))
        assert (found.media_type, found.text) == ("image/png", None)
        assert b64decode(found.blob or "") == LOGO.data

    async def test_a_text_type_that_lies_is_base64_too(self) -> None:
        wrong = replace(LOGO, media_type="text/plain")
        assert only(await read(stage(Declared(resources=(wrong,))), wrong.uri)).blob

    async def test_a_tool_is_called_with_typed_variables_and_recorded(self) -> None:
        on = stage()
        on.client.answer = answering(b'{"id": 7}', "application/json; charset=utf-8")
        outcome = await read(on, "test://items/7", claim=ContextClaim(explicit_id=CONTEXT))

        assert only(outcome).media_type == "application/json"
        assert only(outcome).text == '{"id": 7}'
        assert on.client.requests[0].head.target == "/v1/items/7"
        assert await on.entries(CONTEXT) == [("tool_call:getItem", "GET /items/{id}", "HTTP 200")]
        assert (outcome.is_private, outcome.context_id, outcome.recorded) == (True, CONTEXT, True)

    async def test_the_declared_media_type_wins(self) -> None:
        declared = from_tool("x", "test://x", "listItems", media_type="text/csv")
        on = stage(Declared(resources=(declared,)))
        assert only(await read(on, "test://x")).media_type == "text/csv"

    async def test_an_image_is_base64(self) -> None:
        on = stage()
        on.client.answer = answering(b"\x89PNG", "image/png")
        found = only(await read(on, "test://items"))
        assert (found.media_type, found.blob) == ("image/png", b64encode(b"\x89PNG").decode())

    async def test_other_bytes_have_the_uri_that_was_read(self) -> None:
        on = stage()
        on.client.answer = answering(b"%PDF", "application/pdf")
        found = only(await read(on, "test://items"))
        assert (found.uri, found.media_type) == ("test://items", "application/pdf")

    async def test_a_hidden_tool_serves_the_resource_and_nobody_else(self) -> None:
        on = stage()
        await read(on, "test://peek/%C3%A9%2F")
        assert on.client.requests[0].head.target == "/v1/secret/%C3%A9%2F"
        with pytest.raises(UnknownTool):
            await on.gateway.call_tool(
                ToolCall(name="peek", arguments={"name": "x"}, principal=ANONYMOUS)
            )

    @pytest.mark.parametrize("status", [404, 410])
    async def test_what_the_api_does_not_have_is_not_there(self, status: int) -> None:
        on = stage()
        on.client.answer = answering(b"{}", status=status)
        with pytest.raises(UnknownResource) as caught:
            await read(on, "test://items/9")
        assert caught.value.uri == "test://items/9"

    async def test_any_other_failure_says_what_a_model_would_be_told(self) -> None:
        on = stage()
        on.client.answer = answering(b'{"why": "tired"}', status=503)
        with pytest.raises(SourceFailed, match=r"(?s)HTTP 503 from GET /items.*tired"):
            await read(on, "test://items")

    async def test_a_variable_of_the_wrong_type_sends_nothing(self) -> None:
        on = stage()
        with pytest.raises(InvalidArguments, match="/id"):
            await read(on, "test://items/seven")
        assert not on.client.requests

    @pytest.mark.parametrize(
        ("tool", "reason"),
        [("nope", "there is no tool"), ("addItem", "must change nothing"), ("getItem", "gives")],
    )
    async def test_what_cannot_work_says_why(self, tool: str, reason: str) -> None:
        on = stage(Declared(resources=(from_tool("x", "test://x", tool),)))
        with pytest.raises(SourceFailed, match=reason):
            await read(on, "test://x")
        assert not on.client.requests

    @pytest.mark.parametrize("uri", ["", "test://other", "test://items/7/8", "TEST://note"])
    async def test_anything_else_is_unknown(self, uri: str) -> None:
        with pytest.raises(UnknownResource):
            await read(stage(), uri)

    async def test_the_door_of_one_api_reads_what_is_its_own(self) -> None:
        on = stage()
        await read(on, "test://stock", api="stock")
        with pytest.raises(UnknownResource):
            await read(on, "test://items", api="stock")
        assert len(on.client.requests) == 1

    async def test_a_new_catalog_counts_at_once(self) -> None:
        on = stage(found=Catalog([catalog().apis["shop"]]))
        with pytest.raises(SourceFailed):
            await read(on, "test://stock")
        on.gateway.admit(catalog(), replace(UPSTREAM, name="stock"))
        await read(on, "test://stock")
        assert [o.uri for o in on.gateway.offerings("stock").resources][-2] == "test://stock"

    async def test_answers_to_its_questions_reach_the_tool(self) -> None:
        on, seen = stage(), []
        call_tool = on.gateway.call_tool

        async def watched(call: ToolCall) -> object:
            seen.append(call)
            return await call_tool(call)

        on.gateway.call_tool = watched  # type: ignore[method-assign,assignment]
        going_on = Continuation(responses={"a": {}}, state={"stage": "x"})
        await on.gateway.read_resource(
            ResourceCall(
                uri="test://items",
                principal=ANONYMOUS,
                abilities=frozenset({"sampling"}),
                trace=(("traceparent", "00"),),
                headers=(("X-A", "1"),),
                continuation=going_on,
            )
        )
        (call,) = seen
        assert (call.continuation, call.abilities) == (going_on, frozenset({"sampling"}))
        assert (call.trace, call.headers) == ((("traceparent", "00"),), (("X-A", "1"),))


PIECES = (
    *("gateway://", "test://", "apis/", "tools/", "contexts/", "results/", "items/", "shop"),
    *("openapi", "?start=", "length=", "&", "%", "%00", "%FF", "0" * 32, "9" * 15, "\ud800"),
)
URIS = st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


@settings(max_examples=300)
@given(URIS)
def test_any_uri_gives_contents_or_an_error_of_ours(uri: str) -> None:
    with suppress(GatewayError):
        assert asyncio.run(read(stage(), uri)).contents


class TestOwn:
    async def test_the_description_of_an_api_is_json(self) -> None:
        outcome = await read(stage(), "gateway://apis/shop/openapi")
        found = only(outcome)
        assert found.media_type == "application/json"
        assert "/items/{id}" in json.loads(found.text or "")["paths"]
        assert not outcome.is_private

    async def test_a_large_one_is_an_excerpt_and_says_so(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gateway.engine.own_resources.description_text", lambda _: (
            b'{"a":"' + "é".encode() * 40_000, False))  # fmt: skip
        found = only(await read(stage(), "gateway://apis/shop/openapi"))
        text = found.text or ""
        assert found.media_type == "text/plain"
        assert text.startswith("[Excerpt: the first 65,536 bytes of a larger description")
        assert text.endswith("é\n[Cut here. gateway://tools/{name} documents each tool.]")

    @pytest.mark.parametrize(
        ("api", "uri"),
        [(None, "gateway://apis/nope/openapi"), ("stock", "gateway://apis/shop/openapi")],
        ids=["no such one", "another's door"],
    )
    async def test_another_api_is_unknown(self, api: str | None, uri: str) -> None:
        with pytest.raises(UnknownResource):
            await read(stage(), uri, api=api)

    async def test_an_api_that_is_not_loaded_is_not_available(self) -> None:
        on = stage(found=Catalog([catalog().apis["shop"]]))
        with pytest.raises(ApiUnavailable):
            await read(on, "gateway://apis/stock/openapi")

    @pytest.mark.parametrize("name", ["getItem", "shopGetItem"])
    async def test_a_tool_has_a_page_under_each_of_its_names(self, name: str) -> None:
        found = only(await read(stage(), f"gateway://tools/{name}"))
        assert found.media_type == "text/markdown"
        assert (found.text or "").startswith("# getItem\n")
        assert "ocpContextId" in (found.text or "")

    async def test_so_have_our_own(self) -> None:
        found = only(await read(stage(), "gateway://tools/ocpContextGet"))
        assert (found.text or "").startswith("# ocpContextGet\n")

    @pytest.mark.parametrize("name", ["nope", "ask"])
    async def test_no_tool_has_no_page(self, name: str) -> None:
        with pytest.raises(UnknownResource):
            await read(stage(), f"gateway://tools/{name}")

    async def test_a_context_is_its_owner_s(self) -> None:
        on = stage()
        draft = ContextDraft(context_id=CONTEXT, patch=ContextPatch())
        await on.gateway.contexts.create(ANONYMOUS, draft, agent_type="tester")
        outcome = await read(on, f"gateway://contexts/{CONTEXT}")
        assert json.loads(only(outcome).text or "")["context_id"] == CONTEXT
        assert outcome.is_private
        with pytest.raises(UnknownResource):
            await read(on, f"gateway://contexts/{CONTEXT}", principal=OTHER)

    @pytest.mark.parametrize("context_id", ["ocp-99", "a%20b", "%C3%A9", "x" * 65])
    async def test_no_context_is_none(self, context_id: str) -> None:
        on = stage()
        with pytest.raises(UnknownResource):
            await read(on, f"gateway://contexts/{context_id}")
        # What no context can be called is not looked for.
        assert on.store.asked == (context_id == "ocp-99")

    async def test_the_request_s_own_context_is_there_before_its_first_call(self) -> None:
        on = stage()
        claim = ContextClaim(ambient_id=CONTEXT, agent_hint="My IDE")
        fresh = json.loads(only(await read(on, "gateway://context", claim=claim)).text or "")
        assert (fresh["context_id"], fresh["history"]) == (CONTEXT, [])
        assert not await on.stored()

        await read(on, "test://items", claim=claim)
        used = json.loads(only(await read(on, "gateway://context", claim=claim)).text or "")
        assert [entry["action"] for entry in used["history"]] == ["tool_call:listItems"]

    async def test_a_request_without_a_context_has_none(self) -> None:
        with pytest.raises(UnknownResource):
            await read(stage(), "gateway://context")


class TestLargeResults:
    BODY = "é".encode() * 100_000

    @asynccontextmanager
    async def kept(self, body: bytes, media_type: str) -> AsyncIterator[tuple[Stage, str]]:
        """A stage, and the handle of what a tool has just answered."""
        on = stage()
        on.gateway.upstreams = {
            name: replace(upstream, max_response_bytes=1_000)
            for name, upstream in on.gateway.upstreams.items()
        }
        on.gateway.keep_results(ResultFiles(), url=None)
        on.client.answer = answering(body, media_type)
        call = ToolCall(name="listItems", arguments={}, principal=ANONYMOUS)
        result = (await on.gateway.call_tool(call)).result
        assert result.rest is not None
        (text,) = result.content
        assert isinstance(text, Text)
        assert f"the MCP resource gateway://results/{result.rest.handle}" in text.text
        assert "GET " not in text.text.rpartition("\n")[2]
        yield on, result.rest.handle
        await on.gateway.aclose()

    async def test_text_is_read_in_whole_characters(self) -> None:
        async with self.kept(self.BODY, "text/plain; charset=utf-8") as (on, handle):
            outcome = await read(on, f"gateway://results/{handle}?length=7")
            assert only(outcome).text == "ééé"
            assert outcome.rest is not None
            assert (outcome.rest.start, outcome.rest.size) == (6, 200_000)
            assert outcome.is_private

    async def test_it_goes_on_to_the_end(self) -> None:
        async with self.kept(self.BODY, "text/plain") as (on, handle):
            start, parts = 0, []
            for _ in range(3):
                outcome = await read(on, f"gateway://results/{handle}?start={start}&length=65535")
                parts.append(only(outcome).text or "")
                assert outcome.rest is not None
                start = outcome.rest.start
            last = await read(on, f"gateway://results/{handle}?start={start}&length=65535")
            assert "".join((*parts, only(last).text or "")).encode() == self.BODY
            assert last.rest is None

    async def test_only_the_beginning_says_what_the_whole_is_written_in(self) -> None:
        quoted = '<?xml version="1.0" encoding="iso-8859-1"?>é'
        body = b"x" * 2_000 + quoted.encode() + b"x" * 2_000
        async with self.kept(body, "text/plain") as (on, handle):
            outcome = await read(on, f"gateway://results/{handle}?start=2000&length=45")
            assert only(outcome).text == quoted

    async def test_bytes_are_base64(self) -> None:
        async with self.kept(bytes(range(256)) * 20, "application/pdf") as (on, handle):
            outcome = await read(on, f"gateway://results/{handle}?start=254&length=4")
            assert b64decode(only(outcome).blob or "") == b"\xfe\xff\x00\x01"

    async def test_what_is_asked_for_in_one_piece_has_a_bound(self) -> None:
        async with self.kept(bytes(2_000_000), "application/pdf") as (on, handle):
            outcome = await read(on, f"gateway://results/{handle}?length=1999999")
            assert len(b64decode(only(outcome).blob or "")) == 1_048_576

    async def test_behind_the_end_there_is_nothing_and_no_error(self) -> None:
        async with self.kept(self.BODY, "text/plain") as (on, handle):
            outcome = await read(on, f"gateway://results/{handle}?start=999999")
            assert (only(outcome).text, outcome.rest) == ("", None)

    async def test_it_is_the_caller_s_alone(self) -> None:
        async with self.kept(self.BODY, "text/plain") as (on, handle):
            with pytest.raises(UnknownResource):
                await read(on, f"gateway://results/{handle}", principal=OTHER)

    async def test_a_resource_s_own_excerpt_says_where_it_goes_on(self) -> None:
        async with self.kept(self.BODY, "application/json") as (on, _):
            outcome = await read(on, "test://items")
            assert only(outcome).media_type == "text/plain"
            assert outcome.rest is not None


class TestPrompts:
    async def test_its_texts_are_filled_in_and_its_resources_read(self) -> None:
        outcome = await prompt(stage(), who="{{uri}}", uri="test://note")
        note = Resource(uri="test://note", media_type="text/plain", text="a note")
        assert outcome.messages == (("user", Text(text="Hello {{uri}}")), ("assistant", note))
        assert (outcome.description, outcome.context_id) == (GREET.description, None)

    async def test_a_resource_that_is_not_offered_is_unknown(self) -> None:
        for uri in ("http://shop.test/items", "file:///etc/passwd", ""):
            with pytest.raises(UnknownResource):
                await prompt(stage(), who="x", uri=uri)

    async def test_its_tool_gets_the_arguments_that_it_has(self) -> None:
        on = stage()
        on.client.answer = answering(b"\x89PNG", "image/png")
        outcome = await prompt(on, "ask", name="a/b", mood="good", other="x")
        assert on.client.requests[0].head.target == "/v1/secret/a%2Fb"
        image = Image(data=b64encode(b"\x89PNG").decode(), media_type="image/png")
        assert outcome.messages == (("user", Text(text="So:")), ("assistant", image))
        (context,) = await on.stored()
        assert outcome.context_id == context.context_id

    async def test_a_tool_that_fails_fails_the_prompt(self) -> None:
        on = stage()
        on.client.answer = answering(b"no", "text/plain", status=500)
        with pytest.raises(SourceFailed, match="HTTP 500 from POST"):
            await prompt(on, "ask", name="x")

    @pytest.mark.parametrize(
        ("given", "pointer"),
        [({}, "/who"), ({"who": "x" * 65_537}, "/who"), ({"who": "", "uri": "x" * 70_000}, "/uri")],
        ids=["missing", "endless", "endless and optional"],
    )
    async def test_bad_arguments_are_named(self, given: Mapping[str, str], pointer: str) -> None:
        with pytest.raises(InvalidArguments) as caught:
            await prompt(stage(), **given)
        assert [fault.pointer for fault in caught.value.faults] == [pointer]

    async def test_an_unknown_prompt_is_unknown(self) -> None:
        for name, api in (("nope", None), ("ask", "stock")):
            with pytest.raises(UnknownPrompt):
                await prompt(stage(), name, api)

    async def test_a_tool_that_is_gone_is_said_to_be_so(self) -> None:
        on = stage(found=Catalog([catalog().apis["stock"]]))
        with pytest.raises(SourceFailed, match="there is no tool 'ask'"):
            await prompt(on, "ask", name="x")

    async def test_what_asks_has_been_asked_before_anything_is_done_twice(self) -> None:
        """A round that ends in a question is made again: the reads before it are, too."""
        on, order = stage(_both()), []

        def answer(request: Request) -> Answer:
            order.append(request.head.method)
            return Answer()

        on.client.answer = answer
        await prompt(on, "both", name="x")
        assert order == ["GET", "POST"]

    async def test_a_question_of_a_resource_is_none_of_the_prompt_s(self) -> None:
        on = stage()

        async def asks(call: ToolCall) -> object:
            assert (call.abilities, call.continuation) == (frozenset(), None)
            raise _asking()

        on.gateway.call_tool = asks  # type: ignore[method-assign,assignment]
        call = PromptCall(
            name="greet",
            arguments={"who": "x", "uri": "test://items"},
            principal=ANONYMOUS,
            abilities=frozenset({"elicitation.form"}),
            continuation=Continuation(responses={}),
        )
        with pytest.raises(SourceFailed, match="read it first"):
            await on.gateway.get_prompt(call)

    async def test_a_question_of_its_tool_is_the_prompt_s(self) -> None:
        on, going_on = stage(), Continuation(responses={"a": {}}, state=None)

        async def asks(call: ToolCall) -> object:
            assert (call.abilities, call.continuation) == (frozenset({"roots"}), going_on)
            raise _asking()

        on.gateway.call_tool = asks  # type: ignore[method-assign,assignment]
        call = PromptCall(
            name="ask",
            arguments={"name": "x"},
            principal=ANONYMOUS,
            abilities=frozenset({"roots"}),
            continuation=going_on,
        )
        with pytest.raises(type(_asking())):
            await on.gateway.get_prompt(call)


def _asking() -> GatewayError:
    return InputRequired({"a": InputRequest(method="roots/list", params={})})


def _both() -> Declared:
    read_first = PromptMessage(role="user", part=ResourcePart(uri="test://items"))
    both = Prompt(
        name="both",
        description="",
        arguments=(PromptArgument(name="name"),),
        messages=(*ASK.messages, read_first),
    )
    return Declared(resources=DECLARED.resources, prompts=(both,))
