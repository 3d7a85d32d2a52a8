"""`allowEmptyValue` in the published schema."""

import pytest

from gateway.openapi import admit_empty

Json = dict[str, object]
EMPTY: Json = {"const": ""}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param({}, {}, id="anything"),
        pytest.param({"type": "string"}, {"type": "string"}, id="a text"),
        pytest.param(
            {"type": ["string", "null"], "maxLength": 5},
            {"type": ["string", "null"], "maxLength": 5},
            id="a text or null",
        ),
        pytest.param(
            {"type": "string", "minLength": 1},
            {"anyOf": [{"type": "string", "minLength": 1}, EMPTY]},
            id="a text of some length",
        ),
        pytest.param(
            {"type": "boolean", "description": "On", "default": True},
            {"description": "On", "default": True, "anyOf": [{"type": "boolean"}, EMPTY]},
            id="what is said stays outside",
        ),
        pytest.param(
            {"$ref": "#/$defs/A"}, {"anyOf": [{"$ref": "#/$defs/A"}, EMPTY]}, id="a reference"
        ),
    ],
)
def test_the_empty_text_is_admitted(schema: Json, expected: Json) -> None:
    assert admit_empty(schema) == expected
