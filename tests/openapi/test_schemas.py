from collections.abc import Mapping

import jsonschema_rs
import orjson
import pytest

from gateway.catalog import Tool, read_catalog
from gateway.openapi.conversion import MAX_DEPTH, Direction, definition_name
from tests.support.documents import (
    catalog,
    described,
    document,
    only_tool,
    operation,
    problems,
    query,
)


def converted(schema: object, version: str = "3.1.0", **components: object) -> Mapping[str, object]:
    """What becomes of a query parameter's schema, `$defs` beside it."""
    root = document(
        {"/a": {"get": operation(parameters=[query("p", schema)])}},
        version=version,
        components={"schemas": components},
    )
    published = only_tool(root).input_schema
    properties = published["properties"]
    assert isinstance(properties, dict)
    part = properties["p"]
    return {**part, "$defs": published["$defs"]} if "$defs" in published else part


def ref(name: str) -> dict[str, object]:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param(
            {"type": "string", "nullable": True}, {"type": ["string", "null"]}, id="nullable"
        ),
        pytest.param({"type": "string", "nullable": False}, {"type": "string"}, id="not nullable"),
        pytest.param(
            {"type": "string", "nullable": True, "enum": ["a"]},
            {"type": ["string", "null"], "enum": ["a", None]},
            id="nullable enum",
        ),
        pytest.param(
            {"type": "string", "nullable": True, "enum": ["a", None]},
            {"type": ["string", "null"], "enum": ["a", None]},
            id="nullable enum that says so",
        ),
        pytest.param(
            {"nullable": True, "allOf": [{"type": "object"}]},
            {"anyOf": [{"allOf": [{"type": "object"}]}, {"type": "null"}]},
            id="nullable composition",
        ),
        pytest.param({"nullable": True}, {}, id="nullable anything"),
        pytest.param(
            {"minimum": 1, "exclusiveMinimum": True},
            {"exclusiveMinimum": 1},
            id="boolean exclusive minimum",
        ),
        pytest.param(
            {"maximum": 9, "exclusiveMaximum": True},
            {"exclusiveMaximum": 9},
            id="boolean exclusive maximum",
        ),
        pytest.param({"minimum": 1, "exclusiveMinimum": False}, {"minimum": 1}, id="inclusive"),
        pytest.param({"exclusiveMinimum": True}, {}, id="exclusive without bound"),
        pytest.param(
            {"type": "string", "example": "x"}, {"type": "string", "examples": ["x"]}, id="example"
        ),
    ],
)
def test_schemas_of_3_0_become_json_schema(schema: object, expected: object) -> None:
    assert converted(schema, "3.0.3") == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param(
            {"items": [{"type": "string"}, True], "additionalItems": False},
            {"prefixItems": [{"type": "string"}, True], "items": False},
            id="a closed tuple",
        ),
        pytest.param(
            {"items": [{"type": "string"}], "additionalItems": {"minimum": 1}},
            {"prefixItems": [{"type": "string"}], "items": {"minimum": 1}},
            id="a tuple and what follows",
        ),
        pytest.param(
            {"items": {"type": "string"}, "additionalItems": False},
            {"items": {"type": "string"}},
            id="additionalItems beside one schema",
        ),
        pytest.param(
            {"prefixItems": [True], "additionalItems": False},
            {"prefixItems": [True]},
            id="additionalItems beside prefixItems",
        ),
        pytest.param(
            {"dependencies": {"a": ["b"], "c": {"required": ["d"]}, "e": False}},
            {
                "dependentRequired": {"a": ["b"]},
                "dependentSchemas": {"c": {"required": ["d"]}, "e": False},
            },
            id="dependencies",
        ),
        pytest.param(
            {"dependencies": {"a": ["b"]}, "dependentRequired": {"a": ["c"], "d": ["e"]}},
            {"dependentRequired": {"a": ["c"], "d": ["e"]}},
            id="dependencies beside the modern word",
        ),
        pytest.param(
            {"dependencies": {"a": "b", "c": ["d", "d"], "e": ["\u200bf"]}},
            {},
            id="dependencies of no shape, and one that nobody sees",
        ),
        pytest.param({"dependencies": ["a"]}, {}, id="dependencies that are none"),
    ],
)
def test_keywords_of_older_drafts_become_those_of_2020_12(schema: object, expected: object) -> None:
    assert converted(schema) == expected


