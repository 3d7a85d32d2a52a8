import pytest

from gateway.errors import DescriptionError
from tests.support.documents import described, document, operation, problems

PATH_ITEMS = {"list": {"get": operation(operationId="listAll")}}


@pytest.mark.parametrize(
    ("openapi", "version"),
    [("3.0.0", "3.0"), ("3.0.3", "3.0"), (3.0, "3.0"), ("3.1.0", "3.1"), (3.1, "3.1")],
)
def test_both_versions_are_read_quoted_or_not(openapi: object, version: str) -> None:
    assert described({"openapi": openapi, "paths": {}}).version == version


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        pytest.param(None, "not an object", id="nothing"),
        pytest.param([], "not an object", id="list"),
        pytest.param("openapi: 3.1.0", "not an object", id="text"),
        pytest.param({}, "no `openapi` member", id="empty"),
        pytest.param({"swagger": "1.2"}, "Swagger 1.2 is not supported", id="swagger"),
        pytest.param({"openapi": "3.3.0"}, "OpenAPI 3.3.0 is not supported", id="3.3"),
        pytest.param({"openapi": "3.10.0"}, "OpenAPI 3.10.0 is not supported", id="3.10"),
        pytest.param({"openapi": "4"}, "OpenAPI 4 is not supported", id="4"),
        pytest.param({"openapi": {"a": 1}}, "is not supported", id="object as version"),
        pytest.param({"openapi": "3.1.0", "paths": []}, "/paths", id="paths is a list"),
        pytest.param({"swagger": "x\n" * 500}, "Swagger x is not supported", id="long version"),
    ],
)
def test_what_is_no_usable_description_is_refused_in_one_line(root: object, reason: str) -> None:
    with pytest.raises(DescriptionError, match=reason) as caught:
        described(root)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 200


def test_a_description_may_have_no_paths() -> None:
    assert described({"openapi": "3.1.0", "webhooks": {}}).operations == ()


@pytest.mark.parametrize(
    ("info", "title"),
    [({"title": " Pets "}, "Pets"), ({"title": 5}, ""), ({}, ""), (None, ""), ("Pets", "")],
)
def test_the_title_is_text_or_empty(info: object, title: str) -> None:
    assert described({"openapi": "3.1.0", "info": info}).title == title


def test_every_method_of_a_tool_becomes_an_operation_and_others_are_reported() -> None:
    item = {m: operation() for m in ("get", "put", "post", "delete", "patch", "head", "options")}
    found = described(document({"/a": {**item, "trace": operation(), "query": {}, "GET": {}}}))
    assert {o.method for o in found.operations} == {m.upper() for m in item}
    assert [(p.pointer, p.severity) for p in found.problems] == [
        ("/paths/~1a/trace", "warning"),
        ("/paths/~1a/query", "warning"),
    ]


GOOD = {"get": operation(operationId="good")}


@pytest.mark.parametrize(
    ("broken", "pointer"),
    [
        pytest.param({"/b": []}, "/paths/~1b", id="path item list"),
        pytest.param({"b": GOOD}, "/paths/b", id="path without slash"),
        pytest.param({"/b": {"get": None}}, "/paths/~1b/get", id="operation null"),
        pytest.param({"/b": {"get": True}}, "/paths/~1b/get", id="operation boolean"),
        pytest.param({"/b": {"$ref": "x.yaml"}}, "/paths/~1b", id="external path item"),
        pytest.param({"/b": {"$ref": "#/paths/~1b"}}, "/paths/~1b", id="path item is itself"),
        pytest.param({"/b": {"$ref": "#/info/title"}}, "/info/title", id="path item is text"),
        pytest.param(
            {"/b": {"get": {"parameters": {}}}}, "/paths/~1b/get/parameters", id="parameters object"
        ),
        pytest.param(
            {"/b": {"get": {"parameters": [{"$ref": "#/nope"}]}}},
            "/paths/~1b/get/parameters/0",
            id="parameter dangling",
        ),
        pytest.param(
            {"/b": {"get": {"parameters": [{"in": "query", "required": True}]}}},
            "/paths/~1b/get/parameters/0",
            id="required parameter without name",
        ),
        pytest.param(
            {"/b": {"get": {"requestBody": {"$ref": "http://127.0.0.1:9/x"}}}},
            "/paths/~1b/get/requestBody",
            id="external body",
        ),
        pytest.param(
            {"/b": {"get": {"requestBody": {"content": {}, "required": True}}}},
            "/paths/~1b/get/requestBody",
            id="required body without content",
        ),
        pytest.param(
            {"/b": {"get": {"requestBody": 5}}}, "/paths/~1b/get/requestBody", id="body is a number"
        ),
        pytest.param(
            {"/b": {"post": operation(body=5)}},
            "/paths/~1b/post/requestBody/content/application~1json/schema",
            id="body's schema is a number",
        ),
        pytest.param(
            {"/b": {"post": operation(body={"items": {"$ref": "#/nope"}})}},
            "/paths/~1b/post/requestBody/content/application~1json/schema/items",
            id="schema dangling",
        ),
        pytest.param(
            {"/b": {"post": operation(body={"items": [{"$ref": "#/nope"}]})}},
            "/paths/~1b/post/requestBody/content/application~1json/schema/items/0",
            id="schema dangling in a tuple",
        ),
        pytest.param(
            {"/b": {"post": operation(body={"$ref": "#/info/title"})}},
            "/paths/~1b/post/requestBody/content/application~1json/schema",
            id="schema is text",
        ),
    ],
)
def test_a_fault_costs_what_it_stands_in_and_nothing_else(
    broken: dict[str, object], pointer: str
) -> None:
    root = document({"/a": GOOD, **broken, "/c": {"get": operation(operationId="last")}})
    found = described(root)
    assert [o.operation_id for o in found.operations] == ["good", "last"]
    assert [(p.pointer, p.severity) for p in found.problems] == [(pointer, "error")]


