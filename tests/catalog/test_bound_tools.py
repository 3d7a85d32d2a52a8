"""Texts for the arguments of a tool, and the texts that its description suggests."""

import pytest

from gateway.catalog import BoundTool
from tests.support.tools import Json, api_of, parameter, tool_of


def bound(schema: Json | bool) -> BoundTool:
    body = {"type": "object", "properties": {"v": schema}, "additionalProperties": False}
    return BoundTool(tool=tool_of(method="post", body=body))


TYPED: dict[str, tuple[Json | bool, str, object]] = {
    "text": ({"type": "string"}, "12", "12"),
    "integer": ({"type": "integer"}, "12", 12),
    "negative": ({"type": "integer"}, "-12", -12),
    "whole number": ({"type": "integer"}, "12.0", 12.0),
    "no integer": ({"type": "integer"}, "12.5", "12.5"),
    "number": ({"type": "number"}, "1.5", 1.5),
    "a whole one for a number": ({"type": "number"}, "1", 1),
    "true": ({"type": "boolean"}, "true", True),
    "yes": ({"type": "boolean"}, "yes", "yes"),
    "a number for a boolean": ({"type": "boolean"}, "1", "1"),
    "null": ({"type": ["integer", "null"]}, "null", None),
    "a list": ({"type": "array", "items": {}}, "[1, 2]", [1, 2]),
    "no list": ({"type": "array", "items": {}}, "1, 2", "1, 2"),
    "an object": ({"type": "object"}, '{"a": 1}', {"a": 1}),
    "anything": (True, "12", "12"),
    "numbers of an enum": ({"enum": [1, 2]}, "2", 2),
    "texts of an enum": ({"enum": ["1", "2"]}, "2", "2"),
    "a constant": ({"const": 5}, "5", 5),
    "one of": ({"anyOf": [{"type": "integer"}, {"type": "boolean"}]}, "true", True),
    "one of, text too": ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, "1", "1"),
    "all of": ({"allOf": [{"type": ["integer", "string"]}, {"type": "integer"}]}, "1", 1),
}


@pytest.mark.parametrize(("schema", "text", "value"), TYPED.values(), ids=TYPED)
def test_a_text_becomes_the_value_that_the_schema_wants(
    schema: Json | bool, text: str, value: object
) -> None:
    found = bound(schema).typed({"v": text})["v"]
    assert (found, type(found)) == (value, type(value))


def test_what_is_no_argument_is_left_out() -> None:
    assert bound({"type": "string"}).typed({"v": "1", "w": "2"}) == {"v": "1"}


def test_a_definition_is_followed() -> None:
    size = {"$ref": "#/components/schemas/Size", "description": "How large"}
    body = {"type": "object", "properties": {"size": size}, "additionalProperties": False}
    operation = {
        "operationId": "use",
        "requestBody": {"content": {"application/json": {"schema": body}}},
        "responses": {},
    }
    schemas = {"Size": {"type": "integer", "enum": [1, 2]}}
    (tool,) = api_of({"/x": {"post": operation}}, components={"schemas": schemas}).tools.values()
    found = BoundTool(tool=tool)
    assert "$ref" in str(found.arguments["size"])
    assert found.typed({"size": "1"}) == {"size": 1}
    assert found.suggestions("size") == ("1", "2")


SUGGESTED: dict[str, tuple[Json, tuple[str, ...]]] = {
    "nothing": ({"type": "string"}, ()),
    "an enum": ({"enum": ["b", "a", 1, None, True]}, ("b", "a", "1", "true")),
    "a default after an enum": ({"enum": ["b", "a"], "default": "a"}, ("b", "a")),
    "examples": ({"type": "string", "examples": ["x", "y"], "default": "z"}, ("x", "y", "z")),
    "in compositions": ({"anyOf": [{"const": "c"}, {"enum": ["d"]}]}, ("c", "d")),
    "what nobody types": ({"examples": [{"a": 1}, ["b"], "c"]}, ("c",)),
    "what is endless": ({"enum": ["x" * 300, "y"]}, ("y",)),
}


@pytest.mark.parametrize(("schema", "values"), SUGGESTED.values(), ids=SUGGESTED)
def test_the_description_s_values_are_suggested(schema: Json, values: tuple[str, ...]) -> None:
    assert bound(schema).suggestions("v") == values


def test_an_argument_that_is_not_there_has_no_values() -> None:
    assert bound({"enum": ["a"]}).suggestions("w") == ()


def test_required_arguments_are_known_by_name() -> None:
    tool = tool_of(parameter("id", "path", True), parameter("q", "query"), path="/x/{id}")
    found = BoundTool(tool=tool)
    assert (found.required, tuple(found.arguments)) == (frozenset({"id"}), ("id", "q"))


@pytest.mark.parametrize(
    ("schema", "kinds", "sample"),
    [
        ({"type": "string"}, ("string",), "..."),
        ({"type": "number"}, ("number",), 1),
        ({"type": ["null", "boolean"]}, ("boolean", "null"), True),
        ({"type": "integer", "default": 9}, ("integer",), 9),
        ({"description": "anything"}, (), "..."),
    ],
    ids=["text", "number", "several", "default", "anything"],
)
def test_a_sample_fits_the_type(schema: Json, kinds: tuple[str, ...], sample: object) -> None:
    found = bound(schema)
    assert (found.kinds("v"), found.sample("v")) == (kinds, sample)


def test_a_schema_without_end_gives_no_endless_list() -> None:
    many = bound({"enum": [str(number) for number in range(5_000)]})
    assert len(many.suggestions("v")) == 1_000