def test_what_older_keywords_refer_to_is_published() -> None:
    schema = {
        "dependencies": {"a": ref("A")},
        "items": [True],
        "additionalItems": ref("B"),
    }
    published = converted(schema, A={"minProperties": 2}, B={"type": "string"})
    assert published["$defs"] == {"A": {"minProperties": 2}, "B": {"type": "string"}}
    assert problems(
        document(
            {"/a": {"get": operation(parameters=[query("p", {"dependencies": {"a": ref("C")}})])}}
        )
    ) == [("/paths/~1a/get/parameters/0/schema/dependencies/a", "error")]


TREE = {
    "$dynamicAnchor": "node",
    "properties": {"children": {"type": "array", "items": {"$dynamicRef": "#node"}}},
}


def test_a_dynamic_reference_is_the_schema_that_it_names() -> None:
    published = converted({"$ref": "#node"}, Tree=TREE)
    assert published["$ref"] == "#/$defs/Tree"
    assert published["$defs"] == {
        "Tree": {
            "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
        }
    }


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param({"$dynamicRef": "#none"}, {}, id="none"),
        pytest.param({"$dynamicRef": "#twice"}, {}, id="several"),
        pytest.param({"$dynamicRef": 5}, {}, id="no text"),
    ],
)
def test_a_dynamic_reference_that_names_no_one_schema_says_nothing(
    schema: object, expected: object
) -> None:
    twice = {"$dynamicAnchor": "twice"}
    assert converted({**schema, "type": "string"}, A=twice, B=twice) == {  # type: ignore[dict-item]
        **expected,  # type: ignore[dict-item]
        "type": "string",
    }


def test_what_is_wrong_behind_a_dynamic_reference_costs_the_operation() -> None:
    broken = {"$dynamicAnchor": "node", "properties": {"a": ref("None")}}
    paths = {"/a": {"get": operation(parameters=[query("p", {"$dynamicRef": "#node"})])}}
    root = document(paths, components={"schemas": {"Broken": broken}})
    assert problems(root) == [("/components/schemas/Broken/properties/a", "error")]


def test_an_answer_has_another_fingerprint_when_a_dynamic_target_changes() -> None:
    def digest(kind: str) -> str:
        answer = {"$dynamicRef": "#node"}
        schemas = {"Tree": {"$dynamicAnchor": "node", "type": kind}}
        paths = {"/a": {"get": operation(answer=answer)}}
        return only_tool(document(paths, components={"schemas": schemas})).digest

    assert digest("object") != digest("array")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param(
            {**ref("A"), "nullable": True},
            {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]},
            id="beside a reference",
        ),
        pytest.param(
            {"type": ["string", "integer"], "nullable": True},
            {"type": ["string", "integer", "null"]},
            id="beside a list of types",
        ),
        pytest.param(
            {"type": ["string", "null"], "nullable": True},
            {"type": ["string", "null"]},
            id="said twice",
        ),
        pytest.param(
            {**ref("A"), "title": "T"}, {"$ref": "#/$defs/A", "title": "T"}, id="siblings count"
        ),
    ],
)
def test_nullable_of_older_habit_counts_in_3_1_too(
    schema: object, expected: Mapping[str, object]
) -> None:
    found = converted(schema, A={"type": "string"})
    assert {key: value for key, value in found.items() if key != "$defs"} == expected


