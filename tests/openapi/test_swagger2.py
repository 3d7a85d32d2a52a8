"""Swagger 2.0 read into the same values as OpenAPI 3."""

import pytest

from gateway.catalog import read_catalog
from gateway.openapi import Body, Parameter, read_description, read_servers

Json = dict[str, object]


def swagger(post: Json, *, shared: list[Json] | None = None, **root: object) -> Json:
    item: Json = {"post": {"responses": {}} | post}
    if shared:
        item["parameters"] = shared
    return {"swagger": "2.0", "paths": {"/a": item}} | root


def inputs(post: Json) -> tuple[tuple[Parameter, ...], Body | None]:
    found = read_description(swagger(post), api="t")
    assert [p for p in found.problems if p.severity == "error"] == []
    return found.operations[0].parameters, found.operations[0].body


def body_of(*parameters: Json, **post: object) -> Body:
    body = inputs({"parameters": list(parameters), **post})[1]
    assert body is not None
    return body


@pytest.mark.parametrize(
    ("given", "style", "explode"),
    [
        pytest.param({}, "form", False, id="csv by default"),
        pytest.param({"collectionFormat": "csv"}, "form", False, id="csv"),
        pytest.param({"collectionFormat": "ssv"}, "spaceDelimited", False, id="ssv"),
        pytest.param({"collectionFormat": "tsv"}, "tabDelimited", False, id="tsv"),
        pytest.param({"collectionFormat": "pipes"}, "pipeDelimited", False, id="pipes"),
        pytest.param({"collectionFormat": "multi"}, "form", True, id="multi"),
        pytest.param({"collectionFormat": ["x"]}, "form", False, id="nonsense"),
    ],
)
def test_a_collection_format_is_a_style(given: Json, style: str, explode: bool) -> None:
    raw: Json = {"name": "q", "in": "query", "type": "array", "items": {"type": "string"}}
    raw |= given
    (found,), body = inputs({"parameters": [raw]})
    assert (found.style, found.explode, body) == (style, explode, None)


@pytest.mark.parametrize("location", ["path", "header"])
@pytest.mark.parametrize(
    ("given", "style"),
    [
        pytest.param("csv", "simple", id="csv"),
        pytest.param("pipes", "pipeDelimited", id="pipes"),
        pytest.param("multi", "simple", id="multi is for queries and forms"),
    ],
)
def test_lists_elsewhere_have_their_format_too(location: str, given: str, style: str) -> None:
    raw: Json = {
        "name": "x",
        "in": location,
        "type": "array",
        "items": {},
        "collectionFormat": given,
    }
    document = {"swagger": "2.0", "paths": {"/{x}": {"get": {"parameters": [raw]}}}}
    found = next(
        p
        for p in read_description(document, api="t").operations[0].parameters
        if p.location == location
    )
    assert (found.style, found.explode) == (style, False)


def test_a_parameter_is_its_own_schema() -> None:
    raw: Json = {
        "name": "n",
        "in": "query",
        "required": True,
        "description": " How many ",
        "type": "integer",
    }
    (found,), _ = inputs({"parameters": [raw | {"maximum": 5}]})
    assert found.schema == {"type": "integer", "maximum": 5}
    assert (found.required, found.description) == (True, "How many")
    assert found.pointer == found.schema_pointer == "/paths/~1a/post/parameters/0"


def test_a_body_is_found_among_the_parameters_and_by_reference() -> None:
    shared: Json = {
        "Pet": {"name": "pet", "in": "body", "required": True, "schema": {"type": "object"}}
    }
    root = swagger({"parameters": [{"$ref": "#/parameters/Pet"}]}) | {"parameters": shared}
    body = read_description(root, api="t").operations[0].body
    assert body is not None
    assert (body.media_type, body.required) == ("application/json", True)
    assert (body.schema, body.pointer) == ({"type": "object"}, "/parameters/Pet/schema")


@pytest.mark.parametrize(
    ("consumes", "media_type"),
    [
        pytest.param([], "application/json", id="nothing said"),
        pytest.param(["text/plain", "application/json"], "application/json", id="JSON first"),
        pytest.param(
            ["application/x-www-form-urlencoded"], "application/json", id="form is no body"
        ),
        pytest.param(["application/xml"], "application/xml", id="XML alone"),
    ],
)
def test_consumes_decides_the_media_type(consumes: list[str], media_type: str) -> None:
    raw: Json = {"name": "b", "in": "body", "schema": {}}
    assert body_of(raw, consumes=consumes).media_type == media_type


