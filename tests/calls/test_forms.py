"""`application/x-www-form-urlencoded` bodies, as a form reader finds them."""

from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.calls import build_request
from gateway.calls.forms import encode_form
from gateway.catalog import Tool
from gateway.messages import header
from gateway.openapi import Encoding
from tests.support.documents import SHARED, real_catalog
from tests.support.samples import sample_arguments
from tests.support.tools import DONE, api_of

URLENCODED = "application/x-www-form-urlencoded"
# How many operations have a form: ours, and a real API's where a checkout has it beside it.
FORMS = {Path(__file__).parents[1] / "support" / "descriptions" / "forms.yaml": 2} | dict.fromkeys(
    (SHARED / "specs").glob("twilio-api-v2010.json"), 62
)


def form_tool(schema: object = True, **encodings: object) -> Tool:
    content = {URLENCODED: {"schema": schema, "encoding": encodings}}
    operation = {"requestBody": {"required": True, "content": content}, "responses": DONE}
    (tool,) = api_of({"/x": {"post": operation}}).tools.values()
    return tool


def form_body(members: object, **encodings: object) -> str:
    body = build_request(form_tool(**encodings), {"body": members}).body
    assert isinstance(body, bytes)
    return body.decode("ascii")


@pytest.mark.parametrize(
    ("value", "encoding", "body"),
    [
        pytest.param("a b", {}, "p=a+b", id="a space"),
        pytest.param("a+b&c=d%20;é", {}, "p=a%2Bb%26c%3Dd%2520%3B%C3%A9", id="delimiters"),
        pytest.param(1.0, {}, "p=1", id="integral number"),
        pytest.param(True, {}, "p=true", id="boolean"),
        pytest.param("", {}, "p=", id="empty text"),
        pytest.param(None, {}, "", id="null"),
        pytest.param(["x", None, "y"], {}, "p=x&p=y", id="array"),
        pytest.param([], {}, "", id="empty array"),
        pytest.param({"a": 1}, {}, "p=%7B%22a%22%3A1%7D", id="object"),
        pytest.param([{"a": 1}], {}, "p=%7B%22a%22%3A1%7D", id="array of objects"),
        pytest.param(
            ["x"], {"contentType": "application/json"}, "p=%5B%22x%22%5D", id="array called JSON"
        ),
        # The very example of OpenAPI 3.1.1 section 4.8.14.4.
        pytest.param(
            "f81d", {"contentType": "application/json"}, "p=%22f81d%22", id="text called JSON"
        ),
        pytest.param(["x", "y z"], {"explode": False}, "p=x,y+z", id="form"),
        pytest.param({"a": "b c"}, {"explode": True}, "a=b+c", id="form, exploded object"),
        pytest.param(["x", "y"], {"style": "form"}, "p=x&p=y", id="form, explode by default"),
        pytest.param(["x", "y"], {"style": "spaceDelimited"}, "p=x+y", id="spaces"),
        pytest.param(["x", "y"], {"style": "pipeDelimited"}, "p=x%7Cy", id="pipes"),
        pytest.param(
            {"a": {"b": [1, 2]}},
            {"style": "deepObject", "explode": True},
            "p%5Ba%5D%5Bb%5D%5B0%5D=1&p%5Ba%5D%5Bb%5D%5B1%5D=2",
            id="deepObject",
        ),
        pytest.param([], {"style": "form"}, "", id="form, empty array"),
        pytest.param("a/b?c&d+e", {"allowReserved": True}, "p=a/b?c%26d%2Be", id="reserved"),
    ],
)
def test_a_member_is_written_as_its_encoding_says(
    value: object, encoding: object, body: str
) -> None:
    assert form_body({"p": value}, p=encoding) == body


def test_a_name_is_encoded_like_a_value() -> None:
    assert form_body({"a b[]&": 1}) == "a+b%5B%5D%26=1"


def test_members_of_a_plain_object_are_arguments() -> None:
    schema = {"type": "object", "properties": {"To": {}, "Media Url": {"type": "array"}}}
    request = build_request(form_tool(schema), {"To": "+1 5", "Media_Url": ["a", "b"]})
    assert request.body == b"Media+Url=a&Media+Url=b&To=%2B1+5"
    assert header(request.head.headers, "Content-Type") == URLENCODED


def test_a_form_is_an_object_whatever_else_its_schema_says() -> None:
    tool = form_tool({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]})
    properties = tool.input_schema["properties"]
    assert isinstance(properties, dict)
    assert properties["body"]["type"] == "object"
    assert build_request(tool, {"body": {"a": "1"}}).body == b"a=1"


def test_a_required_form_without_members_is_sent_empty() -> None:
    request = build_request(form_tool({"type": "object", "additionalProperties": False}), {})
    assert request.body == b""
    assert header(request.head.headers, "Content-Type") == URLENCODED


@settings(max_examples=200)
@given(st.dictionaries(st.text(min_size=1), st.lists(st.text(), min_size=1) | st.text()))
def test_what_is_written_is_read_again(members: dict[str, object]) -> None:
    pairs = [
        (name, text)
        for name, value in members.items()
        for text in (value if isinstance(value, list) else [value])
    ]
    for encodings in ({}, dict.fromkeys(members, Encoding(style="form"))):
        body = encode_form(members, encodings).decode("ascii")
        assert parse_qsl(body, keep_blank_values=True, strict_parsing=bool(body)) == pairs


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_every_argument_of_a_real_form_is_a_pair(path: Path) -> None:
    tools = [t for t in real_catalog(path).tools.values() if t.operation.body is not None]
    for tool in tools:
        arguments = sample_arguments(tool)
        body = build_request(tool, arguments).body
        assert isinstance(body, bytes)
        given = arguments.get("body") or {
            a.original: arguments[a.name] for a in tool.arguments.items if a.location == "body"
        }
        assert isinstance(given, dict)
        assert {name for name, _ in parse_qsl(body.decode())} == given.keys(), tool.name
    assert len(tools) == FORMS[path]
