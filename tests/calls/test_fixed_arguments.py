"""Arguments that the configuration fixes are always sent, and nobody else may give them."""

from collections.abc import Mapping

import pytest

from gateway.calls import build_request
from gateway.catalog import Tool, ToolOverride, read_catalog
from gateway.errors import Fault, InvalidArguments
from gateway.openapi import read_description
from tests.support.documents import document, operation

PARAMETERS = [
    {"name": "tenant", "in": "path", "required": True, "schema": {"type": "string"}},
    {"name": "page", "in": "query", "schema": {"type": "array"}},
    {"name": "X-Region", "in": "header", "schema": {"type": "string"}},
    {"name": "theme", "in": "cookie", "schema": {"type": "integer"}},
]
BODY = {"type": "object", "properties": {"a": {}, "b": {"type": "string"}}, "required": ["a"]}
FIXED: Mapping[str, object] = {"tenant": "ac/me", "page": [1, 2], "X_Region": "eu", "theme": 3}


def tool(
    fixed: Mapping[str, object],
    *,
    body: object = BODY,
    media: str = "application/json",
    whole: bool = False,
) -> Tool:
    item = operation(operationId="use", parameters=PARAMETERS)
    item["requestBody"] = {"required": True, "content": {media: {"schema": body}}}
    override = ToolOverride(set=fixed, arguments="body" if whole else None)
    description = read_description(document({"/t/{tenant}/x": {"post": item}}), api="t")
    return read_catalog(description, overrides={"use": override}).tools["use"]


def test_they_are_sent_wherever_they_belong() -> None:
    request = build_request(tool({**FIXED, "b": "fixed"}), {"a": 1})
    assert request.head.target == "/t/ac%2Fme/x?page=1&page=2"
    headers = dict(request.head.headers)
    assert (headers["X-Region"], headers["Cookie"]) == ("eu", "theme=3")
    assert request.body == b'{"a":1,"b":"fixed"}'


def test_a_body_of_nothing_else_is_sent_too() -> None:
    request = build_request(tool({"tenant": "t", "a": None, "b": "x"}), {})
    assert request.body == b'{"a":null,"b":"x"}'


def test_a_form_has_them() -> None:
    made = tool({"tenant": "t", "b": "x y"}, media="application/x-www-form-urlencoded")
    assert build_request(made, {"a": 1}).body == b"a=1&b=x+y"


def test_a_whole_body_may_be_fixed() -> None:
    made = tool({"tenant": "t", "body": {"a": 1}}, whole=True)
    assert build_request(made, {}).body == b'{"a":1}'


@pytest.mark.parametrize("value", ["other", "ac/me", None], ids=["other", "same", "null"])
def test_a_caller_who_gives_one_gives_an_unknown_argument(value: object) -> None:
    with pytest.raises(InvalidArguments) as caught:
        build_request(tool(FIXED), {"a": 1, "tenant": value})
    assert caught.value.faults == (Fault(pointer="/tenant", message="is not known here"),)