def test_an_operation_has_one_body_its_own() -> None:
    theirs: Json = {"name": "theirs", "in": "body", "schema": {"type": "string"}}
    own: Json = {"name": "own", "in": "body", "schema": {"type": "integer"}}
    root = swagger({"parameters": [own]}, shared=[theirs])
    body = read_description(root, api="t").operations[0].body
    assert body is not None
    assert body.schema == {"type": "integer"}


def test_form_fields_make_one_object() -> None:
    body = body_of(
        {"name": "a", "in": "formData", "type": "string", "required": True, "description": "An a"},
        {"name": "b", "in": "formData", "type": "array", "items": {}, "collectionFormat": "multi"},
        {"name": "c", "in": "formData", "type": "array", "items": {}},
        {"name": "d", "in": "formData", "type": "integer", "allowEmptyValue": True},
    )
    assert (body.media_type, body.required) == ("application/x-www-form-urlencoded", True)
    assert body.schema == {
        "type": "object",
        "properties": {
            "a": {"type": "string", "description": "An a"},
            "b": {"type": "array", "items": {}},
            "c": {"type": "array", "items": {}},
            "d": {"anyOf": [{"type": "integer"}, {"const": ""}]},
        },
        "required": ["a"],
    }
    assert {name: (e.style, e.explode) for name, e in body.encodings.items()} == {
        "b": ("form", True),
        "c": ("form", False),
    }


def test_a_file_makes_the_form_multipart() -> None:
    body = body_of({"name": "f", "in": "formData", "type": "file"})
    assert (body.media_type, body.required) == ("multipart/form-data", False)
    assert isinstance(body.schema, dict)
    assert body.schema["properties"] == {"f": {"type": "string", "format": "binary"}}


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(5, id="no object"),
        pytest.param({"in": "query", "required": True}, id="no name"),
        pytest.param({"name": "x", "in": "cookie"}, id="place of version 3"),
        pytest.param({"name": "x", "in": "body", "schema": []}, id="body without a schema"),
    ],
)
def test_a_bad_parameter_costs_its_operation(raw: object) -> None:
    found = read_description(swagger({"parameters": [raw]}), api="t")
    assert found.operations == ()
    assert [p.severity for p in found.problems] == ["error"]


@pytest.mark.parametrize("schema", [{}, {"schema": None}], ids=["absent", "null"])
def test_a_body_whose_schema_is_not_there_may_be_anything(schema: Json) -> None:
    body = body_of({"name": "b", "in": "body", **schema})
    assert body.schema is True


def test_a_parameter_without_a_name_is_left_out() -> None:
    found = read_description(swagger({"parameters": [{"in": "query", "name": ""}]}), api="t")
    assert [o.parameters for o in found.operations] == [()]
    assert [p.severity for p in found.problems] == ["warning"]


def test_an_extension_says_that_null_is_fine() -> None:
    raw: Json = {"name": "q", "in": "query", "type": "string", "x-nullable": True}
    catalog = read_catalog(read_description(swagger({"parameters": [raw]}), api="t"))
    properties = catalog.tools["postA"].input_schema["properties"]
    assert properties == {"q": {"type": ["string", "null"]}}


@pytest.mark.parametrize(
    ("produces", "schema"),
    [
        pytest.param(["application/json"], {"type": "integer"}, id="JSON"),
        pytest.param([], {"type": "integer"}, id="nothing said"),
        pytest.param(["text/csv"], {}, id="no JSON"),
    ],
)
def test_a_response_has_its_schema_itself(produces: list[str], schema: Json) -> None:
    answer: Json = {"200": {"description": "", "schema": {"type": "integer"}}}
    root = swagger({"responses": answer}, produces=produces)
    assert read_catalog(read_description(root, api="t")).tools["postA"].response_schema == schema


@pytest.mark.parametrize(
    ("root", "urls"),
    [
        pytest.param({}, ["/"], id="nothing"),
        pytest.param({"basePath": "/v1"}, ["/v1"], id="path only"),
        pytest.param({"host": "h"}, ["https://h/"], id="https by default"),
        pytest.param(
            {"host": "h:8", "basePath": "/v1", "schemes": ["http", "https", "wss"]},
            ["http://h:8/v1", "https://h:8/v1"],
            id="all",
        ),
        pytest.param({"host": 5, "basePath": 5, "schemes": 5}, ["/"], id="nonsense"),
    ],
)
def test_servers_are_made_of_scheme_host_and_path(root: Json, urls: list[str]) -> None:
    assert list(read_servers({"swagger": "2.0"} | root)) == urls
