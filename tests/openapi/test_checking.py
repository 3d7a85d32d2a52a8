"""The specification against a description: each rule, and where it points."""

import re
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.openapi.checking import MAX_FINDINGS, VERSIONS, check_document
from gateway.openapi.document import Document
from gateway.openapi.findings import MAX_MESSAGE, WARNINGS, Code, Severity, finding

ROOT = Path(__file__).parents[2]
SPECS = ROOT.parent / "shared" / "specs"

Json = dict[str, object]
OK: Json = {"200": {"description": "fine"}}


def description(version: str = "3.0", **members: object) -> Json:
    marker = {"swagger": "2.0"} if version == "2.0" else {"openapi": f"{version}.0"}
    return {**marker, "info": {"title": "T", "version": "1"}, "paths": {}, **members}


def get(path: str = "/a", **members: object) -> Json:
    return {"paths": {path: {"get": {"responses": OK, **members}}}}


def answering(**members: object) -> Json:
    return get(responses={"200": {"description": "fine", **members}})


def with_schema(schema: object) -> Json:
    return answering(content={"application/json": {"schema": schema}})


def query(name: str, **members: object) -> Json:
    return {"name": name, "in": "query", "schema": {}, **members}


def path_parameter(name: str, **members: object) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {}, **members}


def found(version: str, members: Mapping[str, object]) -> set[tuple[str, str]]:
    return {
        (f.code, f.pointer)
        for f in check_document(Document(description(version, **members)), version)
    }


SCHEMA_AT = "/paths/~1a/get/responses/200/content/application~1json/schema"
GET = "/paths/~1a/get"
PARAMETER = f"{GET}/parameters"

