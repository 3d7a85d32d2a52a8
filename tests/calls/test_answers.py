"""What the description says that an answer is made of."""

import pytest

from gateway.calls import content_type
from gateway.calls.answers import declares_json, media_type_of
from gateway.catalog import read_catalog
from gateway.messages import ResponseHead
from gateway.openapi import read_description
from tests.support.tools import api_of, tool_of

JSON = {"description": "", "content": {"application/json": {}}}
HAL = {"description": "", "content": {"application/hal+json": {}, "application/json": {}}}
TEXT = {"description": "", "content": {"text/plain": {}}}
BOTH = {"description": "", "content": {"text/plain": {}, "application/json": {}}}


@pytest.mark.parametrize(
    ("responses", "status", "declared"),
    [
        pytest.param({"200": JSON}, 200, True, id="the very status"),
        pytest.param({200: JSON}, 200, True, id="a number"),
        pytest.param({"200": HAL}, 200, True, id="several kinds of JSON"),
        pytest.param({"200": BOTH}, 200, False, id="and another type"),
        pytest.param({"200": JSON}, 201, False, id="another status"),
        pytest.param({"2XX": JSON}, 201, True, id="its range"),
        pytest.param({"2xx": JSON}, 201, True, id="its range in lower case"),
        pytest.param({"201": TEXT, "2XX": JSON}, 201, False, id="the status before its range"),
        pytest.param({"default": JSON}, 299, True, id="default"),
        pytest.param({"2XX": TEXT, "default": JSON}, 299, False, id="the range before default"),
        pytest.param({"200": {"description": ""}}, 200, False, id="no content"),
        pytest.param({"200": None}, 200, False, id="null"),
        pytest.param({}, 200, False, id="nothing"),
        pytest.param({"200": {"$ref": "#/nowhere"}}, 200, False, id="a dangling reference"),
    ],
)
def test_declared(responses: dict[str, object], status: int, declared: bool) -> None:
    assert declares_json(tool_of(responses=responses), status) is declared


def test_a_reference_is_followed() -> None:
    operation = {"operationId": "use", "responses": {"200": {"$ref": "#/components/responses/A"}}}
    api = api_of({"/x": {"get": operation}}, components={"responses": {"A": JSON}})
    assert declares_json(api.tools["use"], 200)


@pytest.mark.parametrize(
    ("root", "own", "declared"),
    [
        (["application/json"], None, True),
        (["application/json", "text/csv"], None, False),
        (["text/csv"], ["application/json"], True),
        (None, None, False),
    ],
)
def test_swagger_2(root: list[str] | None, own: list[str] | None, declared: bool) -> None:
    operation = {"responses": {"200": {"description": ""}}, **({"produces": own} if own else {})}
    document = {
        "swagger": "2.0",
        "info": {"title": "x", "version": "1"},
        "paths": {"/x": {"get": operation}},
        **({"produces": root} if root else {}),
    }
    (tool,) = read_catalog(read_description(document, api="x")).tools.values()
    assert declares_json(tool, 200) is declared


@pytest.mark.parametrize(
    ("field", "essence"),
    [
        ("Application/JSON ; charset=x", "application/json"),
        ("application/json,application/json", "application/json"),
        ("application/json; charset=utf-8, application/json", "application/json"),
        ("", ""),
    ],
)
def test_the_media_type(field: str, essence: str) -> None:
    head = ResponseHead(status=200, headers=(("Content-Type", field),))
    assert media_type_of(head) == essence
    assert content_type(head) is not None