def test_beside_a_reference_3_0_ignores_everything_even_what_dangles() -> None:
    schema = {**ref("A"), "nullable": True, "properties": {"x": {"$ref": "#/nope"}}}
    assert converted(schema, "3.0.3", A={"type": "string"}) == {
        "$ref": "#/$defs/A",
        "$defs": {"A": {"type": "string"}},
    }


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param({"required": True}, {}, id="required of draft 3"),
        pytest.param({"required": ["a", 5]}, {}, id="required with a number"),
        pytest.param({"required": ["a", "a"]}, {"required": ["a"]}, id="required twice"),
        pytest.param({"minimum": "5"}, {}, id="minimum as text"),
        pytest.param({"minLength": -1}, {}, id="negative length"),
        pytest.param({"minLength": 1.5}, {}, id="length and a half"),
        pytest.param({"minLength": 2.0}, {"minLength": 2.0}, id="length as float"),
        pytest.param({"maxLength": True}, {}, id="length as boolean"),
        pytest.param({"multipleOf": 0}, {}, id="multiple of nothing"),
        pytest.param({"type": "file"}, {}, id="unknown type"),
        pytest.param({"type": ["string", "file"]}, {}, id="unknown type in a list"),
        pytest.param({"type": [["string"]]}, {}, id="list in a list of types"),
        pytest.param({"type": ["string", "string"]}, {"type": ["string"]}, id="type twice"),
        pytest.param({"type": []}, {}, id="no type"),
        pytest.param({"enum": []}, {}, id="empty enum"),
        pytest.param({"enum": "a"}, {}, id="enum as text"),
        pytest.param({"const": None}, {"const": None}, id="const null"),
        pytest.param({"allOf": []}, {}, id="empty composition"),
        pytest.param({"allOf": {}}, {}, id="composition as object"),
        pytest.param(
            {"items": [{"type": "string"}]}, {"prefixItems": [{"type": "string"}]}, id="tuple items"
        ),
        pytest.param({"items": []}, {}, id="tuple of nothing"),
        pytest.param({"items": 5}, {}, id="items as number"),
        pytest.param({"properties": []}, {}, id="properties as list"),
        pytest.param(
            {"properties": {"a": 5, "b": False}},
            {"properties": {"a": True, "b": False}},
            id="odd members",
        ),
        pytest.param(
            {"properties": {"allOf": {"type": "string"}}},
            {"properties": {"allOf": {"type": "string"}}},
            id="a property called allOf",
        ),
        pytest.param({"pattern": "("}, {}, id="pattern that is none"),
        pytest.param({"pattern": "((a{1000}){1000}){100}"}, {}, id="pattern that explodes"),
        pytest.param({"pattern": "^.{1,255}$"}, {"pattern": "^.{1,255}$"}, id="pattern of length"),
        pytest.param(
            {"pattern": "^(?=a)\\p{L}"}, {"pattern": "^(?=a)\\p{L}"}, id="pattern with look-ahead"
        ),
        pytest.param(
            {"patternProperties": {"(": {}, "a": {}}},
            {"patternProperties": {"a": {}}},
            id="name pattern that is none",
        ),
        pytest.param({"dependentRequired": {"a": ["b", "b"]}}, {}, id="dependents twice"),
        pytest.param(
            {"xml": {}, "x-a": 1, "$id": "http://x", "externalDocs": {}}, {}, id="no constraints"
        ),
        pytest.param({"discriminator": "kind"}, {}, id="discriminator as text"),
    ],
)
def test_a_keyword_stays_when_its_value_can_mean_something(
    schema: object, expected: object
) -> None:
    assert converted(schema) == expected


def test_patterns_left_out_are_reported_where_they_stand_once() -> None:
    schemas = {"Code": {"pattern": "(", "patternProperties": {"[": {}}}}
    item = {
        method: operation(parameters=[query("p", ref("Code")), query("q", {"pattern": "*"})])
        for method in ("get", "put")
    }
    found = problems(document({"/a": item}, components={"schemas": schemas}))
    assert sorted(found) == [
        ("/components/schemas/Code/pattern", "warning"),
        ("/components/schemas/Code/patternProperties/[", "warning"),
        ("/paths/~1a/get/parameters/1/schema/pattern", "warning"),
        ("/paths/~1a/put/parameters/1/schema/pattern", "warning"),
    ]


