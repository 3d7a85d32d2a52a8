"""Style by explode by kind of value, as OpenAPI, Swagger 2.0 and RFC 6570 write them."""

import pytest

from gateway.calls import build_request
from gateway.catalog import Tool
from gateway.errors import InvalidArguments
from gateway.messages import Request, header
from tests.support.conformance import (
    COLLECTION,
    NOTHING,
    REFUSED,
    TABLES,
    Case,
    cases,
    collection_cases,
)
from tests.support.documents import only_tool
from tests.support.tools import DONE, parameter, tool_of

CASES = list(cases())
COLLECTIONS = collection_cases()


def shown(request: Request, place: str) -> str:
    """The part of the request where the parameter stands, as the tables write it."""
    path, mark, query = request.head.target.partition("?")
    name = {"header": "color", "cookie": "Cookie"}.get(place, "")
    value = header(request.head.headers, name) if name else None
    body = request.body.decode() if isinstance(request.body, bytes) else NOTHING
    return {
        "path": path.removeprefix("/p/"),
        "query": mark + query or NOTHING,
        "formData": body,
    }.get(place, NOTHING if value is None else f"{name}: {value}".rstrip())


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_a_value_is_sent_as_its_style_says(case: Case) -> None:
    declared = parameter("color", case.place, style=case.style, explode=case.explode)
    tool = tool_of(declared, path="/p/{color}" if case.place == "path" else "/p")
    arguments = {"color": case.value}

    if case.sent == REFUSED:
        with pytest.raises(InvalidArguments) as refusal:
            build_request(tool, arguments)
        assert [fault.pointer for fault in refusal.value.faults] == ["/color"]
        return
    assert shown(build_request(tool, arguments), case.place) == case.sent


def swagger_tool(place: str, given: str) -> Tool:
    declared: dict[str, object] = {"name": "color", "in": place, "type": "array", "items": {}}
    if given:
        declared["collectionFormat"] = given
    if place == "path":
        declared["required"] = True
    path = "/p/{color}" if place == "path" else "/p"
    operation = {"parameters": [declared], "responses": DONE}
    return only_tool({"swagger": "2.0", "paths": {path: {"post": operation}}})


@pytest.mark.parametrize(
    ("place", "given", "sent"),
    COLLECTIONS,
    ids=[f"{place} {given or 'by default'}" for place, given, _ in COLLECTIONS],
)
def test_an_array_is_sent_as_its_collection_format_says(place: str, given: str, sent: str) -> None:
    tool = swagger_tool(place, given)
    assert shown(build_request(tool, {"color": list(COLLECTION)}), place) == sent


def test_every_table_has_every_combination() -> None:
    combinations = {
        (place, style, explode)
        for place, styles in {
            "path": ("simple", "label", "matrix"),
            "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
            "header": ("simple",),
            "cookie": ("form", "cookie"),
        }.items()
        for style in styles
        for explode in (False, True)
    }
    for table in TABLES.values():
        assert table.rows.keys() == combinations
