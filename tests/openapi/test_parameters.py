import pytest

from gateway.openapi import Operation
from tests.support.documents import described, document, operation, problems, query


def read(item: object, path: str = "/a", components: object = None) -> Operation:
    found = described(document({path: item}, components=components))
    assert not [p for p in found.problems if p.severity == "error"], found.problems
    return found.operations[0]


def one(parameter: object, path: str = "/a") -> Operation:
    return read({"get": operation(parameters=[parameter])}, path)


def test_an_operation_overrides_its_path_by_name_and_place() -> None:
    shared = [
        query("id", {"type": "integer"}),
        query("page", True),
        {"$ref": "#/components/parameters/H"},
    ]
    own = [query("id", {"type": "string"}), {"name": "page", "in": "cookie", "schema": {}}]
    found = read(
        {"parameters": shared, "get": operation(parameters=own)},
        components={"parameters": {"H": {"name": "X-H", "in": "header", "schema": {}}}},
    )
    assert [(p.location, p.name, p.schema) for p in found.parameters] == [
        ("query", "id", {"type": "string"}),
        ("query", "page", True),
        ("header", "X-H", {}),
        ("cookie", "page", {}),
    ]


@pytest.mark.parametrize(
    ("location", "members", "style", "explode"),
    [
        ("path", {}, "simple", False),
        ("path", {"explode": True}, "simple", True),
        ("path", {"style": "label"}, "label", False),
        ("path", {"style": "matrix", "explode": True}, "matrix", True),
        ("query", {}, "form", True),
        ("query", {"explode": False}, "form", False),
        ("cookie", {"style": "cookie"}, "cookie", True),
        ("query", {"style": "spaceDelimited"}, "spaceDelimited", False),
        ("query", {"style": "pipeDelimited"}, "pipeDelimited", False),
        ("query", {"style": "deepObject", "explode": True}, "deepObject", True),
        ("query", {"explode": "yes"}, "form", True),
        ("header", {}, "simple", False),
        ("cookie", {}, "form", True),
    ],
)
def test_style_and_explode_have_the_defaults_of_their_place(
    location: str, members: dict[str, object], style: str, explode: bool
) -> None:
    found = one({"name": "p", "in": location, "schema": {}, **members}, "/a/{p}")
    (parameter,) = (p for p in found.parameters if p.location == location)
    assert (parameter.style, parameter.explode) == (style, explode)


@pytest.mark.parametrize(
    "parameter",
    [
        pytest.param({"name": "p", "in": "body", "schema": {}}, id="Swagger body"),
        pytest.param({"name": "p", "in": ["query"], "schema": {}}, id="place is a list"),
        pytest.param({"name": "p", "schema": {}}, id="no place"),
        pytest.param({"name": "", "in": "query", "required": True}, id="empty name"),
        pytest.param({"name": 5, "in": "query", "required": True}, id="name is a number"),
        pytest.param(query("p", {}, style="deep"), id="unknown style"),
        pytest.param(query("p", {}, style=["form"]), id="style is a list"),
        pytest.param(query("p", {}, style="simple"), id="style of another place"),
        pytest.param(query("p", "text"), id="schema is text"),
        pytest.param({"name": "p", "in": "query", "content": {}}, id="no media type"),
        pytest.param(
            {"name": "p", "in": "query", "content": {"a/b": {"schema": 5}}}, id="schema is a number"
        ),
        pytest.param({"name": "p", "in": "query", "content": {"a/b": {}, "c/d": {}}}, id="two"),
        pytest.param({"name": "a b", "in": "header", "schema": {}}, id="no header name"),
        pytest.param({"name": "a\r\nb", "in": "header", "schema": {}}, id="header injection"),
        pytest.param("text", id="no object"),
    ],
)
def test_an_unusable_parameter_skips_the_operation(parameter: object) -> None:
    found = problems(document({"/a": {"get": operation(parameters=[parameter])}}))
    assert [severity for _, severity in found] == ["error"]
    assert found[0][0].startswith("/paths/~1a/get/parameters/0")


@pytest.mark.parametrize("members", [{"name": ""}, {"name": 5}, {}, {"required": False}])
def test_a_parameter_without_a_name_is_left_out(members: dict[str, object]) -> None:
    root = document({"/a": {"get": operation(parameters=[{"in": "query", **members}])}})
    assert described(root).operations[0].parameters == ()
    assert problems(root) == [("/paths/~1a/get/parameters/0", "warning")]


