"""Lists in lists, which Swagger 2.0 gives a `collectionFormat` each."""

from urllib.parse import unquote

import pytest

from gateway.calls import build_request
from gateway.messages import header
from tests.support.documents import only_tool

Json = dict[str, object]

PIPES: Json = {"type": "array", "collectionFormat": "pipes"}
CSV: Json = {"type": "array", "collectionFormat": "csv", "items": {"type": "string"}}
UNSAID: Json = {"type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize(
    ("raw", "value", "sent"),
    [
        pytest.param(PIPES | {"items": CSV}, [["a", "b"], ["c"]], "a,b%7Cc", id="csv in pipes"),
        pytest.param(CSV | {"items": PIPES}, [["a", "b"], ["c"]], "a%7Cb,c", id="pipes in csv"),
        pytest.param(PIPES | {"items": UNSAID}, [["a", "b"]], "a,b", id="csv where none is given"),
        pytest.param(
            PIPES | {"items": CSV | {"items": PIPES | {"items": {}}}},
            [[["a", "b"], ["c"]], [["d"]]],
            "a%7Cb,c%7Cd",
            id="three levels",
        ),
        pytest.param(PIPES | {"items": CSV}, [["a,b", "c"]], "a%2Cb,c", id="a delimiter inside"),
        pytest.param(PIPES | {"items": {}}, [["a"]], "%5B%22a%22%5D", id="not described: JSON"),
    ],
)
@pytest.mark.parametrize("place", ["path", "query", "formData", "header"])
def test_lists_in_lists_have_formats_of_their_own(
    raw: Json, value: object, sent: str, place: str
) -> None:
    item = {"parameters": [{"name": "x", "in": place, "required": True, **raw}]}
    path = "/{x}" if place == "path" else "/"
    request = build_request(
        only_tool({"swagger": "2.0", "paths": {path: {"post": item}}}), {"x": value}
    )
    head = request.head
    body = request.body if isinstance(request.body, bytes) else b""
    found = {
        "path": head.target.removeprefix("/"),
        "query": head.target.removeprefix("/?x="),
        "formData": body.decode().removeprefix("x="),
        "header": header(head.headers, "x"),
    }
    assert found[place] == (unquote(sent) if place == "header" else sent)


def test_a_repeated_list_has_items_in_their_format() -> None:
    raw = {"name": "x", "in": "query", "type": "array", "collectionFormat": "multi", "items": PIPES}
    root = {"swagger": "2.0", "paths": {"/": {"get": {"parameters": [raw]}}}}
    request = build_request(only_tool(root), {"x": [["a", "b"], ["c"]]})
    assert request.head.target == "/?x=a%7Cb&x=c"


def test_the_format_of_an_inner_list_is_part_of_the_digest() -> None:
    digests = set()
    for inner in (CSV, CSV | {"collectionFormat": "pipes"}):
        raw = {"name": "x", "in": "query", **PIPES, "items": inner}
        root = {"swagger": "2.0", "paths": {"/": {"get": {"parameters": [raw]}}}}
        digests.add(only_tool(root).digest)
    assert len(digests) == 2
