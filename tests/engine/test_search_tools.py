"""Finding, reading and calling tools through the gateway's own three."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.catalog.naming import RESERVED
from gateway.engine import CallOutcome, ContextClaim, ToolCall
from gateway.engine.search_additions import CALL, DESCRIBE, MAX_LIMIT, SEARCH, search_tools
from gateway.errors import BadRequest, Fault, GatewayError, InvalidArguments, UnknownApi
from gateway.mcp import V2026_07_28, describe_all
from gateway.policy import ANONYMOUS
from tests.support.engine import Answer, Stage, publishing_stage, searching_stage, stage

Json = Mapping[str, object]
ID = "ocp-0123456789abcdef0123456789abcdef"
MINTED = re.compile("ocp-[0-9a-f]{32}")


def call_of(name: str, view: str | None = None, /, **arguments: object) -> ToolCall:
    return ToolCall(name=name, arguments=arguments, principal=ANONYMOUS, api=view)


def shown(outcome: CallOutcome) -> dict[str, object]:
    """The structured content, which the text says as well."""
    structured = outcome.result.structured
    assert structured is not None
    assert isinstance(structured.value, dict)
    (text,) = outcome.result.content
    assert json.loads(text.text) == structured.value  # type: ignore[union-attr, arg-type]
    assert not outcome.result.is_error
    return structured.value


async def found(on: Stage, /, **arguments: object) -> dict[str, object]:
    return shown(await on.gateway.call_tool(call_of(SEARCH, **arguments)))


async def faults(on: Stage, call: ToolCall) -> list[Fault]:
    with pytest.raises(InvalidArguments) as caught:
        await on.gateway.call_tool(call)
    assert on.client.requests == []
    return list(caught.value.faults)


class TestSearch:
    async def test_a_question_finds_tools_with_what_a_call_needs(self) -> None:
        answer = await found(searching_stage(), query="the item with an id")
        assert answer["found"] == 3
        assert answer["tools"] == [
            {"name": name, "description": line, "api": "shop", **required}
            for name, line, required in (
                ("getItem", "GET /items/{id}", {"required": ["id"]}),
                ("addItem", "POST /items", {}),
                ("listItems", "GET /items", {}),
            )
        ]

    @pytest.mark.parametrize(("limit", "names"), [(1, 1), (2.0, 2), (MAX_LIMIT, 3), (None, 3)])
    async def test_no_more_than_are_wanted(self, limit: object, names: int) -> None:
        answer = await found(searching_stage(), query="items", limit=limit)
        assert len(answer["tools"]) == names  # type: ignore[arg-type]
        assert answer["found"] == 3

    @pytest.mark.parametrize(
        "arguments", [{}, {"query": ""}, {"query": None}, {"query": "how to"}, {"query": "zebra"}]
    )
    async def test_where_nothing_is_found_there_is_help(self, arguments: Json) -> None:
        answer = await found(searching_stage(), **arguments)
        assert (answer["tools"], answer["found"], answer["apis"]) == ([], 0, {"shop": 3})
        assert "Say what is to be done" in str(answer["hint"])

    async def test_a_view_of_one_api(self) -> None:
        outcome = await searching_stage().gateway.call_tool(
            call_of(SEARCH, "shop", query="items", api="shop")
        )
        assert shown(outcome)["found"] == 3
        with pytest.raises(UnknownApi):
            await searching_stage().gateway.call_tool(call_of(SEARCH, "nobody", query="items"))

    async def test_an_unknown_api_is_a_fault_that_names_those_there_are(self) -> None:
        (fault,) = await faults(searching_stage(), call_of(SEARCH, query="x", api="shp"))
        assert fault.pointer == "/api"
        assert "there are shop" in fault.message


class TestDescribe:
    async def test_one_tool_as_it_would_be_listed(self) -> None:
        on = searching_stage()
        listed = {
            tool["name"]: tool
            for tool in describe_all(on.gateway.view(), V2026_07_28, on.gateway.additions)
        }
        for name in ("getItem", SEARCH):
            outcome = await on.gateway.call_tool(call_of(DESCRIBE, name=name))
            assert shown(outcome) == {"tools": [json.loads(json.dumps(listed[name]))]}

    async def test_several_in_the_order_that_was_asked(self) -> None:
        outcome = await searching_stage().gateway.call_tool(
            call_of(DESCRIBE, name="addItem", names=["listItems", "getItem"])
        )
        tools = shown(outcome)["tools"]
        assert isinstance(tools, list)
        assert [tool["name"] for tool in tools] == ["addItem", "listItems", "getItem"]

    async def test_every_unknown_name_is_named_with_what_is_close(self) -> None:
        unknown = await faults(
            searching_stage(),
            call_of(DESCRIBE, name="getItm", names=["listItems", "itemsReading", "zebra"]),
        )
        told = {fault.pointer: fault.message for fault in unknown}
        assert list(told) == ["/name", "/names/1", "/names/2"]
        assert told["/name"].endswith("did you mean getItem?")
        assert "did you mean " in told["/names/1"]
        assert told["/names/2"].endswith("searchTools finds tools")

    async def test_no_name_at_all(self) -> None:
        assert await faults(searching_stage(), call_of(DESCRIBE)) == [
            Fault(pointer="", message="name, or names, is required")
        ]


class TestCall:
    async def test_it_is_the_call_of_the_other_tool(self) -> None:
        direct, through = searching_stage(), searching_stage()
        for on in (direct, through):
            on.client.answer = Answer(status=404, chunks=(b'{"no":1}',))
        claim = ContextClaim(explicit_id=ID)

        plain = replace(call_of("getItem", id="7"), claim=claim)
        wrapped = replace(call_of(CALL, name="getItem", arguments={"id": "7"}), claim=claim)
        first = await direct.gateway.call_tool(plain)
        second = await through.gateway.call_tool(wrapped)

        assert first == second
        assert second.result.is_error
        assert direct.client.requests == through.client.requests
        assert await direct.entries(ID) == await through.entries(ID)
        assert await through.entries(ID) == [("tool_call:getItem", "GET /items/{id}", "HTTP 404")]

    async def test_without_arguments(self) -> None:
        on = searching_stage()
        await on.gateway.call_tool(call_of(CALL, name="listItems"))
        await on.gateway.call_tool(call_of(CALL, name="listItems", arguments=None))
        assert [request.head.target for request in on.client.requests] == ["/v1/items"] * 2

    async def test_faults_point_into_its_own_arguments(self) -> None:
        assert [
            fault.pointer
            for fault in await faults(
                searching_stage(), call_of(CALL, name="getItem", arguments={"idd": 1})
            )
        ] == ["/arguments/id", "/arguments/idd"]

    @pytest.mark.parametrize(
        ("arguments", "pointers"),
        [
            ({}, ["/name"]),
            ({"name": "getItem", "id": "7"}, ["/id"]),
            ({"name": "getItem", "arguments": "{}"}, ["/arguments"]),
            ({"name": CALL, "arguments": {"name": "getItem"}}, ["/name"]),
            ({"name": "getItems", "arguments": {}}, ["/name"]),
        ],
        ids=["nothing", "flat", "text", "itself", "unknown"],
    )
    async def test_what_is_no_call(self, arguments: Json, pointers: list[str]) -> None:
        told = await faults(searching_stage(), call_of(CALL, **arguments))
        assert [fault.pointer for fault in told] == pointers

    async def test_names_that_direct_calls_take(self) -> None:
        on = searching_stage()
        await on.gateway.call_tool(call_of(CALL, name="shopListItems"))
        assert len(on.client.requests) == 1

    async def test_the_preview_is_that_of_the_other_tool(self) -> None:
        gateway = searching_stage().gateway
        wrapped = call_of(CALL, name="getItem", arguments={"id": "7"})
        assert (await gateway.preview_tool(wrapped)).url.endswith("/items/7")
        with pytest.raises(BadRequest):
            await gateway.preview_tool(call_of(SEARCH, query="x"))

    async def test_leaving_the_call_leaves_the_other(self) -> None:
        on = searching_stage()
        on.client.answer = Answer(hold=asyncio.Event())
        async with asyncio.TaskGroup() as group:
            task = group.create_task(on.gateway.call_tool(call_of(CALL, name="listItems")))
            await on.client.asked.wait()
            task.cancel()
        assert task.cancelled()


class TestContext:
    @pytest.mark.parametrize("name", [SEARCH, DESCRIBE])
    async def test_each_call_is_an_entry_without_an_endpoint(self, name: str) -> None:
        on = searching_stage()
        arguments = {"query": "items"} if name == SEARCH else {"name": "getItem"}
        call = replace(call_of(name, **arguments), claim=ContextClaim(explicit_id=ID))
        outcome = await on.gateway.call_tool(call)
        assert outcome.context_id == ID
        assert await on.entries(ID) == [(f"tool_call:{name}", None, "done")]

    async def test_a_call_that_names_none_makes_one(self) -> None:
        on = searching_stage()
        outcome = await on.gateway.call_tool(call_of(SEARCH))
        assert [context.context_id for context in await on.stored()] == [outcome.context_id]

    async def test_a_store_that_is_down_does_not_stop_a_search(self) -> None:
        on = searching_stage()
        on.store.up = False
        outcome = await on.gateway.call_tool(call_of(SEARCH, query="items"))
        assert shown(outcome)["found"] == 3
        assert not outcome.recorded

    @pytest.mark.parametrize("place", ["outside", "inside"])
    async def test_the_context_argument_counts_on_both_levels(self, place: str) -> None:
        on = searching_stage(context_argument=True)
        own = {"ocpContextId": ID}
        outer, inner = (own, {}) if place == "outside" else ({}, own)
        outcome = await on.gateway.call_tool(
            call_of(CALL, name="listItems", arguments=inner, **outer)
        )
        assert outcome.context_id == ID
        assert (await found(on, query="items", ocpContextId=ID))["found"] == 3
        assert [entry[0] for entry in await on.entries(ID)] == [
            "tool_call:listItems",
            "tool_call:searchTools",
        ]

    @pytest.mark.parametrize("name", [SEARCH, DESCRIBE, CALL])
    async def test_a_refusal_names_the_context_that_the_call_names(self, name: str) -> None:
        call = replace(call_of(name, wrong=1), claim=ContextClaim(explicit_id=ID))
        with pytest.raises(InvalidArguments) as caught:
            await searching_stage().gateway.call_tool(call)
        assert caught.value.context_id == ID

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            pytest.param(DESCRIBE, {"name": "getItm"}, id="describe no such tool"),
            pytest.param(DESCRIBE, {}, id="describe nothing"),
            pytest.param(SEARCH, {"api": "shp"}, id="search no such api"),
            pytest.param(CALL, {"name": "getItm"}, id="call no such tool"),
            pytest.param(CALL, {"name": CALL}, id="call itself"),
            pytest.param(CALL, {"name": "ocpContextGet"}, id="call one of our own"),
            pytest.param(CALL, {"name": "getItem"}, id="call without its arguments"),
        ],
    )
    async def test_a_refusal_always_names_a_context(self, name: str, arguments: Json) -> None:
        on = searching_stage(context_argument=True)
        told = []
        for extra in ({}, {"ocpContextId": ID}):
            with pytest.raises(GatewayError) as caught:
                await on.gateway.call_tool(call_of(name, **arguments, **extra))
            told.append(caught.value.context_id or "")
        assert MINTED.fullmatch(told[0])
        assert told[1] == ID
        assert await on.stored() == ()

    async def test_an_argument_that_is_not_published_names_nothing(self) -> None:
        with pytest.raises(InvalidArguments) as caught:
            await searching_stage().gateway.call_tool(call_of(SEARCH, ocpContextId=ID))
        assert MINTED.fullmatch(caught.value.context_id or "")
        assert caught.value.context_id != ID

    async def test_an_id_of_the_wrong_form_is_a_fault(self) -> None:
        on = searching_stage(context_argument=True)
        (fault,) = await faults(on, call_of(SEARCH, ocpContextId="a b"))
        assert fault.pointer == "/ocpContextId"
        (fault,) = await faults(
            on, call_of(CALL, name="listItems", arguments={"ocpContextId": "a b"})
        )
        assert fault.pointer == "/arguments/ocpContextId"

    async def test_tools_for_contexts_are_called_through_it_as_well(self) -> None:
        on = searching_stage(context_argument=True)
        made = await on.gateway.call_tool(
            call_of(CALL, name="ocpContextCreate", arguments={"current_goal": "count"})
        )
        context = await on.context(made.context_id)
        assert context is not None
        assert context.current_goal == "count"


def test_the_names_are_reserved() -> None:
    tools = search_tools(context_argument=False)
    assert {tool.name for tool in tools} == {SEARCH, DESCRIBE, CALL} <= RESERVED
    assert [
        tool.name for tool in searching_stage(context_argument=True).gateway.additions.tools
    ] == [
        SEARCH,
        DESCRIBE,
        CALL,
        "ocpContextCreate",
        "ocpContextGet",
        "ocpContextUpdate",
    ]


@pytest.mark.parametrize("on", [stage(), publishing_stage()], ids=["plain", "with contexts"])
def test_they_are_there_only_where_they_are_configured(on: Stage) -> None:
    for name in (SEARCH, DESCRIBE, CALL):
        assert on.gateway.additions.find(name) is None
