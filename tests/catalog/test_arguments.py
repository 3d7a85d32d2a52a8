from collections.abc import Mapping
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog import BodyMode, Tool
from gateway.catalog.arguments import argument_name
from gateway.openapi.hygiene import hides_something
from tests.support.documents import document, only_tool, operation


def digits(subject: str, count: int = 6) -> str:
    return sha256(subject.encode()).hexdigest()[:count]


def tool(parameters: list[tuple[str, str]], body: object = None, *, required: bool = True) -> Tool:
    path = "/a" + "".join(f"/{{{name}}}" for place, name in parameters if place == "path")
    made = [{"name": name, "in": place, "schema": {}} for place, name in parameters]
    schemas = {
        "Plain": {"type": "object", "properties": {"x": {}, "y": {}}, "required": ["x"]},
        "Alias": {"$ref": "#/components/schemas/Plain"},
    }
    return only_tool(
        document(
            {path: {"post": operation(parameters=made, body=body, required=required)}},
            components={"schemas": schemas},
        )
    )


def by_wire(found: Tool) -> dict[tuple[str, str], str]:
    return {(a.location, a.original): a.name for a in found.arguments.items}


@pytest.mark.parametrize(
    ("original", "name"),
    [
        ("page", "page"),
        ("X-Trace", "X_Trace"),
        ("$top", "top"),
        ("filter[id]", "filter_id_"),
        ("2fa", "p_2fa"),
        ("_x", "x"),
        ("__", "p"),
        ("日本", "p"),
        ("-2", "p_2"),
        ("a.b-c", "a_b_c"),
        ("a\n", "a_"),
        ("a" * 64, "a" * 64),
        ("a" * 65, "a" * 58 + digits("query " + "a" * 65)),
        ("-" + "a" * 64, "a" * 64),
        ("1" * 63, "p_" + "1" * 56 + digits("query " + "1" * 63)),
    ],
)
def test_an_argument_has_its_parameters_name_or_the_nearest_usable(
    original: str, name: str
) -> None:
    assert argument_name(original, "query") == name


MEETINGS: Mapping[str, tuple[list[tuple[str, str]], dict[tuple[str, str], str]]] = {
    "every place": (
        [("cookie", "id"), ("header", "id"), ("query", "id"), ("path", "id")],
        {
            ("path", "id"): "id",
            ("query", "id"): "id_query",
            ("header", "id"): "id_header",
            ("cookie", "id"): "id_cookie",
        },
    ),
    "the earliest place that is there keeps it": (
        [("cookie", "id"), ("header", "id")],
        {("header", "id"): "id", ("cookie", "id"): "id_cookie"},
    ),
    "made alike by their forms": (
        [("query", "a-b"), ("query", "a.b")],
        {
            ("query", "a-b"): f"a_b{digits('query a-b')}",
            ("query", "a.b"): f"a_b{digits('query a.b')}",
        },
    ),
    "one of them is the name": (
        [("query", "a-b"), ("query", "a_b")],
        {("query", "a-b"): f"a_b{digits('query a-b')}", ("query", "a_b"): "a_b"},
    ),
    "the suffix meets another": (
        [("path", "id"), ("query", "id"), ("query", "id_query")],
        {
            ("path", "id"): "id",
            ("query", "id"): f"id_query{digits('query id')}",
            ("query", "id_query"): "id_query",
        },
    ),
    "the hash meets another": (
        [("query", "a-b"), ("query", "a.b"), ("query", f"a_b{digits('query a-b')}")],
        {
            ("query", "a-b"): f"a_b{digits('query a-b')}{digits('query a-b', 12)}",
            ("query", "a.b"): f"a_b{digits('query a.b')}",
            ("query", f"a_b{digits('query a-b')}"): f"a_b{digits('query a-b')}",
        },
    ),
    "a long name in two places": (
        [("query", "a" * 60), ("header", "a" * 60)],
        {
            ("query", "a" * 60): "a" * 60,
            ("header", "a" * 60): "a" * 58 + digits("header " + "a" * 60),
        },
    ),
}


@pytest.mark.parametrize(("parameters", "expected"), MEETINGS.values(), ids=MEETINGS.keys())
def test_arguments_that_meet_are_told_apart_in_any_order(
    parameters: list[tuple[str, str]], expected: dict[tuple[str, str], str]
) -> None:
    assert by_wire(tool(parameters)) == expected
    assert by_wire(tool(parameters[::-1])) == expected


def test_a_body_member_gives_way_to_every_parameter() -> None:
    found = tool([("path", "id"), ("query", "name")], {"properties": {"id": {}, "name": {}}})
    assert by_wire(found) == {
        ("path", "id"): "id",
        ("query", "name"): "name",
        ("body", "id"): "id_body",
        ("body", "name"): "name_body",
    }


def test_a_whole_body_gives_way_to_a_parameter_called_body() -> None:
    found = tool([("query", "body")], {"type": "array"})
    assert by_wire(found) == {("query", "body"): "body", ("body", "body"): "body_body"}