CASES: dict[str, tuple[str, Json, set[tuple[str, str]]]] = {
    "clean 2.0": ("2.0", get(), set()),
    "clean 3.0": ("3.0", get(), set()),
    "clean 3.1": ("3.1", get(), set()),
    "clean 3.2": ("3.2", get(), set()),
    "version as YAML's number 2.0": ("2.0", {"swagger": 2.0}, set()),
    "version as YAML's number 3.0": ("3.0", {"openapi": 3.0}, set()),
    "missing member": ("3.0", {"info": {"title": "T"}}, {("structure-missing", "/info")}),
    "unknown member 3.0": (
        "3.0",
        {"info": {"title": "T", "version": "1", "titel": "x"}},
        {("structure-unknown", "/info/titel")},
    ),
    "unknown member 3.1": (
        "3.1",
        {"info": {"title": "T", "version": "1", "titel": "x"}},
        {("structure-unknown", "/info/titel")},
    ),
    "wrong type": ("3.0", get(summary=5), {("structure-type", f"{GET}/summary")}),
    "wrong type below reference-or-object": (
        "3.0",
        get(responses={"200": {"description": 1}}),
        {("structure-type", f"{GET}/responses/200/description")},
    ),
    "wrong keyword deep below three alternatives": (
        "3.0",
        get(parameters=[query("q", schema={"properties": {"k": {"type": "strin"}}})]),
        {("structure-value", f"{PARAMETER}/0/schema/properties/k/type")},
    ),
    "the kind of parameter that was meant": (
        "2.0",
        get(parameters=[{"name": "x", "in": "query", "type": "text"}]),
        {("structure-value", f"{PARAMETER}/0/type")},
    ),
    "the kind of security scheme that was meant": (
        "3.1",
        {"components": {"securitySchemes": {"k": {"type": "apiKey", "in": "header"}}}},
        {("structure-missing", "/components/securitySchemes/k")},
    ),
    "no responses in 3.1": (
        "3.1",
        get(responses={}),
        {("structure-missing", f"{GET}/responses"), ("structure-value", f"{GET}/responses")},
    ),
    "a status that is none": (
        "3.1",
        get(responses={"abc": {"description": ""}}),
        {("structure-missing", f"{GET}/responses"), ("structure-unknown", f"{GET}/responses/abc")},
    ),
    "members that exclude each other": (
        "3.0",
        get(parameters=[query("q", example=1, examples={"a": {"value": 1}})]),
        {("structure-value", f"{PARAMETER}/0")},
    ),
    "schema of 3.1 with a wrong keyword": (
        "3.1",
        with_schema({"properties": {"a": {"minLength": "5"}}}),
        {("schema-invalid", f"{SCHEMA_AT}/properties/a/minLength")},
    ),
    "schema of 3.2 with a wrong type": (
        "3.2",
        with_schema({"type": "strin"}),
        {("schema-invalid", f"{SCHEMA_AT}/type")},
    ),
    "the document's own dialect": (
        "3.1",
        {
            "jsonSchemaDialect": "http://json-schema.org/draft-04/schema#",
            **with_schema({"exclusiveMinimum": True, "minimum": 1}),
        },
        set(),
    ),
    "a schema's own dialect": (
        "3.1",
        with_schema({"$schema": "http://json-schema.org/draft-07/schema#", "type": "x"}),
        {("schema-invalid", f"{SCHEMA_AT}/type")},
    ),
    "a dialect that is not built in": (
        "3.1",
        {"jsonSchemaDialect": "https://example.com/own", **with_schema({"type": "x"})},
        {("schema-dialect-unknown", SCHEMA_AT)},
    ),
    "a dialect that is not built in is told once": (
        "3.1",
        {
            "jsonSchemaDialect": "https://example.com/own",
            "components": {"schemas": {"A": {}, "B": {}, "C": True}},
        },
        {("schema-dialect-unknown", "/components/schemas/A")},
    ),
    "an extension among the paths": ("3.0", {"paths": {"x-own": {"get": {"$ref": "#/no"}}}}, set()),
    "a path item elsewhere": (
        "3.1",
        {
            "paths": {"/a/{b}": {"$ref": "#/components/pathItems/A"}},
            "components": {"pathItems": {"A": {"get": {"responses": OK}}}},
        },
        {("path-parameter-undeclared", "/components/pathItems/A/get")},
    ),
    "dangling reference in parameters": (
        "3.0",
        get(parameters=[{"$ref": "#/components/parameters/p"}]),
        {("ref-unresolved", f"{PARAMETER}/0/$ref")},
    ),
    "dangling reference in a schema": (
        "3.0",
        with_schema({"items": {"$ref": "#/components/schemas/No"}}),
        {("ref-unresolved", f"{SCHEMA_AT}/items/$ref")},
    ),
    "dangling reference in a header": (
        "3.0",
        answering(headers={"X": {"$ref": "#/components/headers/X"}}),
        {("ref-unresolved", f"{GET}/responses/200/headers/X/$ref")},
    ),
    "dangling reference in an example": (
        "3.0",
        answering(content={"text/plain": {"examples": {"e": {"$ref": "#/components/examples/e"}}}}),
        {("ref-unresolved", f"{GET}/responses/200/content/text~1plain/examples/e/$ref")},
    ),
    "dangling reference in a link": (
        "3.0",
        answering(links={"l": {"$ref": "#/components/links/l"}}),
        {("ref-unresolved", f"{GET}/responses/200/links/l/$ref")},
    ),
    "dangling reference in a callback": (
        "3.0",
        get(
            callbacks={
                "done": {
                    "{$request.body#/url}": {
                        "post": {"requestBody": {"$ref": "#/no"}, "responses": OK}
                    }
                }
            }
        ),
        {("ref-unresolved", f"{GET}/callbacks/done/{{$request.body#~1url}}/post/requestBody/$ref")},
    ),
    "dangling discriminator": (
        "3.0",
        with_schema({"discriminator": {"propertyName": "k", "mapping": {"a": "#/no"}}}),
        {("ref-unresolved", f"{SCHEMA_AT}/discriminator/mapping")},
    ),
    "data is not looked into": (
        "3.0",
        with_schema(
            {"example": {"$ref": "#/no"}, "default": {"$ref": "#/no"}, "x-a": {"$ref": "#/"}}
        ),
        set(),
    ),
    "a property named $ref": ("3.0", with_schema({"properties": {"$ref": {}}}), set()),
    "an anchor": (
        "3.1",
        with_schema({"$defs": {"a": {"$anchor": "here"}}, "$ref": "#here"}),
        set(),
    ),
    "an anchor that is not there": (
        "3.1",
        with_schema({"$ref": "#there"}),
        {("ref-unresolved", f"{SCHEMA_AT}/$ref")},
    ),
    "a reference that never ends": (
        "3.0",
        {
            **with_schema({"$ref": "#/components/schemas/A"}),
            "components": {"schemas": {"A": {"$ref": "#/components/schemas/A"}}},
        },
        {("ref-endless", f"{SCHEMA_AT}/$ref"), ("ref-endless", "/components/schemas/A/$ref")},
    ),
    "a reference to another file": (
        "3.0",
        with_schema({"$ref": "pet.yaml#/Pet"}),
        {("ref-external", f"{SCHEMA_AT}/$ref")},
    ),
    "components that are not used, and one by the unused": (
        "3.0",
        {
            **get(),
            "components": {
                "schemas": {"A": {"items": {"$ref": "#/components/schemas/B"}}, "B": {}},
                "headers": {"a/b": {"schema": {}}},
            },
        },
        {
            ("component-unused", "/components/schemas/A"),
            ("component-unused", "/components/schemas/B"),
            ("component-unused", "/components/headers/a~1b"),
        },
    ),
    "components used by chain, by name, by part, by inheritance": (
        "3.0",
        {
            **with_schema({"$ref": "#/components/schemas/A/properties/a"}),
            "security": [{"key": []}],
            "components": {
                "schemas": {
                    "A": {"properties": {"a": {"$ref": "#/components/schemas/Base"}}},
                    "Base": {
                        "discriminator": {"propertyName": "k", "mapping": {"n": "Named"}},
                    },
                    "Named": {},
                    "Heir": {"allOf": [{"$ref": "#/components/schemas/Base"}]},
                },
                "securitySchemes": {"key": {"type": "apiKey", "name": "k", "in": "query"}},
            },
        },
        set(),
    ),
    "components used on the way to another, by anchor, by id": (
        "3.1",
        {
            **with_schema(
                {
                    "allOf": [
                        {"$ref": "#/components/schemas/Way/properties/a"},
                        {"$ref": "#anchor"},
                        {"$ref": "https://h/id"},
                    ]
                }
            ),
            "components": {
                "schemas": {
                    "Way": {"$ref": "#/components/schemas/End"},
                    "End": {"properties": {"a": {}}},
                    "Anchored": {"$anchor": "anchor"},
                    "Identified": {"$id": "https://h/id"},
                },
            },
        },
        set(),
    ),
    "a library has nothing unused": ("3.1", {"components": {"schemas": {"A": {}}}}, set()),
    "definitions that are not used": (
        "2.0",
        {**get(), "definitions": {"A": {}}},
        {("component-unused", "/definitions/A")},
    ),
    "operationId of a webhook": (
        "3.1",
        {**get(operationId="o"), "webhooks": {"w": {"post": {"operationId": "o"}}}},
        {("operation-id-duplicate", "/webhooks/w/post/operationId")},
    ),
    "parameter twice": (
        "3.0",
        get(parameters=[query("q"), query("q", description="again")]),
        {("parameter-duplicate", f"{PARAMETER}/1")},
    ),
    "header twice, by case": (
        "3.0",
        get(
            parameters=[
                {"name": "X-A", "in": "header", "schema": {}},
                {"name": "x-a", "in": "header", "schema": {}},
            ]
        ),
        {("parameter-duplicate", f"{PARAMETER}/1")},
    ),
    "an operation may override its path item": (
        "3.0",
        {
            "paths": {
                "/a": {
                    "parameters": [query("q")],
                    "get": {"parameters": [query("q")], "responses": OK},
                }
            }
        },
        set(),
    ),
    "placeholder nobody declares": (
        "3.0",
        get("/a/{b}"),
        {("path-parameter-undeclared", "/paths/~1a~1{b}/get")},
    ),
    "path parameter that is not in the path": (
        "3.0",
        get(parameters=[path_parameter("b")]),
        {("path-parameter-unused", f"{PARAMETER}/0")},
    ),
    "path parameter by reference, optional": (
        "3.1",
        {
            **get("/a/{b}", parameters=[{"$ref": "#/components/parameters/b"}]),
            "components": {"parameters": {"b": path_parameter("b", required=False)}},
        },
        {
            ("path-parameter-optional", "/paths/~1a~1{b}/get/parameters/0"),
            ("structure-value", "/components/parameters/b/required"),
        },
    ),
    "paths that differ by name only": (
        "3.0",
        {
            "paths": {
                f"/a/{{{name}}}": {"get": {"parameters": [path_parameter(name)], "responses": OK}}
                for name in ("b", "c")
            }
        },
        {("path-twin", "/paths/~1a~1{c}")},
    ),
    "two bodies": (
        "2.0",
        get(parameters=[{"name": n, "in": "body", "schema": {}} for n in "ab"]),
        {("body-duplicate", f"{PARAMETER}/1")},
    ),
    "body beside a form": (
        "2.0",
        get(
            parameters=[
                {"name": "f", "in": "formData", "type": "string"},
                {"name": "b", "in": "body", "schema": {}},
            ]
        ),
        {("body-with-form", f"{PARAMETER}/1")},
    ),
    "security scheme that is not defined": (
        "3.0",
        get(security=[{"key": []}]),
        {("security-undefined", f"{GET}/security/0/key")},
    ),
    "security scheme that is not defined in 2.0": (
        "2.0",
        {"security": [{"key": []}]},
        {("security-undefined", "/security/0/key")},
    ),
    "server variable that is not described": (
        "3.0",
        {"servers": [{"url": "https://{a}.example"}]},
        {("server-variable-undefined", "/servers/0/url")},
    ),
    "server variable without default": (
        "3.0",
        get(servers=[{"url": "https://{a}.example", "variables": {"a": {}}}]),
        {
            ("server-variable-no-default", f"{GET}/servers/0/variables/a"),
            ("structure-missing", f"{GET}/servers/0/variables/a"),
        },
    ),
    "link to nowhere": (
        "3.0",
        answering(links={"l": {"operationId": "nope"}}),
        {("link-operation-unknown", f"{GET}/responses/200/links/l/operationId")},
    ),
}


