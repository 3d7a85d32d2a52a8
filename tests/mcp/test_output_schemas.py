"""What tools answer, published so that no client can turn an answer down."""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mcp.output_schemas import MAX_DEPTH, MAX_SCHEMA_BYTES, publish_output, wrap_output

Json = dict[str, object]

WORDS = (
    "$ref $defs $id id type properties required items anyOf enum const format pattern nullable "
    "allOf title a"
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS.split()), inner, max_size=4)
    ),
    max_leaves=20,
)
ANY_SCHEMA = st.dictionaries(st.text(max_size=6), ANY_JSON, max_size=3) | ANY_JSON


def described(schema: Json) -> Json:
    """What the published schema says beside that it takes everything."""
    published = publish_output(schema)
    assert published is not None
    assert published["type"] == "object"
    forms = published["anyOf"]
    assert isinstance(forms, list)
    assert forms[0] == {}
    assert isinstance(forms[1], dict)
    return forms[1]


@pytest.mark.parametrize(
    ("schema", "form"),
    [
        pytest.param(
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            id="an object as it is",
        ),
        pytest.param(
            {"type": "array", "items": {"type": "integer"}},
            {
                "type": "object",
                "properties": {"result": {"type": "array", "items": {"type": "integer"}}},
                "required": ["result"],
            },
            id="an array inside one",
        ),
        pytest.param(
            {"type": ["object", "null"], "title": "Pet"},
            {"type": ["object", "null"], "title": "Pet"},
            id="what may be an object",
        ),
        pytest.param(
            {"$ref": "#/$defs/Pet", "$defs": {"Pet": {"type": "object", "description": "One."}}},
            {"type": "object", "description": "One."},
            id="a reference",
        ),
        pytest.param(
            {"title": "Mine", "$ref": "#/$defs/P", "$defs": {"P": {"title": "Theirs", "const": 1}}},
            {"title": "Mine", "const": 1},
            id="what stands beside a reference",
        ),
        pytest.param(
            {"title": "x", "anyOf": [{"$ref": "#/$defs/Gone"}, {"$ref": "http://x.test/y"}]},
            {"title": "x", "anyOf": [{}, {}]},
            id="references to nowhere",
        ),
        pytest.param(
            {
                "type": "object",
                "$id": "http://x.test/",
                "id": "x",
                "nullable": True,
                "pattern": "(",
                "patternProperties": {"(": {}},
                "format": "made-up",
                "properties": {"at": {"type": "string", "format": "date-time", "minLength": "x"}},
            },
            {
                "type": "object",
                "properties": {"at": {"type": "string", "format": "date-time"}},
            },
            id="what validators stumble over",
        ),
        pytest.param(
            {"type": "file", "enum": [], "required": "a", "title": 7, "const": None},
            {"const": None},
            id="what is no schema",
        ),
    ],
)
def test_what_is_said_of_an_answer(schema: Json, form: Json) -> None:
    assert described(schema) == form


def test_where_nothing_is_known_nothing_is_published() -> None:
    assert publish_output({}) is None
    assert publish_output({"$ref": "#/$defs/Gone"}) == {"type": "object"}


def test_a_schema_within_itself_ends() -> None:
    pet: Json = {"type": "object", "properties": {"child": {"$ref": "#/$defs/Pet"}}}
    form = described({"$ref": "#/$defs/Pet", "$defs": {"Pet": pet}})
    assert "$ref" not in json.dumps(form)
    assert form["properties"]["child"]["properties"]["child"]["type"] == "object"  # type: ignore[index]
    # Under every level of a schema a validator has a dozen of its own, on a client's stack.
    assert json.dumps(form).count('"child"') == MAX_DEPTH
    loop = {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}}
    assert publish_output(loop) == {"type": "object"}


def test_of_a_large_schema_what_is_near_to_the_root_is_said() -> None:
    wide = {f"member{number}": {"$ref": "#/$defs/Deep"} for number in range(30)}
    deep: Json = {"type": "object", "properties": {"below": {"description": "x" * 400}}}
    form = described({"type": "object", "properties": wide, "$defs": {"Deep": deep}})
    assert len(json.dumps(form)) < 2 * MAX_SCHEMA_BYTES
    properties = form["properties"]
    assert isinstance(properties, dict)
    assert list(properties) == list(wide)
    assert [each["type"] for each in properties.values()] == ["object"] * 30
    assert any("below" in json.dumps(each) for each in properties.values())
    title = {"type": "object", "title": "x" * MAX_SCHEMA_BYTES}
    assert publish_output(title) == {"type": "object"}


@given(
    schema=st.dictionaries(st.text(max_size=6), ANY_JSON, max_size=3) | ANY_JSON, answer=ANY_JSON
)
def test_whatever_is_described_any_answer_fits(schema: object, answer: object) -> None:
    if not isinstance(schema, dict):
        schema = {"type": "object", "properties": {"a": schema}}
    published = publish_output(schema)
    if published is None:
        return
    jsonschema.Draft202012Validator.check_schema(published)
    jsonschema.Draft7Validator.check_schema(published)
    jsonschema.validate(wrap_output(answer), published)


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        ({"a": 1}, {"a": 1}),
        ({}, {}),
        ([1], {"result": [1]}),
        (None, {"result": None}),
        (False, {"result": False}),
        ("", {"result": ""}),
    ],
    ids=str,
)
def test_every_answer_is_an_object(answer: object, content: Json) -> None:
    assert wrap_output(answer) == content