def test_a_dangling_definition_costs_every_operation_that_reaches_it() -> None:
    schemas = {
        "Good": {"type": "string"},
        "Bad": {"properties": {"x": {"$ref": "#/components/schemas/Lost"}}},
        "Loop": {"$ref": "#/components/schemas/Loop"},
    }
    refs = {name: {"$ref": f"#/components/schemas/{name}"} for name in schemas}
    item = {
        "put": operation(body=refs["Bad"]),
        "post": operation(body={"properties": {"a": refs["Good"], "b": refs["Bad"]}}),
        "patch": operation(body=refs["Good"]),
        "delete": operation(body={"items": refs["Loop"]}),
    }
    found = described(document({"/a": item}, components={"schemas": schemas}))
    assert [o.method for o in found.operations] == ["PATCH"]
    assert [p.severity for p in found.problems] == ["error"] * 3
    # Skipped or not, an operation takes part in clashes of names.
    assert len(found.signatures) == 4


def test_extensions_under_paths_are_no_paths() -> None:
    assert problems(document({"x-internal": ["a", "b"], "/a": {"x-note": 5, "get": {}}})) == []


def test_a_path_item_may_be_a_reference_with_members_of_its_own() -> None:
    shared = {"get": operation(operationId="theirs"), "put": operation(operationId="put")}
    root = document(
        {"/a": {"$ref": "#/components/pathItems/A", "get": operation(operationId="ours")}},
        components={"pathItems": {"A": shared}},
    )
    found = {o.method: (o.operation_id, o.pointer) for o in described(root).operations}
    assert found == {
        "GET": ("ours", "/paths/~1a/get"),
        "PUT": ("put", "/components/pathItems/A/put"),
    }


@pytest.mark.parametrize("given", [5, None, ["a"], True, {}], ids=repr)
def test_an_operation_id_that_is_not_text_is_as_good_as_none(given: object) -> None:
    (found,) = described(document({"/a": {"get": operation(operationId=given)}})).operations
    assert found.operation_id is None


def test_a_finding_in_what_operations_share_is_reported_once() -> None:
    shared = [{"name": "Host", "in": "header", "schema": {}}]
    item = {"parameters": shared, "get": operation(), "put": operation()}
    assert problems(document({"/a": item})) == [("/paths/~1a/parameters/0", "warning")]


def test_tags_and_texts_are_read_where_they_are_what_they_should_be() -> None:
    odd = operation(tags=["a", 5, "b", "a"], summary=7, description=" text ", deprecated="yes")
    (found,) = described(document({"/a": {"get": odd}})).operations
    assert (found.tags, found.text("summary"), found.text("description"), found.deprecated) == (
        ("a", "b"),
        "",
        "text",
        False,
    )


def test_an_empty_path_item_costs_nothing() -> None:
    root = document({"/a": {"get": operation()}, "/b": None})
    assert len(described(root).operations) == 1
    assert problems(root) == [("/paths/~1b", "warning")]


@pytest.mark.parametrize(
    ("root", "version"),
    [
        pytest.param({"swagger": "2.0"}, "2.0", id="2.0"),
        pytest.param({"swagger": 2.0}, "2.0", id="2.0 unquoted"),
        pytest.param({"swagger": 2}, "2.0", id="2"),
        pytest.param({"openapi": 3.0}, "3.0", id="3.0 unquoted"),
        pytest.param({"openapi": "3.1.1"}, "3.1", id="3.1"),
        pytest.param({"openapi": "3.2.0"}, "3.2", id="3.2"),
    ],
)
def test_every_version_in_use_is_read(root: dict[str, object], version: str) -> None:
    assert described(root | {"paths": {}}).version == version


def test_the_methods_that_only_3_2_has_are_reported() -> None:
    item = {"query": operation(), "additionalOperations": {"LINK": operation()}}
    root = document({"/a": item}) | {"openapi": "3.2.0"}
    assert described(root).operations == ()
    assert problems(root) == [
        ("/paths/~1a/query", "warning"),
        ("/paths/~1a/additionalOperations/LINK", "warning"),
    ]