def test_definitions_are_shared_and_recursion_stays_a_reference() -> None:
    node = {
        "type": "object",
        "properties": {"value": {}, "children": {"type": "array", "items": ref("Node")}},
    }
    assert converted(ref("Node"), Node=node) == {
        "$ref": "#/$defs/Node",
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {
                    "value": {},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
                },
            }
        },
    }


def test_definitions_that_share_a_name_both_take_a_hash() -> None:
    root = document(
        {
            "/a": {
                "get": operation(
                    parameters=[
                        query("p", ref("a.b")),
                        query("q", ref("a-b")),
                        query("r", ref("c")),
                    ]
                )
            }
        },
        components={
            "schemas": {
                "a.b": {"const": 1},
                "a-b": {"const": 2, "items": ref("a-b")},
                "c": {"items": ref("a.b")},
            }
        },
    )
    published = only_tool(root).input_schema
    # SHA-256 of `/components/schemas/a.b` and `/components/schemas/a-b`.
    dot, dash = "a_b_fbcd3a", "a_b_efb3d1"
    assert published == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "p": {"$ref": f"#/$defs/{dot}"},
            "q": {"$ref": f"#/$defs/{dash}"},
            "r": {"$ref": "#/$defs/c"},
        },
        "$defs": {
            dot: {"const": 1},
            dash: {"const": 2, "items": {"$ref": f"#/$defs/{dash}"}},
            "c": {"items": {"$ref": f"#/$defs/{dot}"}},
        },
    }


@pytest.mark.parametrize(
    ("pointer", "name"),
    [
        ("/components/schemas/Pet", "Pet"),
        ("/components/schemas/a~1b~0c", "a_b_c"),
        ("/components/schemas/com.example.Pet", "com_example_Pet"),
        ("/components/schemas/Pet/properties/0", "0"),
        ("/components/schemas/", "_"),
        ("/components/schemas/é", "_"),
    ],
)
def test_a_definition_is_called_by_the_last_token_of_its_pointer(pointer: str, name: str) -> None:
    assert definition_name(pointer) == name


PET = {
    "type": "object",
    "required": ["id", "name", "secret"],
    "properties": {
        "id": {"type": "string", "readOnly": True},
        "name": {"type": "string"},
        "secret": {"type": "string", "writeOnly": True},
        "nick": {"type": "string", "nullable": True},
    },
}


def test_inputs_lose_what_is_read_only_and_outputs_what_is_write_only() -> None:
    root = document(
        {"/a": {"post": operation(body={"allOf": [ref("Pet")]}, answer=ref("Pet"))}},
        version="3.0.3",
        components={"schemas": {"Pet": PET}},
    )
    tool = only_tool(root)
    text, maybe = {"type": "string"}, {"type": ["string", "null"]}
    assert tool.input_schema["$defs"] == {
        "Pet": {
            "type": "object",
            "required": ["name", "secret"],
            "properties": {"name": text, "secret": {**text, "writeOnly": True}, "nick": maybe},
        }
    }
    assert tool.response_schema["$defs"] == {
        "Pet": {
            "type": "object",
            "required": ["id", "name"],
            "properties": {"id": {**text, "readOnly": True}, "name": text, "nick": maybe},
        }
    }


def nested(levels: int, wrap: str) -> object:
    schema: object = {"type": "string"}
    for _ in range(levels):
        match wrap:
            case "items":
                schema = {"items": schema}
            case "properties":
                schema = {"properties": {"a/b": schema}}
            case _:
                schema = {"nullable": True, "allOf": [schema]}
    return schema


@pytest.mark.parametrize("wrap", ["items", "properties", "nullable allOf"])
def test_depth_is_bounded_alike_when_checked_converted_and_written(wrap: str) -> None:
    fine = document(
        {"/a": {"post": operation(body={"items": nested(MAX_DEPTH - 2, wrap)})}}, version="3.0.3"
    )
    for tool in catalog(fine).tools.values():
        assert orjson.dumps(tool.definition)
    deep = document(
        {"/a": {"post": operation(body={"items": nested(MAX_DEPTH - 1, wrap)})}}, version="3.0.3"
    )
    assert problems(deep) == [("/paths/~1a/post", "error")]