def saying(key: str, value: object) -> Json:
    return {"paths": {"/a": {"get": {"responses": OK, key: value}}}}


CONTEXT = "x-ocp-context"
EXTENSIONS: dict[str, tuple[object, set[str]]] = {
    "well-formed": (
        {"enhances_with": ["session"], "updates_context": [], "requires_context": True, "new": 1},
        set(),
    ),
    "no object": ([], {""}),
    "null": (None, {""}),
    "lists that are none": ({"enhances_with": "session"}, {"/enhances_with"}),
    "words that the protocol does not have": (
        {"enhances_with": ["session", "user"], "updates_context": ["agent_goal", 1]},
        {"/enhances_with/1", "/updates_context/0", "/updates_context/1"},
    ),
    "a flag in words": ({"requires_context": "yes"}, {"/requires_context"}),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("value", "places"), EXTENSIONS.values(), ids=EXTENSIONS)
def test_what_an_operation_says_of_contexts_obeys_the_protocol(
    version: str, value: object, places: set[str]
) -> None:
    expected = {("ocp-extension-invalid", f"{GET}/{CONTEXT}{place}") for place in places}
    assert found(version, saying(CONTEXT, value)) == expected


def test_an_enhanced_response_is_an_object() -> None:
    at = f"{GET}/x-ocp-enhanced-response"
    assert found("3.0", saying("x-ocp-enhanced-response", ["a"])) == {("ocp-extension-invalid", at)}


