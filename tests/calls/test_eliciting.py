"""Which missing arguments a form can ask for, and what the form looks like."""

import pytest

from gateway.calls import arguments_request, given_values, missing_arguments
from gateway.catalog import Tool
from gateway.errors import Fault
from tests.support.tools import TEXT, api_of, tool_of

REFERRED = {"$ref": "#/components/schemas/Size"}


def body_tool(**properties: object) -> Tool:
    body = {"type": "object", "properties": properties, "required": sorted(properties)}
    return tool_of(method="post", body=body)


def fields(**properties: object) -> object:
    request = arguments_request(body_tool(**properties), tuple(sorted(properties)))
    if request is None:
        return None
    schema = request.params["requestedSchema"]
    assert isinstance(schema, dict)
    assert schema["required"] == sorted(properties)
    return schema["properties"]


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        (TEXT, TEXT),
        (
            {"type": "string", "title": "T", "description": "D", "minLength": 1, "maxLength": 5},
            {"type": "string", "title": "T", "description": "D", "minLength": 1, "maxLength": 5},
        ),
        ({"type": "string", "pattern": "^a", "examples": ["a"]}, TEXT),
        ({"type": "string", "format": "email"}, {"type": "string", "format": "email"}),
        ({"type": "string", "format": "uuid"}, TEXT),
        (
            {"type": "integer", "minimum": 1, "exclusiveMaximum": 9, "default": 3},
            {"type": "integer", "minimum": 1, "default": 3},
        ),
        ({"type": "number", "default": "three"}, {"type": "number"}),
        ({"type": "integer", "default": True}, {"type": "integer"}),
        ({"type": "boolean", "default": False}, {"type": "boolean", "default": False}),
        ({"type": ["string", "null"]}, TEXT),
        ({"type": "string", "enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}),
        ({"type": "string", "enum": ["a"], "minLength": 1}, {"type": "string", "enum": ["a"]}),
    ],
    ids=str,
)
def test_a_primitive_is_lowered_to_what_forms_have(schema: object, field: object) -> None:
    assert fields(x=schema) == {"x": field}


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"type": "object"},
        {"type": "array", "items": TEXT},
        {"type": ["string", "integer"]},
        {"type": "integer", "enum": [1, 2]},
        {"type": "string", "anyOf": [{"minLength": 1}]},
        {"type": "string", "format": "password"},
        {"type": "string", "writeOnly": True},
        {"const": "a"},
    ],
    ids=str,
)
def test_what_no_form_holds_is_not_asked_for(schema: object) -> None:
    assert fields(x=schema, y=TEXT) is None


def test_a_reference_is_followed_and_what_stands_beside_it_comes_first() -> None:
    size = {"name": "size", "in": "query", "required": True, "description": "How large"}
    operation = {"operationId": "use", "parameters": [{**size, "schema": REFERRED}]}
    schemas = {"Size": {"type": "string", "enum": ["s", "m"], "description": "A size"}}
    catalog = api_of({"/things": {"get": operation}}, components={"schemas": schemas})
    (tool,) = catalog.tools.values()

    request = arguments_request(tool, ("size",))

    assert request is not None
    schema = request.params["requestedSchema"]
    assert isinstance(schema, dict)
    field = {"type": "string", "enum": ["s", "m"], "description": "How large"}
    assert schema["properties"] == {"size": field}


def test_the_question_says_what_it_is_for() -> None:
    request = arguments_request(body_tool(a=TEXT, b=TEXT), ("a", "b"))
    assert request is not None
    assert request.params["message"] == "use (POST /things of api) needs 2 more arguments."


def test_a_form_has_twenty_fields_at_most() -> None:
    assert fields(**{f"f{i:02}": TEXT for i in range(20)}) is not None
    assert fields(**{f"f{i:02}": TEXT for i in range(21)}) is None


@pytest.mark.parametrize(
    ("faults", "names"),
    [
        ([("/a", "is required"), ("/b", "is required")], ("a", "b")),
        ([("/a", "is required"), ("/b", "is not known here")], ()),
        ([("/a/b", "is required")], ()),
        ([], ()),
    ],
    ids=["missing", "something else as well", "inside an argument", "nothing"],
)
def test_only_where_nothing_else_is_wrong(
    faults: list[tuple[str, str]], names: tuple[str, ...]
) -> None:
    assert missing_arguments(Fault(pointer=p, message=m) for p, m in faults) == names


def test_only_what_was_asked_for_is_taken() -> None:
    assert given_values(("a", "b"), {"a": 1, "c": 2}) == {"a": 1}
    assert given_values(("a",), ["a"]) == {}
