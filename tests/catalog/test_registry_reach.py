"""Which tools can be called by agents that fill requests by themselves."""

from collections.abc import Mapping

import pytest

from gateway.catalog import ToolOverride, out_of_reach, read_catalog
from gateway.openapi import read_description
from tests.support.tools import TEXT, Json, parameter

ITEM: Json = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}


def body(media: str, schema: Json, *, required: bool = True) -> Json:
    return {"requestBody": {"required": required, "content": {media: {"schema": schema}}}}


def parameters(*given: Json) -> Json:
    return {"parameters": list(given)}


CASES: Mapping[str, tuple[Json, bool]] = {
    "nothing is required": (parameters(parameter("X-A", "header", TEXT)), True),
    "every name is its own": (
        parameters(parameter("q", "query", TEXT, required=True), parameter("H", "header", TEXT)),
        True,
    ),
    "a flat JSON body": (body("application/json", ITEM), True),
    "a header with another name": (
        parameters(parameter("X-Request-ID", "header", TEXT, required=True)),
        False,
    ),
    "one of two of the same name": (
        parameters(
            parameter("a", "query", TEXT, required=True),
            parameter("a", "header", TEXT, required=True),
        ),
        False,
    ),
    "a cookie": (parameters(parameter("key", "cookie", TEXT, required=True)), False),
    "a body that stays one": (body("application/json", {"type": "array"}), False),
    "the same, if nobody has to send it": (
        body("application/json", {"type": "array"}, required=False),
        True,
    ),
    "a form": (body("application/x-www-form-urlencoded", ITEM), False),
    "plain text": (body("text/plain", TEXT), False),
}


@pytest.mark.parametrize(("operation", "within"), CASES.values(), ids=CASES)
def test_what_is_required_has_to_go_where_such_an_agent_puts_it(
    operation: Json, within: bool
) -> None:
    root = {"openapi": "3.1.0", "paths": {"/a": {"post": {**operation, "responses": {}}}}}
    api = read_catalog(read_description(root, api="shop"))
    expected = "agents that use the gateway as a registry cannot call 1 of 1 tools: postA"
    assert out_of_reach(api) == (None if within else expected)


def test_the_first_ones_are_named_and_all_are_counted() -> None:
    hidden = parameters(parameter("X-A", "header", TEXT, required=True))
    paths = {f"/{name}": {"get": {"operationId": name, **hidden}} for name in "dbeca"}
    paths["/f"] = {"get": {"operationId": "f"}}
    api = read_catalog(read_description({"openapi": "3.1.0", "paths": paths}, api="shop"))

    assert str(out_of_reach(api)).endswith("cannot call 5 of 6 tools: a, b, c, ...")


def test_what_the_configuration_fixes_is_nothing_that_an_agent_has_to_send() -> None:
    operation = parameters(parameter("X-A", "header", TEXT, required=True))
    root = {"openapi": "3.1.0", "paths": {"/a": {"get": {"operationId": "a", **operation}}}}
    fixed = {"a": ToolOverride(set={"X_A": "1"})}
    api = read_catalog(read_description(root, api="shop"), overrides=fixed)

    assert out_of_reach(api) is None