def test_what_an_api_says_of_itself_obeys_the_protocol() -> None:
    info = {
        "title": "T",
        "version": "1",
        "x-ocp-enabled": "yes",
        "x-ocp-context-aware": 1,
        "x-ocp-agent-types": ["ide", None],
        "x-ocp-version": "1.0\n",
    }
    assert found("3.1", {"info": info, **get()}) == {
        ("ocp-extension-invalid", "/info/x-ocp-enabled"),
        ("ocp-extension-invalid", "/info/x-ocp-context-aware"),
        ("ocp-extension-invalid", "/info/x-ocp-agent-types/1"),
        ("ocp-extension-invalid", "/info/x-ocp-version"),
    }


def test_extensions_are_found_behind_references_and_in_responses() -> None:
    described = {
        "paths": {"/a": {"$ref": "#/x-items/one"}},
        "x-items": {
            "one": {
                "get": {
                    "x-ocp-enhanced-response": {"1st": {}, "good": {}, "bad": True},
                    "responses": {"200": {"$ref": "#/x-responses/fine"}, "404": {"$ref": "#/x"}},
                }
            }
        },
        "x-responses": {"fine": {"description": "", "x-ocp-context-updated": "yes"}},
    }
    findings = found("3.1", described)
    assert {at for code, at in findings if code == "ocp-extension-invalid"} == {
        "/x-items/one/get/x-ocp-enhanced-response/1st",
        "/x-items/one/get/x-ocp-enhanced-response/bad",
        "/x-responses/fine/x-ocp-context-updated",
    }