_places = st.sampled_from(["path", "query", "header", "cookie"])
_names = st.sampled_from(
    ["id", "id_query", "id-query", "a", "a-b", "a.b", "a_b", "2", "p_2", "x" * 70]
)
# Names with characters that nobody sees cost the operation (tests/catalog/test_hygiene.py).
_members = st.text(min_size=1, max_size=4).filter(lambda name: not hides_something(name)) | _names


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(_places, _names), unique=True, max_size=8),
    st.lists(_members, unique=True, max_size=6),
)
def test_arguments_are_unique_usable_and_the_same_in_any_order(
    parameters: list[tuple[str, str]], members: list[str]
) -> None:
    path = "/a/" + "/".join(f"{{{n}}}" for n in ("id", "id_query", "id-query", "a", "a-b"))
    fixed = [
        (place, name) for place, name in parameters if place != "path" or f"{{{name}}}" in path
    ]

    def names(listed: list[tuple[str, str]], keys: list[str]) -> dict[tuple[str, str], str]:
        made = [{"name": name, "in": place, "schema": {}} for place, name in listed]
        body = {"type": "object", "properties": {key: {} for key in keys}}
        item = {"post": operation(parameters=made, body=body)}
        return by_wire(only_tool(document({path: item})))

    found = names(fixed, members)
    assert names(fixed[::-1], members[::-1]) == found
    assert len(set(found.values())) == len(found)
    assert all(name.isidentifier() and name.isascii() for name in found.values())
    assert all(len(name) <= 64 and not name.startswith("_") for name in found.values())


FLAT = {"type": "object", "properties": {"x": {}, "y": {}}}


@pytest.mark.parametrize(
    ("schema", "required", "mode", "names"),
    [
        pytest.param(FLAT, True, "flat", ["x", "y"], id="plain"),
        pytest.param(FLAT, False, "flat", ["x", "y"], id="optional, nothing required"),
        pytest.param({**FLAT, "required": ["x"]}, True, "flat", ["x", "y"], id="required member"),
        pytest.param(
            {**FLAT, "required": ["x"]}, False, "whole", ["body"], id="optional, required member"
        ),
        pytest.param({"properties": {"x": {}}}, True, "flat", ["x"], id="no type"),
        pytest.param(
            {"$ref": "#/components/schemas/Plain"}, True, "flat", ["x", "y"], id="reference"
        ),
        pytest.param(
            {"$ref": "#/components/schemas/Alias", "description": "d"},
            True,
            "flat",
            ["x", "y"],
            id="chain",
        ),
        pytest.param(
            {"$ref": "#/components/schemas/Plain", "minProperties": 1},
            True,
            "whole",
            ["body"],
            id="reference with more",
        ),
        pytest.param(
            {**FLAT, "additionalProperties": False}, True, "flat", ["x", "y"], id="closed"
        ),
        pytest.param({**FLAT, "additionalProperties": True}, True, "whole", ["body"], id="open"),
        pytest.param(
            {**FLAT, "additionalProperties": {}}, True, "whole", ["body"], id="open with schema"
        ),
        pytest.param(
            {**FLAT, "required": ["z"]}, True, "whole", ["body"], id="required, not declared"
        ),
        pytest.param({**FLAT, "required": [{}]}, True, "whole", ["body"], id="required, no text"),
        pytest.param({**FLAT, "required": True}, True, "whole", ["body"], id="required of draft 3"),
        pytest.param({**FLAT, "oneOf": [{}]}, True, "whole", ["body"], id="composition"),
        pytest.param(
            {**FLAT, "minProperties": 1}, True, "whole", ["body"], id="says more of the whole"
        ),
        pytest.param({**FLAT, "nullable": True}, True, "whole", ["body"], id="nullable"),
        pytest.param(
            {**FLAT, "type": ["object", "null"]}, True, "whole", ["body"], id="object or null"
        ),
        pytest.param(
            {**FLAT, "x-note": 1, "title": "T"}, True, "flat", ["x", "y"], id="words and extensions"
        ),
        pytest.param({"type": "object"}, True, "whole", ["body"], id="free-form"),
        pytest.param(
            {"type": "object", "additionalProperties": False},
            True,
            "empty",
            [],
            id="nothing allowed",
        ),
        pytest.param({"type": "array", "items": {}}, True, "whole", ["body"], id="array"),
        pytest.param({"type": "string"}, True, "whole", ["body"], id="text"),
        pytest.param(True, True, "whole", ["body"], id="anything"),
        pytest.param({}, True, "whole", ["body"], id="nothing said"),
        pytest.param(
            {"type": "object", "properties": {"id": {"readOnly": True}, "x": {}}},
            True,
            "flat",
            ["x"],
            id="read-only member",
        ),
    ],
)
def test_a_body_is_flattened_when_nothing_is_lost(
    schema: object, required: bool, mode: str, names: list[str]
) -> None:
    found = tool([], schema, required=required)
    assert found.arguments.body_mode is BodyMode(mode)
    assert [a.name for a in found.arguments.items] == names


def test_no_body_is_no_argument() -> None:
    assert tool([]).arguments.body_mode is BodyMode.NONE


def test_arguments_point_at_where_they_are_described() -> None:
    found = tool([("query", "q")], {"$ref": "#/components/schemas/Plain"})
    pointers: Mapping[str, str] = {a.name: a.schema_pointer for a in found.arguments.items}
    assert pointers == {
        "q": "/paths/~1a/post/parameters/0/schema",
        "x": "/components/schemas/Plain/properties/x",
        "y": "/components/schemas/Plain/properties/y",
    }
