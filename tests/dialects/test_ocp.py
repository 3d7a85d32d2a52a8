import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jsonschema_rs
import pytest

from gateway.catalog import Tool
from gateway.dialects import ocp_tool
from gateway.dialects.ocp import MAX_DEFINITIONS
from gateway.openapi.schemas import LEFT_OUT
from tests.support.documents import document, only_tool, operation, query

PROTOCOL = Path(__file__).parents[1] / "support" / "ocp-tool.schema.json"


@cache
def protocol() -> jsonschema_rs.Draft7Validator:
    return jsonschema_rs.Draft7Validator(json.loads(PROTOCOL.read_text()), offline=True)


def tool(item: object, path: str = "/a", *, schemas: object = None) -> Tool:
    return only_tool(document({path: {"post": item}}, components={"schemas": schemas or {}}))


def parameter(schema: object, **schemas: object) -> Mapping[str, object]:
    """The OCP form of one query parameter."""
    made = ocp_tool(tool(operation(parameters=[query("p", schema)]), schemas=schemas))
    protocol().validate(made)
    parameters = made["parameters"]
    assert isinstance(parameters, dict)
    found = parameters["p"]
    assert isinstance(found, dict)
    return found


def test_a_tool_has_every_member_of_the_protocol() -> None:
    made = tool(
        operation(
            operationId="pets/add",
            summary="Add",
            tags=["a", "b", "a"],
            deprecated=True,
            security=[{"key": []}, {"oauth": ["read", 5]}, {"bad": "x"}, "y"],
            parameters=[query("kind", {"type": "string", "enum": ["x"], "default": "x"})],
            answer={"type": "object", "properties": {"id": {"type": "integer"}}},
        )
    )
    assert ocp_tool(made) == {
        "name": "petsAdd",
        "description": "Deprecated. Add",
        "method": "POST",
        "path": "/a",
        "operation_id": "pets/add",
        "parameters": {
            "kind": {
                "type": "string",
                "required": False,
                "location": "query",
                "schema": {"type": "string", "enum": ["x"], "default": "x"},
                "description": "",
                "default": "x",
                "enum": ["x"],
            }
        },
        "response_schema": {"type": "object", "properties": {"id": {"type": "integer"}}},
        "tags": ["a", "b"],
        "deprecated": True,
        "security": [{"key": []}, {"oauth": ["read"]}],
    }


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        pytest.param({"type": "integer"}, "integer", id="word"),
        pytest.param({"type": ["null", "array"]}, "array", id="list"),
        pytest.param({"$ref": "#/components/schemas/Object"}, "object", id="reference"),
        pytest.param({"$ref": "#/components/schemas/Alias"}, "object", id="chain"),
        pytest.param(
            {"allOf": [{"$ref": "#/components/schemas/Object"}]}, "object", id="allOf of one"
        ),
        pytest.param(
            {"allOf": [{"description": "d"}, {"$ref": "#/components/schemas/Object"}]},
            "object",
            id="allOf, the second says it",
        ),
        pytest.param(
            {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/Object"}]},
            "object",
            id="null or object",
        ),
        pytest.param(
            {"oneOf": [{"items": {}}, {"type": "string"}]}, "array", id="the first of oneOf"
        ),
        pytest.param(
            {"allOf": [{"$ref": "#/components/schemas/Loop"}]}, "string", id="made of itself"
        ),
        pytest.param({"properties": {}}, "object", id="by its properties"),
        pytest.param({"items": {}}, "array", id="by its items"),
        pytest.param({"enum": [True]}, "boolean", id="by a boolean"),
        pytest.param({"enum": [1, 2]}, "number", id="by a number"),
        pytest.param({"const": "x"}, "string", id="by a text"),
        pytest.param({"type": "null"}, "string", id="null alone"),
        pytest.param({}, "string", id="nothing said"),
        pytest.param(False, "string", id="nothing admitted"),
    ],
)
def test_a_parameter_has_one_type_word(schema: object, word: str) -> None:
    found = parameter(
        schema,
        Object={"type": "object"},
        Alias={"$ref": "#/components/schemas/Object"},
        Loop={"allOf": [{"$ref": "#/components/schemas/Loop"}]},
    )
    assert found["type"] == word


def test_a_parameter_carries_what_its_discriminator_chooses_among() -> None:
    found = parameter(
        {"$ref": "#/components/schemas/Pet"},
        Pet={"discriminator": {"propertyName": "kind", "mapping": {"c": "Cat"}}},
        Cat={"type": "object", "properties": {"claws": {"$ref": "#/components/schemas/Claws"}}},
        Claws={"type": "integer"},
    )
    schema = found["schema"]
    assert isinstance(schema, dict)
    assert schema["$defs"].keys() == {"Pet", "Cat", "Claws"}


