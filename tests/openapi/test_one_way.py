"""What travels one way only, wherever a description says so."""

import pytest

from gateway.openapi import Direction, Document, OneWay, Schemas

ROOT: dict[str, object] = {
    "components": {
        "schemas": {
            "Id": {"type": "string", "readOnly": True},
            "Alias": {"$ref": "#/components/schemas/Id"},
            "Base": {"properties": {"id": {"type": "string", "readOnly": True}, "name": {}}},
            "Loop": {"allOf": [{"$ref": "#/components/schemas/Loop"}, {"title": "x"}]},
        }
    }
}
ID, ALIAS, BASE, LOOP = (
    {"$ref": f"#/components/schemas/{name}"} for name in ("Id", "Alias", "Base", "Loop")
)


@pytest.mark.parametrize(
    ("schema", "left_out"),
    [
        pytest.param({"readOnly": True}, True, id="itself"),
        pytest.param({"readOnly": "true"}, False, id="no flag"),
        pytest.param({"writeOnly": True}, False, id="the other way"),
        pytest.param(ID, True, id="behind a reference"),
        pytest.param(ALIAS, True, id="behind a chain"),
        pytest.param({"allOf": [{"title": "x"}, ID]}, True, id="in an allOf"),
        pytest.param({"anyOf": [ID]}, False, id="in one of several forms"),
        pytest.param({"items": ID}, False, id="in its items"),
        pytest.param(LOOP, False, id="a loop ends"),
        pytest.param({"$ref": "#/nowhere"}, False, id="a reference to nothing"),
        pytest.param(True, False, id="a boolean"),
    ],
)
def test_a_property_is_left_out_where_anything_about_it_says_so(
    schema: object, left_out: bool
) -> None:
    words = OneWay(Document(ROOT)).words(schema, "")
    assert (Direction.INPUT.value in words) is left_out


def converted(schema: dict[str, object]) -> object:
    schemas = Schemas(Document(ROOT), ref_siblings=True)
    made = schemas.bundle(lambda convert: {"root": convert(schema, "")}, Direction.INPUT)
    return made["root"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param(
            {"properties": {"id": ID, "name": {}}, "required": ["id", "name"]},
            {"properties": {"name": {}}, "required": ["name"]},
            id="behind a reference",
        ),
        pytest.param(
            {"allOf": [BASE], "required": ["id", "name"]},
            {"allOf": [{"$ref": "#/$defs/Base"}], "required": ["name"]},
            id="required beside the allOf",
        ),
        pytest.param(
            {"allOf": [BASE, {"title": "x"}, {"required": ["id"]}]},
            {"allOf": [{"$ref": "#/$defs/Base"}, {"title": "x"}, {}]},
            id="required in another part",
        ),
        pytest.param(
            {"properties": {"id": ID}, "allOf": [{"allOf": [{"required": ["id", "x"]}]}]},
            {"properties": {}, "allOf": [{"allOf": [{"required": ["x"]}]}]},
            id="required parts within parts",
        ),
        pytest.param(
            {"allOf": [BASE], "properties": {"child": {"required": ["id"]}}},
            {
                "allOf": [{"$ref": "#/$defs/Base"}],
                "properties": {"child": {"required": ["id"]}},
            },
            id="another object's",
        ),
    ],
)
def test_nothing_requires_what_is_left_out(
    schema: dict[str, object], expected: dict[str, object]
) -> None:
    assert converted(schema) == expected
