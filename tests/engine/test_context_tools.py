"""The gateway's own tools for contexts, and the argument that names one."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import replace

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.calls import Text
from gateway.catalog import CONTEXT_ARGUMENT, Catalog
from gateway.catalog.naming import RESERVED
from gateway.context import is_valid_context, read_inbound
from gateway.context.patching import MAX_MEMBER, read_patch
from gateway.engine import CallOutcome, ContextClaim, ToolCall
from gateway.engine.context_additions import ADDITIONS
from gateway.errors import (
    BadRequest,
    ContextRequired,
    GatewayError,
    InvalidArguments,
    PayloadTooLarge,
    StoreBusy,
    StoreUnavailable,
    UnknownApi,
    UnknownContext,
    UnknownTool,
    VersionConflict,
)
from gateway.interfaces import Change
from gateway.messages import Headers, header
from gateway.policy import ANONYMOUS, Principal
from tests.support.contexts import delete
from tests.support.engine import Stage, publishing_stage, stage
from tests.support.tools import DONE, TEXT, api_of, parameter

ID, OTHER = "ocp-00000001", "ocp-00000002"
CREATE, GET, UPDATE = "ocpContextCreate", "ocpContextGet", "ocpContextUpdate"
NOBODY = ContextClaim()


async def call(
    on: Stage,
    name: str,
    arguments: Mapping[str, object] | None = None,
    *,
    claim: ContextClaim = NOBODY,
    api: str | None = None,
    principal: Principal = ANONYMOUS,
) -> CallOutcome:
    return await on.gateway.call_tool(
        ToolCall(name=name, arguments=arguments or {}, principal=principal, claim=claim, api=api)
    )


def claim_of(*headers: tuple[str, str]) -> ContextClaim:
    return ContextClaim(inbound=read_inbound(headers))


def shown(outcome: CallOutcome) -> dict[str, object]:
    """What the result holds, which its first text says as well."""
    assert outcome.result.structured is not None
    value = outcome.result.structured.value
    assert isinstance(value, dict)
    text = outcome.result.content[0]
    assert isinstance(text, Text)
    assert json.loads(text.text) == value
    return value


async def start(on: Stage, **arguments: object) -> str:
    return (await call(on, CREATE, arguments)).context_id


class TestCreate:
    async def test_a_context_is_there_with_what_was_said_and_the_call_itself(self) -> None:
        on = publishing_stage()
        outcome = await call(on, CREATE, {"current_goal": "ship", "recent_changes": ["one"]})

        context = await on.context(outcome.context_id)
        assert context is not None
        assert (context.current_goal, context.recent_changes) == ("ship", ("one",))
        assert await on.entries(outcome.context_id) == [(f"tool_call:{CREATE}", None, "done")]
        assert context.session is not None
        assert context.session.interaction_count == 1
        assert shown(outcome)["context_id"] == outcome.context_id
        assert CONTEXT_ARGUMENT in str(shown(outcome)["next"])
        assert outcome.recorded

    async def test_it_is_always_a_new_one_and_says_who_comes_before_it(self) -> None:
        on = publishing_stage()
        claim = claim_of(("OCP-Context-ID", ID), ("OCP-Current-Goal", "that one's"))
        outcome = await call(on, CREATE, claim=claim)

        assert outcome.context_id != ID
        assert ID in str(shown(outcome)["next"])
        made = await on.context(outcome.context_id)
        assert made is not None
        assert made.current_goal is None
        assert await on.context(ID) is None

    async def test_headers_that_name_no_context_are_about_the_new_one(self) -> None:
        on = publishing_stage()
        claim = replace(
            claim_of(("OCP-User", "ann"), ("OCP-Current-Goal", "old")), agent_hint="Some IDE"
        )
        outcome = await call(on, CREATE, {"current_goal": "new"}, claim=claim)

        made = await on.context(outcome.context_id)
        assert made is not None
        assert (made.user, made.current_goal, made.agent_type) == ("ann", "new", "SomeIDE")

    async def test_without_a_store_there_is_none(self) -> None:
        on = publishing_stage()
        on.store.refusal = StoreUnavailable("full")

        with pytest.raises(StoreUnavailable):
            await call(on, CREATE)


class TestUpdate:
    async def test_members_are_set_and_null_erases(self) -> None:
        on = publishing_stage()
        context_id = await start(on, current_goal="ship", user="ann")
        outcome = await call(
            on, UPDATE, {CONTEXT_ARGUMENT: context_id, "current_goal": None, "workspace": "w"}
        )

        context = await on.context(context_id)
        assert context is not None
        assert (context.current_goal, context.user, context.workspace) == (None, "ann", "w")
        assert shown(outcome) == {
            "context_id": context_id,
            "updated": ["current_goal", "workspace"],
        }
        assert [entry[0] for entry in await on.entries(context_id)] == [
            f"tool_call:{CREATE}",
            f"tool_call:{UPDATE}",
        ]

    async def test_a_conversation_s_first_word_may_be_its_goal(self) -> None:
        on = publishing_stage()
        outcome = await call(on, UPDATE, {"current_goal": "g"}, claim=ContextClaim(ambient_id=ID))

        context = await on.context(ID)
        assert context is not None
        assert (outcome.context_id, context.current_goal) == (ID, "g")

    async def test_what_is_set_comes_after_what_the_headers_say(self) -> None:
        on = publishing_stage()
        claim = claim_of(("OCP-Context-ID", ID), ("OCP-Current-Goal", "header"))
        await call(on, UPDATE, {"current_goal": "argument"}, claim=claim)

        context = await on.context(ID)
        assert context is not None
        assert context.current_goal == "argument"

    async def test_nothing_is_recorded_of_what_does_not_fit(self) -> None:
        on = publishing_stage()
        specs = {"a": "urn:" + "x" * (MAX_MEMBER // 2)}
        context_id = await start(on, api_specs=specs)

        with pytest.raises(InvalidArguments) as refusal:
            await call(on, UPDATE, {CONTEXT_ARGUMENT: context_id, "api_specs": {"b": specs["a"]}})

        assert [fault.pointer for fault in refusal.value.faults] == ["/api_specs"]
        assert refusal.value.context_id == context_id
        assert len(await on.entries(context_id)) == 1

    async def test_updates_at_once_lose_nothing(self) -> None:
        on = publishing_stage()
        context_id = await start(on)
        async with asyncio.TaskGroup() as group:
            for member in ("current_goal", "context_summary", "user"):
                arguments = {CONTEXT_ARGUMENT: context_id, member: "set"}
                group.create_task(call(on, UPDATE, arguments))

        context = await on.context(context_id)
        assert context is not None
        assert (context.current_goal, context.context_summary, context.user) == ("set",) * 3
        assert len(context.history) == 4


class TestGet:
    async def test_the_object_is_shown_with_its_calls(self) -> None:
        on = publishing_stage()
        context_id = await start(on, current_goal="ship")
        await call(on, "getItem", {"id": "7", CONTEXT_ARGUMENT: context_id})
        outcome = await call(on, GET, {CONTEXT_ARGUMENT: context_id})

        value = shown(outcome)
        assert value["current_goal"] == "ship"
        history = value["history"]
        assert isinstance(history, list)
        assert [entry["action"] for entry in history] == [
            f"tool_call:{CREATE}",
            "tool_call:getItem",
        ]
        assert outcome.context_id == context_id
        assert (await on.entries(context_id))[-1] == (f"tool_call:{GET}", None, "done")

    @pytest.mark.parametrize(("limit", "left"), [(1, 1), (2.0, 2), (0, 0), (None, 3)], ids=str)
    async def test_a_long_history_is_cut_from_its_beginning(self, limit: object, left: int) -> None:
        on = publishing_stage()
        context_id = await start(on)
        for _ in range(2):
            await call(on, "listItems", {CONTEXT_ARGUMENT: context_id})
        outcome = await call(on, GET, {CONTEXT_ARGUMENT: context_id, "historyLimit": limit})

        value = shown(outcome)
        history = value["history"]
        assert isinstance(history, list)
        assert [entry["action"] for entry in history] == [
            f"tool_call:{CREATE}",
            *["tool_call:listItems"] * 2,
        ][3 - left :]
        assert len(outcome.result.content) == (1 if left == 3 else 2)
        assert is_valid_context({**value, "context_id": ID})

    async def test_it_starts_nothing(self) -> None:
        on = publishing_stage()
        with pytest.raises(UnknownContext) as refusal:
            await call(on, GET, {CONTEXT_ARGUMENT: ID})

        assert refusal.value.context_id == ID
        assert await on.stored() == ()

    @pytest.mark.parametrize("name", [CREATE, GET, UPDATE])
    async def test_a_refusal_names_a_context_that_is_nobody_s(self, name: str) -> None:
        on = publishing_stage()
        with pytest.raises(GatewayError) as refusal:
            await call(on, name, {"nope": 1})
        assert re.fullmatch("ocp-[0-9a-f]{32}", refusal.value.context_id or "")
        assert await on.stored() == ()

    async def test_another_s_context_is_none(self) -> None:
        on = publishing_stage()
        context_id = await start(on)
        refusals = []
        for unknown in (context_id, ID):
            with pytest.raises(UnknownContext) as refusal:
                await call(
                    on, GET, {CONTEXT_ARGUMENT: unknown}, principal=Principal(name="key:bob")
                )
            refusals.append(str(refusal.value))

        assert refusals[0] == refusals[1]


class TestOfAllThree:
    @pytest.mark.parametrize("name", [GET, UPDATE])
    async def test_a_call_that_names_no_context_is_told_how(self, name: str) -> None:
        on = publishing_stage()
        with pytest.raises(UnknownContext, match=CREATE):
            await call(on, name)

        assert await on.stored() == ()

    @pytest.mark.parametrize(
        ("name", "arguments", "faulty"),
        [
            (CREATE, {CONTEXT_ARGUMENT: ID}, [f"/{CONTEXT_ARGUMENT}"]),
            (CREATE, {"goal": "g", "user": 1}, ["/goal", "/user"]),
            (UPDATE, {CONTEXT_ARGUMENT: "a b", "user": 1}, [f"/{CONTEXT_ARGUMENT}", "/user"]),
            (UPDATE, {CONTEXT_ARGUMENT: ID, "api_specs": {"a": "b"}}, ["/api_specs/a"]),
            (GET, {"historyLimit": -1, "x": 1}, ["/historyLimit", "/x"]),
        ],
        ids=str,
    )
    async def test_every_wrong_argument_is_told(
        self, name: str, arguments: dict[str, object], faulty: list[str]
    ) -> None:
        on = publishing_stage()
        with pytest.raises(InvalidArguments) as refusal:
            await call(on, name, arguments)

        assert [fault.pointer for fault in refusal.value.faults] == faulty
        assert on.store.asked == 0

    @pytest.mark.parametrize("name", [CREATE, GET, UPDATE])
    async def test_a_store_that_is_down_is_an_error(self, name: str) -> None:
        on = publishing_stage()
        on.store.up = False

        if name == CREATE:
            on.store.refusal = StoreUnavailable("down")
        with pytest.raises(StoreUnavailable):
            await call(on, name, claim=ContextClaim(ambient_id=ID))

    @pytest.mark.parametrize("name", [CREATE, UPDATE])
    @pytest.mark.parametrize(
        "error",
        [PayloadTooLarge("too large"), VersionConflict("another has begun"), StoreBusy("busy")],
        ids=lambda error: type(error).__name__,
    )
    async def test_what_cannot_be_stored_says_why(self, name: str, error: GatewayError) -> None:
        on = publishing_stage()
        on.store.refusal = error
        with pytest.raises(type(error)) as refusal:
            await call(on, name, claim=ContextClaim(ambient_id=ID))

        assert refusal.value is error

    async def test_an_update_of_what_is_deleted_meanwhile_is_told(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        on = publishing_stage()
        context_id = await start(on)
        update = on.store.inner.update

        async def delete_first(principal: Principal, context_id: str, change: Change) -> object:
            await update(principal, context_id, delete())
            return await update(principal, context_id, change)

        monkeypatch.setattr(
            on.store.inner, "update", lambda p, i, change, **_: delete_first(p, i, change)
        )
        with pytest.raises(UnknownContext):
            await call(on, UPDATE, {CONTEXT_ARGUMENT: context_id, "user": "x"})

    @pytest.mark.parametrize("name", [CREATE, GET, UPDATE])
    async def test_they_are_there_only_where_they_are_wanted(self, name: str) -> None:
        with pytest.raises(UnknownTool):
            await call(stage(), name)

    async def test_every_view_has_them_and_no_other(self) -> None:
        on = publishing_stage()
        assert (await call(on, CREATE, api="shop")).recorded
        with pytest.raises(UnknownApi):
            await call(on, CREATE, api="nope")

    async def test_there_is_no_request_to_preview(self) -> None:
        with pytest.raises(BadRequest):
            await publishing_stage().gateway.preview_tool(
                ToolCall(name=CREATE, arguments={}, principal=ANONYMOUS)
            )

    def test_their_names_are_reserved(self) -> None:
        assert {tool.name for tool in ADDITIONS.tools} == {CREATE, GET, UPDATE} <= RESERVED

    @pytest.mark.parametrize("tool", ADDITIONS.tools, ids=lambda tool: tool.name)
    def test_their_schemas_are_closed(self, tool: object) -> None:
        schema = tool.input_schema  # type: ignore[attr-defined]
        jsonschema_rs.meta.validate(schema)
        assert schema["additionalProperties"] is False


MEMBER_VALUES = (
    st.none() | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=11) | st.integers()
)


@given(member=st.sampled_from(["current_goal", "user", "recent_changes"]), value=MEMBER_VALUES)
@settings(max_examples=100, deadline=None)
def test_what_the_published_schema_admits_can_be_set(member: str, value: object) -> None:
    (schema,) = (dict(t.input_schema) for t in ADDITIONS.tools if t.name == CREATE)
    try:
        read_patch({member: value})
        settable = True
    except InvalidArguments:
        settable = False

    assert jsonschema_rs.Draft202012Validator(schema).is_valid({member: value}) == settable


class TestTheArgument:
    INBOUND: Headers = (("OCP-Context-ID", "from-header"),)

    @pytest.mark.parametrize(
        ("claim", "expected"),
        [
            (ContextClaim(explicit_id="from-meta"), "from-meta"),
            (claim_of(*INBOUND), "from-header"),
            (ContextClaim(ambient_id="from-session"), ID),
            (NOBODY, ID),
        ],
        ids=["meta", "header", "session", "none"],
    )
    async def test_it_comes_after_the_header_and_before_the_session(
        self, claim: ContextClaim, expected: str
    ) -> None:
        on = publishing_stage()
        outcome = await call(on, "getItem", {"id": "7", CONTEXT_ARGUMENT: ID}, claim=claim)

        assert outcome.context_id == expected
        assert len(await on.entries(expected)) == 1

    async def test_it_does_not_reach_the_api(self) -> None:
        on = publishing_stage()
        await call(on, "listItems", {"q": "x", CONTEXT_ARGUMENT: ID})

        (request,) = on.client.requests
        assert request.head.target == "/v1/items?q=x"
        assert CONTEXT_ARGUMENT not in str(request)
        assert header(on.client.last, "OCP-Context-ID") == ID

    async def test_null_says_nothing(self) -> None:
        on = publishing_stage()
        outcome = await call(on, "getItem", {"id": "7", CONTEXT_ARGUMENT: None})

        assert outcome.context_id.startswith("ocp-")

    @pytest.mark.parametrize("bad", ["", "a b", "a" * 65, 7, ["x"], "x\n"], ids=repr)
    async def test_one_that_is_no_id_is_a_fault_among_the_others(self, bad: object) -> None:
        on = publishing_stage()
        with pytest.raises(InvalidArguments) as refusal:
            await call(on, "getItem", {"id": 7, "nope": 1, CONTEXT_ARGUMENT: bad})

        assert {f.pointer for f in refusal.value.faults} == {
            f"/{CONTEXT_ARGUMENT}",
            "/id",
            "/nope",
        }
        assert not on.client.requests
        with pytest.raises(InvalidArguments) as alone:
            await call(on, "getItem", {"id": "7", CONTEXT_ARGUMENT: bad})
        assert [f.pointer for f in alone.value.faults] == [f"/{CONTEXT_ARGUMENT}"]

    async def test_a_refused_call_names_the_context_that_it_named(self) -> None:
        with pytest.raises(InvalidArguments) as refusal:
            await call(publishing_stage(), "getItem", {CONTEXT_ARGUMENT: ID})

        assert refusal.value.context_id == ID

    async def test_it_is_unknown_where_it_is_not_published(self) -> None:
        with pytest.raises(InvalidArguments) as refusal:
            await call(stage(), "getItem", {"id": "7", CONTEXT_ARGUMENT: ID})

        assert [f.pointer for f in refusal.value.faults] == [f"/{CONTEXT_ARGUMENT}"]

    async def test_a_tool_s_own_argument_of_that_name_goes_to_the_api(self) -> None:
        own = {"get": {"operationId": "own", "responses": DONE}}
        place = {"parameters": [parameter(CONTEXT_ARGUMENT, "query", TEXT)], **own}
        on = publishing_stage()
        on.gateway.catalog = Catalog([api_of({"/own": place}, name="shop")])
        outcome = await call(on, "own", {CONTEXT_ARGUMENT: ID})

        assert outcome.context_id != ID
        assert on.client.requests[-1].head.target == f"/v1/own?{CONTEXT_ARGUMENT}={ID}"

    async def test_it_is_a_context_where_one_is_required(self) -> None:
        strict = {
            "operationId": "strict",
            "responses": DONE,
            "x-ocp-context": {"requires_context": True},
        }
        on = publishing_stage()
        on.gateway.catalog = Catalog([api_of({"/strict": {"get": strict}}, name="shop")])

        assert (await call(on, "strict", {CONTEXT_ARGUMENT: ID})).context_id == ID
        with pytest.raises(ContextRequired):
            await call(on, "strict")
