"""Examples of parameters: by name, by reference, of their media type."""

import pytest

from gateway.openapi import Document, Node
from gateway.openapi.examples import read_examples
from tests.support.documents import document, only_tool, operation

COMPONENTS = {"examples": {"One": {"value": 1}}}


@pytest.mark.parametrize(
    ("holder", "found"),
    [
        pytest.param({}, (), id="none"),
        pytest.param({"example": None}, (None,), id="null"),
        pytest.param(
            {"examples": {"b": {"value": 2}, "a": {"value": 1}}}, (1, 2), id="in order of names"
        ),
        pytest.param(
            {"example": 1, "examples": {"a": {"value": 1}, "b": {"value": True}}},
            (1, True),
            id="each once, and true is not 1",
        ),
        pytest.param(
            {"examples": {"a": {"$ref": "#/components/examples/One"}}}, (1,), id="by reference"
        ),
        pytest.param(
            {"examples": {"a": {"dataValue": 1, "serializedValue": "1"}}}, (1,), id="of 3.2"
        ),
        pytest.param(
            {"examples": {"a": {"$ref": "#/x"}, "b": {"externalValue": "x"}, "c": 5}},
            (),
            id="what is no value",
        ),
        pytest.param({"examples": [1]}, (), id="a list"),
        pytest.param([], (), id="no object"),
    ],
)
def test_examples_are_values(holder: object, found: tuple[object, ...]) -> None:
    node = Node(value=holder, pointer="")
    assert read_examples(node, Document({"components": COMPONENTS})) == found


@pytest.mark.parametrize(
    ("declared", "examples"),
    [
        pytest.param({"schema": {"example": 1}}, [1], id="the schema's"),
        pytest.param({"schema": {"example": 1}, "example": 2}, [2], id="its own override those"),
        pytest.param(
            {"content": {"application/json": {"examples": {"a": {"value": 3}}}}},
            [3],
            id="its media type's",
        ),
    ],
)
def test_an_argument_has_its_parameters_examples(
    declared: dict[str, object], examples: list[object]
) -> None:
    parameter = {"name": "p", "in": "query", **declared}
    tool = only_tool(document({"/a": {"get": operation(parameters=[parameter])}}))
    assert tool.input_schema["properties"] == {"p": {"examples": examples}}