@pytest.mark.parametrize(("version", "members", "expected"), CASES.values(), ids=CASES)
def test_each_rule_points_at_its_place(
    version: str, members: Json, expected: set[tuple[str, str]]
) -> None:
    assert found(version, members) == expected


def test_every_rule_of_a_check_is_tested() -> None:
    tested = {code for _, _, expected in CASES.values() for code, _ in expected}
    elsewhere = {
        *(Code.STRUCTURE_DEPTH, Code.FINDINGS_CUT),
        *(Code.OVERLAY_NO_MATCH, Code.KEY_DUPLICATE, Code.OCP_EXTENSION_INVALID),
    }

    assert tested | elsewhere == set(Code)


def test_what_stands_in_other_documents_is_found_there() -> None:
    part = {"get": {"parameters": [{"name": "id", "in": "path", "required": True}]}}
    paths = {
        "/a/{id}": {"get": {"$ref": "parts/a.json#/get"}},
        "/b/{id}": {"$ref": "parts/a.json"},
        "/c": {"get": {"$ref": "../c.json"}},
    }
    # What the other one uses is not known here.
    components: Json = {"schemas": {"A": {}}}
    root = description("3.1", paths=paths, components=components)
    document = Document(root, parts={"parts/a.json": part})
    # That a reference leads nowhere is said where its operation is skipped.
    assert [(f.code, f.pointer, f.message) for f in check_document(document, "3.1")] == [
        (
            "structure-unknown",
            "/paths",
            "2 x `$ref` in place of an operation, which no version knows; followed",
        )
    ]


@pytest.mark.parametrize("version", ["2.0", "3.0", "3.1"])
def test_operations_that_are_references_leave_room_for_other_findings(version: str) -> None:
    paths = {f"/{number}": {"get": {"$ref": "#/x-operations/a"}} for number in range(1_200)}
    root = description(version, paths={**paths, "/z": {"get": {"responses": OK, "titel": 1}}})

    assert [(f.code, f.pointer) for f in check_document(Document(root), version)] == [
        ("structure-unknown", "/paths"),
        ("structure-unknown", "/paths/~1z/get/titel"),
    ]


