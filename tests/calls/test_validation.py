"""Faults in the words that a model can act upon, never with a value in them."""

import pytest

from gateway.calls import ArgumentValidator
from gateway.calls.validation import MAX_FAULTS, MAX_MESSAGE
from gateway.errors import DescriptionError, Fault


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
        pytest.param({"properties": {"n": {}}}, id="among others"),
        pytest.param({}, id="none at all"),
        pytest.param({"anyOf": [{"required": ["n"]}]}, id="of an object with alternatives"),
    ],
)
@pytest.mark.parametrize("surplus", [0, 1, 70_000])
def test_unknown_names_are_bounded_and_counted(schema: dict[str, object], surplus: int) -> None:
    validator = ArgumentValidator({"type": "object", "additionalProperties": False, **schema})
    faults = validator.faults({f"x{number}": 1 for number in range(MAX_FAULTS + surplus)})
    named = [fault for fault in faults if fault.message == "is not known here"]
    counted = [fault.message for fault in faults if "more names" in fault.message]
    assert len(faults) <= MAX_FAULTS
    assert len(named) >= MAX_FAULTS - 2
    assert counted == ([f"has {surplus + 1} more names that are not known here"] if surplus else [])


def test_nobody_is_asked_why_very_many_unknown_names_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    validator = ArgumentValidator({"type": "object", "additionalProperties": False})
    for name in ("_compiled", "_plain", "_outline"):
        monkeypatch.setattr(validator, name, Unexplained(validator))
    assert len(validator.faults({str(number): 1 for number in range(70_000)})) == MAX_FAULTS


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


FILTER = {"type": "array", "items": {"$ref": "#/$defs/F"}}
FORMS = [
    {"type": "object", "required": ["and"], "properties": {"and": FILTER}},
    {"type": "object", "required": ["or"], "properties": {"or": FILTER}},
    {"type": "object", "properties": {"field": {"type": "string"}, "and": FILTER}},
]
RECURSIVE = {"$ref": "#/$defs/F"}
NESTED = {"anyOf": [{"anyOf": [{"required": [f"{i}-{j}"]} for j in range(40)]} for i in range(40)]}
LONG = {"enum": [{"number": number} for number in range(20_000)]}
TOLD = "fits none of the forms that its schema allows"


def wrapped(value: object, times: int) -> object:
    for _ in range(times):
        value = {"and": [value]}
    return value


def costly(a: object, **others: object) -> ArgumentValidator:
    return ArgumentValidator(
        {
            "type": "object",
            "properties": {"a": a, "n": {"type": "integer"}, "nullable": {"type": "string"}},
            "additionalProperties": False,
            "$defs": {"F": {"oneOf": FORMS}},
            **others,
        }
    )


HOSTILE = [
    pytest.param(RECURSIVE, wrapped({"field": 1}, 16), id="a recursive oneOf"),
    pytest.param({"items": NESTED}, [{}] * 2_000, id="nested anyOf"),
    pytest.param({"items": LONG}, [{"number": -1}] * 100, id="a long enum"),
]


class Unexplained:
    """A compiled schema that answers yes or no, and fails when asked why."""

    def __init__(self, validator: ArgumentValidator) -> None:
        self.is_valid = validator.is_valid

    def iter_errors(self, arguments: object) -> None:
        raise AssertionError("the whole schema was explained")


@pytest.mark.parametrize(("schema", "value"), HOSTILE)
def test_costly_alternatives_are_named_and_never_explained(
    schema: object, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    validator = costly(schema)
    monkeypatch.setattr(validator, "_compiled", Unexplained(ArgumentValidator(validator._schema)))
    assert validator.faults({"a": value}) == (Fault(pointer="/a", message=TOLD),)
    assert validator.faults({"a": value, "n": "x", "nullable": None, "c": 1}) == (
        Fault(pointer="/a", message=TOLD),
        Fault(pointer="/c", message="is not known here"),
        Fault(pointer="/n", message="expected integer, received string"),
        Fault(pointer="/nullable", message="expected string, received null"),
    )


def test_a_costly_schema_that_refuses_no_single_argument_refuses_them_together() -> None:
    validator = costly(RECURSIVE, anyOf=[{"required": ["b"]}])
    assert validator.faults({"n": 1}) == (Fault(pointer="", message=TOLD),)


def test_of_very_many_values_only_the_argument_is_named() -> None:
    validator = costly({"items": {"type": "string"}}, required=["n"])
    assert validator.faults({"a": [1] * 60_000, "c": 1}) == (
        Fault(pointer="/a", message=TOLD),
        Fault(pointer="/c", message="is not known here"),
        Fault(pointer="/n", message="is required"),
    )
    assert validator.faults({"a": ["x"] * 60_000, "n": 1}) == ()


def test_a_costly_schema_that_refers_to_its_own_parts_still_names_the_argument() -> None:
    validator = costly({"items": {"$ref": "#/properties/n"}, "oneOf": [RECURSIVE]})
    assert validator.faults({"a": ["x"], "n": "x"}) == (Fault(pointer="/n", message=TOLD),)
    assert validator.faults({"a": ["x"], "n": 1}) == (Fault(pointer="", message=TOLD),)


@pytest.mark.parametrize(
    ("schema", "arguments", "pointers"),
    [
        ({"additionalProperties": False}, {"x": 1, "y": 2}, ["/x", "/y"]),
        ({"properties": {}, "additionalProperties": False}, {"x": 1}, ["/x"]),
        (
            {"properties": {"a": {"type": "object", "additionalProperties": False}}},
            {"a": {"x": 1}},
            ["/a/x"],
        ),
    ],
)
def test_unknown_arguments_are_named_where_none_are_known(
    schema: dict[str, object], arguments: dict[str, object], pointers: list[str]
) -> None:
    faults = ArgumentValidator({"type": "object", **schema}).faults(arguments)
    assert [(f.pointer, f.message) for f in faults] == [(p, "is not known here") for p in pointers]
