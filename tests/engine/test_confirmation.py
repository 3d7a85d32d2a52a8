"""Calls that somebody has to consent to, and arguments that somebody is asked for."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from gateway.calls import target_digest
from gateway.catalog import Catalog, ToolOverride
from gateway.context import InboundContext, read_inbound
from gateway.engine import ContextClaim, Continuation, Gateway, ProxiedRequest
from gateway.errors import ConfirmationRequired, ContextRequired, InputRequired, InvalidArguments
from gateway.messages import Headers, Request, RequestHead, header
from gateway.policy import ANONYMOUS
from gateway.upstreams import ProxyReach
from tests.support.asking import (
    Dialogue,
    accept,
    asks,
    call_of,
    dialogue,
    envelope,
    form,
)
from tests.support.engine import UPSTREAM, Answer, FakeClient, Stage, StoreWithSwitch, gateway_with
from tests.support.tools import TEXT, api_of, parameter

ID = "ocp-00000001"
NAMED = ContextClaim(explicit_id=ID)
ITEM = parameter("id", "path", TEXT)
BODY = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "count": {"type": "integer", "minimum": 1},
        "pin": {"type": "string", "format": "password"},
    },
    "required": ["count", "name"],
}
JSON_BODY = {"required": True, "content": {"application/json": {"schema": BODY}}}
API = api_of(
    {
        "/items/{id}": {
            "parameters": [ITEM],
            "get": {"operationId": "getItem"},
            "delete": {"operationId": "deleteItem"},
            "post": {
                "operationId": "makeItem",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": BODY}},
                },
            },
            "patch": {
                "operationId": "wipeItem",
                "x-mcp-annotations": {"destructiveHint": True},
                "x-ocp-context": {"requires_context": True},
            },
        },
    },
    name="shop",
)
DONE = {"type": "result", "json": {"done": True}}


def staged(
    *answers: Answer,
    confirm: Mapping[str, bool | None] | None = None,
    destructive: bool = False,
    **changes: object,
) -> Stage:
    client, store = FakeClient(), StoreWithSwitch()
    left = list(answers)
    client.answer = lambda _: left.pop(0) if left else Answer()
    upstreams = {"shop": replace(UPSTREAM, **changes)}  # type: ignore[arg-type]
    gateway = gateway_with(client, store, upstreams, confirm_destructive=destructive)
    tools = {
        name: replace(API.tools[name], override=ToolOverride(confirm=value))
        for name, value in (confirm or {}).items()
    }
    gateway.catalog = Catalog([replace(API, tools={**API.tools, **tools})])
    return Stage(gateway=gateway, client=client, store=store)


async def delete(on: Stage, **changes: object) -> Dialogue:
    return await dialogue(on.gateway, call_of("deleteItem", {"id": "7"}, claim=NAMED, **changes))


CONFIRMED = {"deleteItem": True}


class TestAskingFirst:
    async def test_a_yes_sends_it(self) -> None:
        on = staged(confirm=CONFIRMED)
        talk = await delete(on)
        assert talk.required is not None
        assert talk.required.context_id == ID
        assert set(talk.required.requests) == {"confirm"}
        assert on.client.requests == []

        await talk.answer(confirm=accept(confirm=True))

        assert talk.text == "{}"
        assert [r.head.target for r in on.client.requests] == ["/v1/items/7"]
        assert await on.entries(ID) == [("tool_call:deleteItem", "DELETE /items/{id}", "HTTP 200")]

    @pytest.mark.parametrize(
        "answer",
        [
            {"action": "decline"},
            {"action": "cancel"},
            accept(confirm=False),
            accept(confirm="true"),
            accept(confirm=1),
            accept(),
            {"action": "accept"},
            {"action": "accept", "content": [True]},
            {"action": "decline", "content": {"confirm": True}},
        ],
        ids=str,
    )
    async def test_anything_else_does_not(self, answer: object) -> None:
        on = staged(confirm=CONFIRMED)
        talk = await delete(on)
        await talk.answer(confirm=answer)
        assert talk.outcome is not None
        assert talk.outcome.result.is_error
        assert talk.outcome.context_id == ID
        assert talk.text == "The call of deleteItem was not confirmed: nothing was sent."
        assert on.client.requests == []
        assert await on.stored() == ()

    @pytest.mark.parametrize("responses", [{}, {"other": accept(confirm=True)}, {"confirm": 1}])
    async def test_no_answer_is_asked_for_again_eight_times_in_all(
        self, responses: dict[str, object]
    ) -> None:
        on = staged(confirm=CONFIRMED)
        talk = await delete(on)
        for _ in range(8):
            assert talk.required is not None
            await talk.answer(**responses)
        assert talk.text == "Nobody answered whether to call deleteItem: nothing was sent."
        assert on.client.requests == []

    async def test_an_answer_alone_is_no_consent(self) -> None:
        on = staged(confirm=CONFIRMED)
        bare = Continuation(responses={"confirm": accept(confirm=True)})
        assert (await delete(on, continuation=bare)).required is not None
        assert on.client.requests == []

    async def test_consent_to_other_arguments_is_none(self) -> None:
        on = staged(confirm=CONFIRMED)
        talk = await delete(on)
        talk.call = replace(talk.call, arguments={"id": "8"})
        await talk.answer(confirm=accept(confirm=True))
        assert talk.required is not None
        assert on.client.requests == []

    async def test_nor_is_consent_to_a_tool_that_was_another(self) -> None:
        on = staged(confirm=CONFIRMED)
        talk = await delete(on)
        changed = ToolOverride(confirm=True, description="Something else")
        tool = replace(API.tools["deleteItem"], override=changed)
        on.gateway.catalog = Catalog([replace(API, tools={"deleteItem": tool})])
        await talk.answer(confirm=accept(confirm=True))
        assert talk.required is not None

    async def test_bad_arguments_are_refused_before_anybody_is_asked(self) -> None:
        on = staged(confirm=CONFIRMED)
        with pytest.raises(InvalidArguments):
            await dialogue(on.gateway, call_of("deleteItem", {}))

    async def test_so_is_a_call_without_the_context_that_it_needs(self) -> None:
        on = staged(confirm={"wipeItem": True})
        with pytest.raises(ContextRequired):
            await dialogue(on.gateway, call_of("wipeItem", {"id": "7"}))

    async def test_a_preview_asks_nobody(self) -> None:
        on = staged(confirm=CONFIRMED)
        preview = await on.gateway.preview_tool(call_of("deleteItem", {"id": "7"}))
        assert preview.method == "DELETE"

    async def test_a_context_that_nobody_named_is_told(self) -> None:
        on = staged(confirm=CONFIRMED)
        talk = await dialogue(on.gateway, call_of("deleteItem", {"id": "7"}))
        assert talk.required is not None
        assert str(talk.required.context_id).startswith("ocp-")


class TestWhoCannotBeAsked:
    async def test_gets_the_digest_to_consent_by(self) -> None:
        on = staged(confirm=CONFIRMED)
        with pytest.raises(ConfirmationRequired) as caught:
            await delete(on, abilities=frozenset({"sampling"}))
        assert caught.value.missing == {"elicitation.form"}
        assert caught.value.context_id == ID
        assert len(caught.value.digest) == 64
        assert on.client.requests == []

        done = await delete(on, abilities=frozenset(), consent=caught.value.digest)
        assert done.text == "{}"

    async def test_which_is_good_for_these_arguments_only(self) -> None:
        on = staged(confirm=CONFIRMED)
        with pytest.raises(ConfirmationRequired) as caught:
            await delete(on, abilities=frozenset())
        call = call_of("deleteItem", {"id": "8"}, abilities=frozenset())
        with pytest.raises(ConfirmationRequired) as other:
            await on.gateway.call_tool(replace(call, consent=caught.value.digest))
        assert other.value.digest != caught.value.digest


class TestWhichCallsNeedIt:
    @pytest.mark.parametrize(
        ("destructive", "confirm", "asked"),
        [
            (False, {}, set()),
            (True, {}, {"deleteItem", "wipeItem"}),
            (True, {"deleteItem": False, "getItem": True}, {"getItem", "wipeItem"}),
            (False, {"getItem": True}, {"getItem"}),
        ],
        ids=["none", "destructive", "but for one", "one"],
    )
    async def test_by_setting_and_hints(
        self, destructive: bool, confirm: dict[str, bool | None], asked: set[str]
    ) -> None:
        on = staged(confirm=confirm, destructive=destructive)
        found = set()
        for name in ("getItem", "deleteItem", "wipeItem"):
            talk = await dialogue(on.gateway, call_of(name, {"id": "7"}, claim=NAMED))
            found |= {name} if talk.required else set()
        assert found == asked


GIVEN: dict[str, object] = {"id": "7", "name": "Lamp", "count": 2}


async def make(on: Stage, **changes: object) -> Dialogue:
    call = call_of("makeItem", {"id": "7"}, claim=NAMED)
    return await dialogue(on.gateway, replace(call, **changes))  # type: ignore[arg-type]


def faults(error: pytest.ExceptionInfo[InvalidArguments]) -> list[str]:
    return [fault.pointer for fault in error.value.faults]


class TestMissingArguments:
    async def test_are_asked_for_and_sent(self) -> None:
        on = staged(interaction=True)
        talk = await make(on)
        assert talk.required is not None
        schema = talk.required.requests["arguments"].params["requestedSchema"]
        assert isinstance(schema, dict)
        assert schema["properties"] == {"name": TEXT, "count": {"type": "integer", "minimum": 1}}
        assert on.client.requests == []

        await talk.answer(arguments=accept(name="Lamp", count=2, id="9", pin="x"))

        assert talk.text == "{}"
        assert on.client.requests[0].head.target == "/v1/items/7"
        assert on.client.requests[0].body == b'{"count":2,"name":"Lamp"}'

    @pytest.mark.parametrize(
        ("changes", "staging"),
        [
            ({"abilities": frozenset({"elicitation.url"})}, {"interaction": True}),
            ({}, {"interaction": False}),
            ({"arguments": {"id": "7", "nope": 1}}, {"interaction": True}),
            ({"arguments": {"id": 7}}, {"interaction": True}),
        ],
        ids=["cannot be asked", "not agreed", "unknown argument", "wrong type"],
    )
    async def test_where_they_cannot_be_they_are_faults_as_ever(
        self, changes: dict[str, object], staging: dict[str, object]
    ) -> None:
        with pytest.raises(InvalidArguments) as caught:
            await make(staged(**staging), **changes)  # type: ignore[arg-type]
        assert "/name" in faults(caught)

    async def test_a_preview_names_them(self) -> None:
        on = staged(interaction=True)
        with pytest.raises(InvalidArguments):
            await on.gateway.preview_tool(call_of("makeItem", {"id": "7"}))

    @pytest.mark.parametrize(
        ("answer", "missing"),
        [
            ({"action": "decline"}, ["/count", "/name"]),
            ({"action": "cancel"}, ["/count", "/name"]),
            ({"action": "decline", "content": GIVEN}, ["/count", "/name"]),
            (accept(name="Lamp"), ["/count"]),
            (accept(name="Lamp", count="two"), ["/count"]),
            (accept(name="Lamp", count=0), ["/count"]),
            ({"action": "accept"}, ["/count", "/name"]),
            (accept(name="x" * 3000, count=1), [""]),
        ],
        ids=[
            "declined",
            "cancelled",
            "declined with",
            "one left",
            "no number",
            "too small",
            "empty",
            "too long",
        ],
    )
    async def test_answers_that_do_not_help_are_faults(
        self, answer: object, missing: list[str]
    ) -> None:
        on = staged(interaction=True)
        talk = await make(on)
        with pytest.raises(InvalidArguments) as caught:
            await talk.answer(arguments=answer)
        assert faults(caught) == missing
        assert caught.value.context_id == ID
        assert on.client.requests == []

    async def test_no_answer_is_asked_for_again(self) -> None:
        on = staged(interaction=True)
        talk = await make(on)
        for _ in range(7):
            await talk.answer(other=accept(name="x"))
            assert talk.required is not None
        with pytest.raises(InvalidArguments):
            await talk.answer(arguments=None)

    async def test_what_was_not_asked_for_is_not_taken(self) -> None:
        on = staged(interaction=True)
        cold = Continuation(responses={"arguments": accept(name="Lamp", count=2)})
        assert (await make(on, continuation=cold)).required is not None
        assert on.client.requests == []

    async def test_null_is_missing_too(self) -> None:
        on = staged(interaction=True)
        talk = await make(on, arguments={"id": "7", "name": None, "count": 1})
        await talk.answer(arguments=accept(name="Lamp"))
        assert on.client.requests[0].body == b'{"count":1,"name":"Lamp"}'


class TestOneAfterTheOther:
    ASKS = envelope(asks({"why": form()}, state="s"))

    async def test_arguments_then_consent_then_the_api(self) -> None:
        on = staged(self.ASKS, envelope(DONE), confirm={"makeItem": True}, interaction=True)
        talk = await make(on)
        assert talk.required is not None
        assert set(talk.required.requests) == {"arguments"}

        await talk.answer(arguments=accept(name="Lamp", count=2))
        assert talk.required is not None
        assert "Lamp" in str(talk.required.requests["confirm"].params["message"])

        await talk.answer(confirm=accept(confirm=True))
        assert talk.required is not None
        assert set(talk.required.requests) == {"why"}
        assert on.client.requests[0].body == b'{"count":2,"name":"Lamp"}'

        await talk.answer(why=accept(name="x"))
        assert talk.text == '{"done":true}'
        body = on.client.requests[1].body
        assert isinstance(body, bytes)
        assert body.startswith(b'{"type":"continue","body":{"count":2,"name":"Lamp"},"responses":')
        assert b'"state":"s"' in body
        assert len(await on.entries(ID)) == 1

    async def test_what_was_settled_comes_back_even_where_the_api_keeps_nothing(self) -> None:
        asks_plainly = envelope(asks({"why": form()}))
        on = staged(asks_plainly, envelope(DONE), confirm={"makeItem": True}, interaction=True)
        talk = await make(on, arguments=GIVEN)
        await talk.answer(confirm=accept(confirm=True))
        assert talk.required is not None
        assert talk.required.state is not None
        await talk.answer(why=accept(name="x"))
        assert talk.text == '{"done":true}'

    async def test_consent_does_not_outlive_a_change_of_the_arguments(self) -> None:
        on = staged(self.ASKS, envelope(DONE), confirm={"makeItem": True}, interaction=True)
        talk = await make(on, arguments=GIVEN)
        await talk.answer(confirm=accept(confirm=True))
        talk.call = replace(talk.call, arguments={**GIVEN, "count": 3})
        await talk.answer(why=accept(name="x"))
        assert talk.required is not None
        assert set(talk.required.requests) == {"confirm"}

    async def test_the_rounds_are_counted_together(self) -> None:
        answers = [envelope(asks({"why": form()}, state=n)) for n in range(1, 10)]
        on = staged(*answers, confirm={"makeItem": True}, interaction=True)
        talk = await make(on)
        await talk.answer(arguments=accept(name="Lamp", count=2))
        await talk.answer(confirm=accept(confirm=True))
        for _ in range(6):
            assert talk.required is not None
            await talk.answer(why=accept(name="x"))
        assert "asks again after 8 rounds" in talk.text
        assert len(on.client.requests) == 7


async def proxy(
    on: Stage, method: str, target: str, headers: Headers = (), *, gateway: Gateway | None = None
) -> None:
    head = RequestHead(method=method, target=target, headers=headers)
    request = ProxiedRequest(
        api="shop",
        request=Request(head=head),
        principal=ANONYMOUS,
        inbound=read_inbound(headers) if headers else InboundContext(),
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context((gateway or on.gateway).forward(request))


class TestProxied:
    async def test_the_digest_of_what_can_be_known_goes_on(self) -> None:
        on = staged(confirm=CONFIRMED)
        with pytest.raises(ConfirmationRequired) as caught:
            await proxy(on, "DELETE", "/items/7?force=1")
        assert caught.value.digest == target_digest("shop", "DELETE", "/items/7?force=1")
        assert caught.value.context_id is not None
        assert on.client.requests == []

        await proxy(
            on, "DELETE", "/items/7?force=1", (("OCP-Gateway-Confirm", caught.value.digest),)
        )
        assert on.client.requests[0].head.target == "/v1/items/7?force=1"
        assert header(on.client.last, "OCP-Gateway-Confirm") is None

    async def test_consent_to_another_request_is_none(self) -> None:
        on = staged(confirm=CONFIRMED)
        consent = target_digest("shop", "DELETE", "/items/7")
        with pytest.raises(ConfirmationRequired):
            await proxy(on, "DELETE", "/items/8", (("OCP-Gateway-Confirm", consent),))

    async def test_head_asks_for_what_get_does_and_options_only_about_it(self) -> None:
        on = staged(confirm=dict.fromkeys(API.tools, True))
        with pytest.raises(ConfirmationRequired):
            await proxy(on, "HEAD", "/items/7")
        await proxy(on, "OPTIONS", "/items/7")

    async def test_other_operations_are_let_through(self) -> None:
        on = staged(confirm=CONFIRMED, destructive=True)
        await proxy(on, "GET", "/items/7")
        with pytest.raises(ConfirmationRequired):
            await proxy(on, "DELETE", "/items/7")

    async def test_where_every_path_is_open_nobody_is_asked(self) -> None:
        on = staged(confirm=CONFIRMED, proxy=ProxyReach.ANY)
        await proxy(on, "DELETE", "/items/7")
        assert len(on.client.requests) == 1


async def test_a_state_that_does_not_count_asks_no_more() -> None:
    on = staged(confirm=CONFIRMED)
    uncounted = Continuation(responses={}, state={"stage": "confirm"})
    talk = await delete(on, continuation=uncounted)
    assert talk.text.startswith("Nobody answered")


async def test_a_state_of_an_unknown_kind_settles_nothing() -> None:
    on = staged(confirm=CONFIRMED)
    answers = {"confirm": accept(confirm=True)}
    for state in ({"asked": 1}, {"asked": 1, "stage": "lunch", "asking": "0" * 64}):
        odd = Continuation(responses=answers, state=state)
        with pytest.raises(InputRequired):
            await on.gateway.call_tool(call_of("deleteItem", {"id": "7"}, continuation=odd))
    assert on.client.requests == []