@pytest.mark.parametrize("body", [{}, {"content": {}}, {"content": {}, "required": False}])
def test_a_body_without_content_is_left_out(body: dict[str, object]) -> None:
    root = document({"/a": {"post": operation(requestBody=body)}})
    assert described(root).operations[0].body is None
    assert problems(root) == [("/paths/~1a/post/requestBody", "warning")]


def test_a_schema_that_is_null_says_nothing_of_the_value() -> None:
    body = {"content": {"application/json": {"schema": None}}}
    item = operation(parameters=[query("p", None)], requestBody=body)
    (found,) = described(document({"/a": {"post": item}})).operations
    assert [p.schema for p in found.parameters] == [True]
    assert found.body is not None
    assert found.body.schema is True


@pytest.mark.parametrize("name", ["Accept", "content-type", "AUTHORIZATION"])
def test_the_headers_that_openapi_ignores_are_ignored_silently(name: str) -> None:
    root = document({"/a": {"get": operation(parameters=[{"name": name, "in": "header"}])}})
    assert described(root).operations[0].parameters == ()
    assert problems(root) == []


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "Cookie",
        "Content-Length",
        "Transfer-Encoding",
        "X-Forwarded-For",
        "OCP-Session",
        "Mcp-Session-Id",
        "Proxy-Authorization",
        "Sec-Fetch-Site",
        "connection",
        "OCP_Context_ID",
        "x_forwarded_for",
        "Content_Type",
    ],
)
def test_a_header_that_no_argument_may_set_is_left_out_with_a_warning(name: str) -> None:
    root = document({"/a": {"get": operation(parameters=[{"name": name, "in": "header"}])}})
    assert described(root).operations[0].parameters == ()
    assert problems(root) == [("/paths/~1a/get/parameters/0", "warning")]


def test_a_name_that_only_headers_may_not_have_is_fine_elsewhere() -> None:
    assert [p.name for p in one(query("Host", {})).parameters] == ["Host"]


def test_a_placeholder_that_nobody_declares_is_a_required_text() -> None:
    root = document({"/a/{id}/{id}.{kind}": {"get": operation()}})
    found = described(root).operations[0].parameters
    assert [(p.name, p.location, p.required, p.schema) for p in found] == [
        ("id", "path", True, {"type": "string"}),
        ("kind", "path", True, {"type": "string"}),
    ]
    assert {severity for _, severity in problems(root)} == {"warning"}


def test_a_path_parameter_without_placeholder_is_left_out_with_a_warning() -> None:
    lost = {"name": "id", "in": "path", "required": True, "schema": {}}
    root = document({"/a": {"get": operation(parameters=[lost])}})
    assert described(root).operations[0].parameters == ()
    assert problems(root) == [("/paths/~1a/get/parameters/0", "warning")]


def test_a_path_parameter_is_required_whatever_it_says() -> None:
    found = one({"name": "p", "in": "path", "required": False, "schema": {}}, "/a/{p}")
    assert found.parameters[0].required


def test_a_content_parameter_keeps_its_media_type() -> None:
    schema = {"type": "object"}
    found = one({"name": "p", "in": "query", "content": {"application/json": {"schema": schema}}})
    assert (found.parameters[0].media_type, found.parameters[0].schema) == (
        "application/json",
        schema,
    )


def test_the_whole_query_is_a_content_parameter_of_the_query() -> None:
    declared = {"name": "q", "in": "querystring", "content": {"application/json": {}}}
    found = one(declared).parameters[0]
    assert (found.location, found.style, found.media_type) == (
        "query",
        "querystring",
        "application/json",
    )
    bare = document({"/a": {"get": operation(parameters=[{"name": "q", "in": "querystring"}])}})
    assert problems(bare) == [("/paths/~1a/get/parameters/0", "error")]


@pytest.mark.parametrize(("location", "allowed"), [("query", True), ("cookie", False)])
def test_only_a_query_parameter_may_be_empty(location: str, allowed: bool) -> None:
    declared = {"name": "p", "in": location, "schema": {}, "allowEmptyValue": True}
    assert one(declared).parameters[0].allow_empty is allowed