def test_every_code_has_a_row_with_its_severity() -> None:
    page = (ROOT / "docs" / "checks.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (invalid|warning) \|", page, re.MULTILINE))

    assert rows == {code: "warning" if code in WARNINGS else "invalid" for code in Code}


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (get(summary=5), "expected string, received integer"),
        ({"info": {"title": "T"}}, "`version` is required"),
        (
            with_schema({"type": "SECRET"}),
            "is not one of array, boolean, integer, number, object, string",
        ),
        (
            get(parameters=[query("q", example=1, examples={"a": {"value": 1}})]),
            "`example` and `examples` must not stand here",
        ),
    ],
    ids=["type", "missing", "options", "exclusion"],
)
def test_messages_say_what_is_expected_and_no_value(members: Json, message: str) -> None:
    (only,) = check_document(Document(description("3.0", **members)), "3.0")

    assert only.message == message


def test_a_message_is_one_short_printable_line() -> None:
    shown = finding(Code.REF_UNRESOLVED, "", "a\n\x1b[31m\u202e" + "b" * 1_000).message

    assert len(shown) == MAX_MESSAGE
    assert shown.isprintable()


def test_too_many_findings_are_cut_warnings_first_and_counted() -> None:
    parameters = [query(f"q{i}", unknown=1) for i in range(MAX_FINDINGS + 5)]
    members = get("/a/{b}", parameters=parameters)

    findings = check_document(Document(description("3.1", **members)), "3.1")

    assert len(findings) == MAX_FINDINGS + 1
    assert (findings[0].code, findings[0].message) == (
        "findings-cut",
        "6 more findings are left out",
    )
    assert "path-parameter-undeclared" in {f.code for f in findings}


def test_a_document_that_is_no_json_is_said_to_be_so() -> None:
    members: Json = {"paths": {"/a": {"get": {1: 2}}}}

    assert ("structure-depth", "") in found("3.0", members)


def test_findings_do_not_depend_on_the_order_of_the_document() -> None:
    members = {
        **with_schema({"$ref": "#/no"}),
        "components": {"schemas": {"A": {}, "B": {"type": 1}}},
        "security": [{"x": []}],
    }
    one = description("3.0", **members)
    other = dict(reversed(deepcopy(one).items()))
    other["components"] = {"schemas": {"B": {"type": 1}, "A": {}}}

    assert check_document(Document(one), "3.0") == check_document(Document(other), "3.0")


def test_an_operation_id_that_is_no_text_is_no_target_of_links() -> None:
    links = {"l": {"operationId": "a"}}
    members = get(operationId={"a": 1}, responses={"200": {"description": "fine", "links": links}})

    at = f"{GET}/responses/200/links/l/operationId"
    assert ("link-operation-unknown", at) in found("3.0", members)


KEYS = st.sampled_from(
    (
        *("paths", "/a/{b}", "get", "parameters", "$ref", "schema", "components", "schemas"),
        *("items", "callbacks", "servers", "url", "security", "responses", "discriminator"),
        *("mapping", "in", "name", "operationId", "allOf", "properties", "$anchor", "info"),
    )
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["#", "#/", "#/paths", "#/components/schemas/a", "x", "path", "\ud800", ""]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner, max_size=5)
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(root=st.dictionaries(KEYS, VALUES, max_size=6), version=st.sampled_from(VERSIONS))
def test_any_object_gives_findings_and_nothing_else(root: Json, version: str) -> None:
    for each in check_document(Document(root), version):
        assert each.severity in Severity
        assert each.message.isprintable()


# None of them breaks a rule of the meta-schemas; GitHub writes two paths twice.
REAL: dict[str, tuple[str, set[str]]] = {
    "box.json": ("3.0", set()),
    "kubernetes-swagger2.json": ("2.0", set()),
    "slack-swagger2.json": ("2.0", set()),
    "stripe.json": ("3.0", set()),
    "twilio-api-v2010.json": ("3.0", set()),
    "github.json": ("3.0", {"path-twin"}),
}


def test_real_descriptions_have_no_other_errors() -> None:
    here = [name for name in REAL if (SPECS / name).exists()]
    errors = {
        name: {
            f.code.value
            for f in check_document(
                Document(orjson.loads((SPECS / name).read_bytes())), REAL[name][0]
            )
            if f.severity == "invalid"
        }
        for name in here
    }

    assert errors == {name: REAL[name][1] for name in here}