def test_the_name_and_place_on_the_wire_stay_visible() -> None:
    made = tool(
        operation(
            parameters=[
                {"name": "X-Trace", "in": "header", "schema": {}},
                {"name": "sid", "in": "cookie", "schema": {"type": "string"}},
                {"name": "id", "in": "path", "required": True, "schema": {}},
            ],
            body={"properties": {"id": {}}},
        ),
        "/a/{id}",
    )
    parameters = ocp_tool(made)["parameters"]
    assert isinstance(parameters, dict)
    assert {
        name: (p["location"], p["schema"], p["required"]) for name, p in parameters.items()
    } == {
        "id": ("path", {}, True),
        "X_Trace": ("header", {"x-name": "X-Trace"}, False),
        "sid": ("header", {"type": "string", "x-location": "cookie"}, False),
        "id_body": ("body", {"x-name": "id"}, False),
    }


def test_what_the_protocol_repeats_holds_no_reference_that_dangles() -> None:
    found = parameter(
        {"$ref": "#/components/schemas/Node"},
        Node={"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}},
    )
    assert "properties" not in found
    whole = found["schema"]
    assert isinstance(whole, dict)
    jsonschema_rs.Draft202012Validator(whole, offline=True)


def test_a_parameter_has_the_definitions_that_it_leads_to_and_no_others() -> None:
    ref = "#/components/schemas/"
    schemas = {
        "A": {"properties": {"b": {"$ref": f"{ref}B"}}},
        "B": {"items": {"$ref": f"{ref}A"}},
        "C": {"type": "string"},
    }
    parameters = [
        {"name": name, "in": "query", "schema": schema}
        for name, schema in {
            "a": {"$ref": f"{ref}A"},
            "c": {"$ref": f"{ref}C"},
            "x": {"type": "integer"},
        }.items()
    ]
    made = ocp_tool(tool(operation(parameters=parameters), schemas=schemas))["parameters"]
    assert isinstance(made, dict)
    found = {name: sorted(made[name]["schema"].get("$defs", ())) for name in made}
    assert found == {"a": ["A", "B"], "c": ["C"], "x": []}


def test_the_definitions_of_one_tool_have_a_bound() -> None:
    names = [f"S{n}" for n in range(60)]
    mesh = {name: {"$ref": f"#/components/schemas/{name}"} for name in names}
    schemas = {name: {"type": "object", "properties": mesh} for name in names}
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": mesh}}}}
    made = ocp_tool(tool(operation(requestBody=body), schemas=schemas))
    protocol().validate(made)
    parameters = made["parameters"]
    assert isinstance(parameters, dict)
    assert len(parameters) == len(names)
    definitions = {name: parameters[name]["schema"]["$defs"] for name in parameters}
    # All there and complete in the first, what had no room admits everything.
    assert set(definitions["S0"]) == set(names)
    assert definitions["S0"]["S0"]["type"] == "object"
    assert set(definitions["S59"]) == {"S59"}
    assert definitions["S59"]["S59"] == LEFT_OUT
    assert len(json.dumps(made)) < 2 * MAX_DEFINITIONS


@pytest.mark.parametrize(
    ("member", "value", "kept"),
    [
        ("minimum", 1, True),
        ("minimum", 1.5, True),
        ("maxLength", 5, True),
        ("maxLength", 5.0, False),
        ("pattern", "a", True),
        ("items", {"type": "string"}, True),
        ("items", True, False),
        ("format", "date", True),
        ("exclusiveMinimum", 1, False),
    ],
)
def test_a_parameter_repeats_what_the_protocol_has_a_member_for(
    member: str, value: object, kept: bool
) -> None:
    found = parameter({member: value})
    assert (found.get(member) == value) is kept
    whole = found["schema"]
    assert isinstance(whole, dict)
    assert whole[member] == value


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(None, {}, id="none"),
        pytest.param({"type": "array", "items": {}}, {"type": "array", "items": {}}, id="as it is"),
        pytest.param(
            {"type": ["object", "null"]}, {"anyOf": [{"type": ["object", "null"]}]}, id="type list"
        ),
        pytest.param({"items": True}, {"anyOf": [{"items": True}]}, id="boolean items"),
        pytest.param(
            {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/A"}},
            {
                "anyOf": [{"type": ["array", "null"], "items": {"$ref": "#/$defs/A"}}],
                "$defs": {"A": {"const": 1}},
            },
            id="definitions stay at the root",
        ),
        pytest.param(True, {}, id="anything"),
    ],
)
def test_an_answers_schema_fits_the_protocol(answer: object, expected: object) -> None:
    made = ocp_tool(tool(operation(answer=answer), schemas={"A": {"const": 1}}))
    protocol().validate(made)
    assert made["response_schema"] == expected
