"""What the gateway adds to the tools of descriptions."""

from dataclasses import replace

import jsonschema_rs
import pytest

from gateway.catalog import CONTEXT_ARGUMENT, NO_ADDITIONS, Additions, NativeTool, ToolOverride
from gateway.context import is_header_id
from tests.support.tools import DONE, TEXT, api_of, parameter

ADDED = Additions(context_argument=True)
PATHS = {
    "/items/{id}": {
        "parameters": [parameter("id", "path", TEXT)],
        "get": {"operationId": "getItem", "responses": DONE},
    },
    "/ping": {"get": {"operationId": "ping", "responses": DONE}},
    "/own": {
        "parameters": [parameter(CONTEXT_ARGUMENT, "query", {"type": "integer"})],
        "get": {"operationId": "own", "responses": DONE},
    },
}
TOOLS = api_of(PATHS).tools


@pytest.mark.parametrize("name", ["getItem", "ping"])
def test_the_argument_is_optional_and_the_schema_stays_closed(name: str) -> None:
    tool = TOOLS[name]
    before, after = tool.input_schema, ADDED.input_schema(tool)
    properties = dict(after["properties"])  # type: ignore[call-overload]

    assert list(properties)[-1] == CONTEXT_ARGUMENT
    del properties[CONTEXT_ARGUMENT]
    assert properties == before.get("properties", {})
    assert after.get("required") == before.get("required")
    assert after["additionalProperties"] is False
    assert CONTEXT_ARGUMENT not in str(tool.input_schema)


@pytest.mark.parametrize("text", ["ocp-1", "a" * 64, "a" * 65, "", "a b", "a_b", "ä"])
def test_the_argument_takes_what_a_header_can_carry(text: str) -> None:
    schema = ADDED.input_schema(TOOLS["ping"])

    valid = jsonschema_rs.Draft202012Validator(schema).is_valid({CONTEXT_ARGUMENT: text})
    assert valid == is_header_id(text)


def test_an_argument_of_that_name_stays_the_tool_s_own() -> None:
    assert not ADDED.gives_argument(TOOLS["own"])
    assert ADDED.input_schema(TOOLS["own"]) == TOOLS["own"].input_schema


def test_an_argument_of_that_name_that_is_fixed_stays_closed() -> None:
    fixed = replace(TOOLS["own"], override=ToolOverride(set={CONTEXT_ARGUMENT: 7}))

    assert not ADDED.gives_argument(fixed)
    assert CONTEXT_ARGUMENT not in str(ADDED.input_schema(fixed))


def test_nothing_is_added_unless_wanted() -> None:
    assert NO_ADDITIONS.input_schema(TOOLS["ping"]) == TOOLS["ping"].input_schema
    assert NO_ADDITIONS.find("ocpContextGet") is None
    assert NO_ADDITIONS.key == ""


def test_the_key_tells_additions_apart() -> None:
    one = NativeTool(name="a", title="A", description="does a", input_schema={"type": "object"})
    other = NativeTool(name="a", title="A", description="does b", input_schema={"type": "object"})
    keys = [
        Additions(context_argument=argument, tools=tools).key
        for argument in (False, True)
        for tools in ((), (one,), (other,), (one, other))
    ]

    assert len(set(keys)) == len(keys)
    assert Additions(tools=(one,)).key == keys[1]