def test_an_example_too_deep_to_be_written_is_left_out() -> None:
    deep: object = 1
    for _ in range(300):
        deep = [deep]
    assert one(query("p", {}, example=deep)).parameters[0].examples == ()
    assert one(query("p", {}, example=[1])).parameters[0].examples == ([1],)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["text/plain", "application/json"], "application/json"),
        (["application/xml", "application/vnd.api+json"], "application/vnd.api+json"),
        (["application/json; charset=utf-8", "text/a"], "application/json; charset=utf-8"),
        (
            ["multipart/form-data", "application/x-www-form-urlencoded"],
            "application/x-www-form-urlencoded",
        ),
        (["text/plain", "*/*"], "*/*"),
        (["multipart/form-data", "text/json"], "text/json"),
        (["text/json", "application/json"], "application/json"),
        (["application/b", "application/a"], "application/a"),
    ],
    ids=" ".join,
)
def test_a_body_takes_json_first_whatever_the_order(offered: list[str], chosen: str) -> None:
    for order in (offered, offered[::-1]):
        body = {"content": {media: {"schema": {"title": media}} for media in order}}
        found = read({"post": {"requestBody": body}}).body
        assert found is not None
        assert (found.media_type, found.schema) == (chosen, {"title": chosen})


def test_a_body_is_found_behind_references() -> None:
    found = read(
        {"post": {"requestBody": {"$ref": "#/components/requestBodies/B"}}},
        components={
            "requestBodies": {
                "B": {"$ref": "#/components/requestBodies/C"},
                "C": {"required": True, "content": {"application/json": {}}},
            }
        },
    ).body
    assert found is not None
    assert (found.required, found.schema) == (True, True)


def test_alike_parameters_are_read_once_and_each_stands_in_its_own_place() -> None:
    alike = [query("q", {"type": "string"}), query("r", True), {"name": "s", "in": "query"}]
    found = described(
        document({f"/{name}": {"get": operation(parameters=alike)} for name in "ab"})
    ).operations
    first, second = (each.parameters for each in found)
    assert [p.schema for p in first] == [p.schema for p in second]
    assert [p.pointer for p in second] == [f"/paths/~1b/get/parameters/{i}" for i in range(3)]
    places = [p.schema_pointer.removeprefix(p.pointer) for p in (*first, *second)]
    assert places == ["/schema", "/schema", ""] * 2


def test_what_is_wrong_with_alike_parameters_is_said_of_each() -> None:
    alike = [query("q", {"type": "string", "pattern": "("})]
    found = problems(document({f"/{name}": {"get": operation(parameters=alike)} for name in "ab"}))
    assert [pointer for pointer, *_ in found] == [
        f"/paths/~1{name}/get/parameters/0/schema/pattern" for name in "ab"
    ]


def test_a_parameter_that_many_refer_to_costs_each_of_them_its_fault() -> None:
    shared = {"P": {"name": "p", "in": "query", "schema": {"$ref": "#/components/schemas/None"}}}
    item = {"get": operation(parameters=[{"$ref": "#/components/parameters/P"}])}
    root = document({"/a": item, "/b": item}, components={"parameters": shared})
    found = [p.message for p in described(root).problems if p.severity == "error"]
    assert [message.split(":")[0] for message in found] == ["GET /a skipped", "GET /b skipped"]


@pytest.mark.parametrize(
    ("version", "beside", "expected"),
    [
        pytest.param("3.1.0", {"description": " Here. "}, ["Here.", "Plain."], id="3.1"),
        pytest.param("3.2.0", {"description": "Here."}, ["Here.", "Plain."], id="3.2"),
        pytest.param("3.1.0", {"description": ""}, ["", "Plain."], id="nothing is a word, too"),
        pytest.param("3.1.0", {"description": 5}, ["Plain.", "Plain."], id="no text"),
        pytest.param("3.1.0", {"summary": "Here."}, ["Plain.", "Plain."], id="has no summary"),
        pytest.param("3.0.3", {"description": "Here."}, ["Plain.", "Plain."], id="3.0 ignores it"),
    ],
)
def test_a_description_beside_a_reference_counts_for_that_place(
    version: str, beside: dict[str, object], expected: list[str]
) -> None:
    components = {
        "parameters": {"P": {**query("p", {}), "description": "Plain."}},
        "requestBodies": {
            "B": {"description": "Plain.", "content": {"application/json": {"schema": {}}}}
        },
    }
    parameter = {"$ref": "#/components/parameters/P"}
    body = {"$ref": "#/components/requestBodies/B"}
    paths = {
        "/a": {"post": {"parameters": [{**parameter, **beside}], "requestBody": body | beside}},
        "/b": {"post": {"parameters": [parameter], "requestBody": body}},
    }
    root = document(paths, version=version, components=components)
    found = described(root).operations
    assert [operation.parameters[0].description for operation in found] == expected
    assert [operation.body.description for operation in found if operation.body] == expected
