"""Faults in the words that a model can act upon, never with a value in them."""

import pytest

from gateway.calls import ArgumentValidator
from gateway.calls.validation import MAX_FAULTS, MAX_MESSAGE
from gateway.errors import DescriptionError


@pytest.mark.parametrize(
    ("schema", "value", "pointer", "message"),
    [
        ({"type": "integer"}, "s3cret", "/a", "expected integer, received string"),
        ({"type": ["integer", "null"]}, True, "/a", "expected null or integer, received boolean"),
        ({"type": "string"}, None, "/a", "expected string, received null"),
        ({"type": "string"}, {"s3cret": 1}, "/a", "expected string, received object"),
        ({"items": {"type": "string"}}, ["x", 1.5], "/a/1", "expected string, received number"),
        (
            {"anyOf": [{"type": "string"}, {"type": "array"}]},
            5,
            "/a",
            "matches none of the allowed forms, received integer",
        ),
        (
            {"oneOf": [{"type": "string"}, {"const": 1}]},
            [],
            "/a",
            "matches none of the allowed forms, received array",
        ),
        ({"maximum": 3}, 5332, "/a", "value is greater than the maximum of 3"),
        ({"pattern": "^z"}, "s3cret", "/a", 'value does not match "^z"'),
        (
            {"propertyNames": {"maxLength": 2}},
            {"s3cret": 1},
            "/a",
            "has a property whose name is not allowed",
        ),
        ({"required": ["b~/c"]}, {}, "/a/b~0~1c", "is required"),
    ],
)
def test_faults(schema: object, value: object, pointer: str, message: str) -> None:
    validator = ArgumentValidator({"type": "object", "properties": {"a": schema}})
    (fault,) = validator.faults({"a": value})
    assert (fault.pointer, fault.message) == (pointer, message)
    assert not validator.is_valid({"a": value})


def test_faults_are_bounded_in_number_and_length() -> None:
    patterned = {"type": "string", "pattern": "x" * 1_000}
    validator = ArgumentValidator({"type": "object", "additionalProperties": patterned})
    faults = validator.faults({f"a{number}": "y" for number in range(200)})
    assert len(faults) == MAX_FAULTS
    assert max(len(fault.message) for fault in faults) == MAX_MESSAGE


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"pattern": "["}, id="a pattern that is none"),
        pytest.param({"type": "strange"}, id="a type that is none"),
        pytest.param({"$ref": "http://127.0.0.1:9/schema"}, id="a reference to the network"),
        pytest.param({"$ref": "file:///etc/passwd"}, id="a reference to a file"),
        pytest.param({"$ref": "#/$defs/none"}, id="a dangling reference"),
    ],
)
def test_a_schema_that_cannot_be_used_says_so(schema: dict[str, object]) -> None:
    with pytest.raises(DescriptionError, match="input schema cannot be used") as caught:
        ArgumentValidator({"type": "object", "properties": {"a": schema}})
    assert "root:" not in str(caught.value)


def test_a_costly_pattern_costs_little() -> None:
    validator = ArgumentValidator({"type": "object", "properties": {"a": {"pattern": "^(a+)+$"}}})
    assert not validator.is_valid({"a": "a" * 200 + "!"})