def test_a_deep_answer_costs_its_schema_only() -> None:
    root = document({"/a": {"get": operation(answer=nested(MAX_DEPTH, "items"))}})
    assert only_tool(root).response_schema == {}


@pytest.mark.parametrize(
    "schemas",
    [
        pytest.param({"A": {"allOf": [ref("A")]}}, id="allOf itself"),
        pytest.param({"A": {"anyOf": [ref("A"), {"type": "string"}]}}, id="anyOf itself"),
        pytest.param({"A": {**ref("B"), "title": "a"}, "B": {"not": ref("A")}}, id="through not"),
    ],
)
def test_a_schema_that_is_made_of_itself_is_published_and_validates(
    schemas: dict[str, object],
) -> None:
    root = document(
        {"/a": {"get": operation(parameters=[query("p", ref("A"))])}},
        components={"schemas": schemas},
    )
    validator = jsonschema_rs.Draft202012Validator(dict(only_tool(root).input_schema), offline=True)
    assert isinstance(validator.is_valid({"p": 1}), bool)


def test_a_fan_out_of_references_grows_with_the_document_not_with_its_paths() -> None:
    """6 references a level, 30 levels: 6^30 paths, 30 definitions."""
    schemas: dict[str, object] = {
        f"L{i}": {"properties": {f"p{j}": ref(f"L{i + 1}") for j in range(6)}} for i in range(30)
    }
    schemas["L30"] = {"type": "string"}
    found = converted(ref("L0"), "3.1.0", **schemas)
    definitions = found["$defs"]
    assert isinstance(definitions, dict)
    assert len(definitions) == 31


def test_definitions_are_converted_once_for_all_tools() -> None:
    body = {"type": "array", "items": ref("Pet")}
    item = {method: operation(body=body) for method in ("put", "post")}
    found = described(document({"/a": item}, components={"schemas": {"Pet": PET}}))
    put, post = read_catalog(found).tools.values()
    assert definition_of(put) is definition_of(post)


def definition_of(tool: Tool) -> object:
    definitions = tool.input_schema["$defs"]
    assert isinstance(definitions, dict)
    return definitions["Pet"]


ONE_WAY = {
    "type": "object",
    "required": ["id", "secret", "name"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "secret": {"type": "string", "writeOnly": True},
        "name": {"type": "string"},
    },
}


@pytest.mark.parametrize(
    ("direction", "shown", "required"),
    [
        (Direction.INPUT, {"secret", "name"}, ["secret", "name"]),
        (Direction.OUTPUT, {"id", "name"}, ["id", "name"]),
        (Direction.REQUEST, {"id", "secret", "name"}, ["secret", "name"]),
        (Direction.RESPONSE, {"id", "secret", "name"}, ["id", "name"]),
    ],
)
@pytest.mark.parametrize("composed", [False, True], ids=["plain", "allOf"])
def test_what_travels_one_way_is_left_out_or_tolerated(
    direction: Direction, shown: set[str], required: list[str], composed: bool
) -> None:
    own: dict[str, object] = ONE_WAY
    if composed:
        own = {
            "required": ONE_WAY["required"],
            "allOf": [{k: v for k, v in ONE_WAY.items() if k != "required"}],
        }
    schemas = described(document({}, components={"schemas": {"A": own}})).schemas
    reference = {"$ref": "#/components/schemas/A"}
    schemas.check(reference, "/x")
    made = schemas.bundle(lambda convert: {"body": convert(reference, "/x")}, direction)
    definitions = made["$defs"]
    assert isinstance(definitions, dict)
    found = definitions["A"]
    inner = found["allOf"][0] if composed else found
    assert inner["properties"].keys() == shown
    assert found["required"] == required
