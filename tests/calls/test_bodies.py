"""What is sent for each kind of body, and as what."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.calls import build_request
from gateway.catalog import BodyForm, Tool
from gateway.errors import InvalidArguments, NotAvailable
from gateway.messages import header_values
from tests.support.documents import REAL, real_catalog
from tests.support.samples import sample_arguments
from tests.support.tools import DONE, TEXT, api_of

INTEGER = {"type": "integer"}
BYTES = {"type": "string", "format": "binary"}


def tool_for(
    media_type: str,
    schema: object = True,
    *,
    required: bool = True,
    version: str = "3.1.0",
    **media: object,
) -> Tool:
    """A tool whose body is described under this media type."""
    content = {media_type: {"schema": schema, **media}}
    operation = {"requestBody": {"required": required, "content": content}, "responses": DONE}
    (tool,) = api_of({"/x": {"post": operation}}, version=version).tools.values()
    return tool


def sent(tool: Tool, arguments: dict[str, object]) -> tuple[object, str]:
    """Body and Content-Type of the request."""
    request = build_request(tool, arguments)
    (content_type,) = header_values(request.head.headers, "Content-Type")
    return request.body, content_type


def faults(tool: Tool, arguments: dict[str, object]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidArguments) as caught:
        build_request(tool, arguments)
    return [(fault.pointer, fault.message) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("described", "form", "sent_as"),
    [
        ("application/json", "json", "application/json"),
        ("application/vnd.api+json", "json", "application/vnd.api+json"),
        ("application/json; charset=UTF-8", "json", "application/json; charset=UTF-8"),
        ("application/json ; charset=utf-7", "json", "application/json ; charset=utf-8"),
        ("text/json", "json", "text/json"),
        ("*/*", "json", "application/json"),
        ("application/*", "json", "application/json"),
        ("application/*+json", "json", "application/json"),
        ("text/plain", "text", "text/plain; charset=utf-8"),
        ("text/*", "text", "text/plain; charset=utf-8"),
        ("text/csv; header=present", "text", "text/csv; header=present; charset=utf-8"),
        ("text/plain;charset=utf-7", "text", "text/plain; charset=utf-8"),
        ('text/plain; charset="utf-8"', "text", 'text/plain; charset="utf-8"'),
        ("text/xml", "text", "text/xml; charset=utf-8"),
        ("application/xml", "text", "application/xml; charset=utf-8"),
        ("image/svg+xml", "text", "image/svg+xml; charset=utf-8"),
        ("application/soap+xml", "text", "application/soap+xml; charset=utf-8"),
        ("application/x-ndjson", "text", "application/x-ndjson; charset=utf-8"),
        ("application/octet-stream", "binary", "application/octet-stream"),
        ("image/png", "binary", "image/png"),
        ("image/*", "binary", "application/octet-stream"),
        ("application/zip", "binary", "application/zip"),
    ],
    ids=str,
)
def test_a_media_type_decides_what_the_argument_is(described: str, form: str, sent_as: str) -> None:
    tool = tool_for(described)
    body, content_type = sent(tool, {"body": "aGk="})

    assert tool.arguments.body_form == form
    assert content_type == sent_as
    assert body == {"json": b'"aGk="', "text": b"aGk=", "binary": b"hi"}[form]


@pytest.mark.parametrize(
    "described",
    [
        pytest.param("multipart/mixed", id="other multipart"),
        pytest.param("multipart/related; type=x", id="related"),
        pytest.param("json", id="no media type"),
        pytest.param("application/json\r\nX-Evil: 1", id="a header of its own"),
        pytest.param("text/plain; charset=\u00e9", id="beyond ASCII"),
    ],
)
def test_what_nothing_can_be_sent_as_is_said_so(described: str) -> None:
    with pytest.raises(NotAvailable):
        build_request(tool_for(described), {"body": {"a": "1"}})


@pytest.mark.parametrize("described", ["multipart/mixed", "text/plain", "image/png"])
def test_an_optional_body_that_is_not_given_is_not_sent(described: str) -> None:
    request = build_request(tool_for(described, required=False), {})
    assert request.body is None
    assert not header_values(request.head.headers, "Content-Type")


@pytest.mark.parametrize(
    "described", ["text/plain", "application/xml", "image/png", "multipart/form-data"]
)
def test_a_required_body_is_required(described: str) -> None:
    assert faults(tool_for(described), {}) == [("/body", "is required")]


class TestText:
    def test_is_sent_to_the_letter(self) -> None:
        text = '<?xml version="1.0"?><a>]]><x/>\r\n\u2713</a>'
        assert sent(tool_for("application/xml"), {"body": text})[0] == text.encode()

    def test_keeps_the_constraints_of_a_text(self) -> None:
        tool = tool_for("text/plain", {"type": "string", "enum": ["on", "off"]})
        assert sent(tool, {"body": "on"})[0] == b"on"
        assert [pointer for pointer, _ in faults(tool, {"body": "x"})] == ["/body"]

    def test_is_what_an_object_described_under_xml_takes(self) -> None:
        schema = {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}
        tool = tool_for("application/xml", schema)
        assert tool.input_schema["properties"] == {
            "body": {"type": "string", "description": "The text of the body (application/xml)."}
        }
        assert faults(tool, {"body": {"a": "1"}}) == [("/body", "expected string, received object")]

    def test_that_may_be_null_is_not_sent_then(self) -> None:
        tool = tool_for("text/plain", {"type": "string", "nullable": True}, version="3.0.3")
        assert build_request(tool, {"body": None}).body is None


class TestBytes:
    def test_come_in_base64_and_say_so(self) -> None:
        tool = tool_for("image/png", BYTES)
        assert tool.input_schema["properties"] == {
            "body": {
                "type": "string",
                "contentEncoding": "base64",
                "description": "The bytes of the body (image/png) in base64.",
            }
        }
        assert sent(tool, {"body": "iVBORw=="}) == (b"\x89PNG", "image/png")

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("", id="nothing"),
            pytest.param("aGVs\r\nbG8=", id="line break"),
            pytest.param(" aGVsbG8= ", id="spaces"),
        ],
    )
    def test_may_be_empty_or_wrapped(self, body: str) -> None:
        assert sent(tool_for("image/png"), {"body": body})[0] == (b"hello" if body else b"")

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("hello", id="padding missing"),
            pytest.param("aGVsbG8=aGVsbG8=", id="padding inside"),
            pytest.param("-_8=", id="URL-safe alphabet"),
            pytest.param("data:image/png;base64,aGVsbG8=", id="data URL"),
            pytest.param("h\u00e9==", id="beyond ASCII"),
        ],
    )
    def test_that_are_no_base64_are_a_fault(self, body: str) -> None:
        assert faults(tool_for("image/png"), {"body": body}) == [("/body", "is not base64")]

    @pytest.mark.parametrize(
        ("described", "content_type"),
        [
            ("text/csv", "text/csv"),
            ("*/*", "application/octet-stream"),
            ("application/*", "application/octet-stream"),
        ],
    )
    def test_may_be_what_a_text_or_a_range_is_described_as(
        self, described: str, content_type: str
    ) -> None:
        assert sent(tool_for(described, BYTES), {"body": "/w=="}) == (b"\xff", content_type)

    @pytest.mark.parametrize(
        "part",
        [
            pytest.param(BYTES, id="binary"),
            pytest.param({"type": "string", "format": "byte"}, id="byte"),
            pytest.param({"type": "string", "contentEncoding": "base64"}, id="contentEncoding"),
        ],
    )
    def test_stay_base64_text_inside_json(self, part: object) -> None:
        tool = tool_for("application/json", {"type": "object", "properties": {"a": part}})
        assert sent(tool, {"a": "aGVsbG8="})[0] == b'{"a":"aGVsbG8="}'


def test_faults_of_every_place_are_told_together() -> None:
    tool = api_of(
        {
            "/x/{id}": {
                "post": {
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}],
                    "requestBody": {"content": {"image/png": {}}},
                }
            }
        }
    ).tools["postXId"]
    assert faults(tool, {"id": "..", "body": "*"})[1:] == [("/body", "is not base64")]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ANY_SCHEMA: list[object] = [True, {}, {"type": "object"}, TEXT, BYTES]
ANY_SCHEMA += [{"type": "object", "properties": {"a": {"anyOf": [BYTES, {"type": "array"}]}}}]
KINDS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain", "image/png")
TOOLS = [tool_for(kind, schema) for kind in KINDS for schema in ANY_SCHEMA]


@settings(max_examples=200)
@given(st.sampled_from(TOOLS), st.dictionaries(st.sampled_from(["a", "body"]), ANY_JSON))
@example(TOOLS[6], {"body": {"a\r\nX-Evil: 1": '"\r\n--'}})
@example(TOOLS[6], {"body": {"a": "\ud800"}})
@example(TOOLS[-6], {"body": "\ud800"})
def test_any_arguments_make_a_body_or_faults(tool: Tool, arguments: dict[str, object]) -> None:
    try:
        body, content_type = sent(tool, arguments)
    except InvalidArguments:
        return
    assert isinstance(body, bytes)
    assert content_type.isprintable()


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_every_form_of_a_real_api_is_built_from_its_schema(path: Path) -> None:
    forms = [
        tool
        for tool in real_catalog(path).tools.values()
        if tool.arguments.body_form in (BodyForm.FORM, BodyForm.MULTIPART)
    ]
    for tool in forms:
        arguments = sample_arguments(tool)
        request = build_request(tool, arguments)
        body_arguments = [a.name for a in tool.arguments.items if a.location == "body"]
        assert bool(request.body) is any(arguments[name] for name in body_arguments), tool.name
