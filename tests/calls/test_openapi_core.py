"""A second opinion: what is built for the demo API is valid by openapi-core's reading of it."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest
from werkzeug.datastructures import ImmutableMultiDict

from gateway.calls import build_request
from gateway.catalog import ApiCatalog, read_catalog
from gateway.messages import Request
from gateway.openapi import read_description
from tests.support.documents import document as document_of
from tests.support.documents import only_tool, operation

DEMO = Path(__file__).parents[2] / "gateway" / "demo" / "demo.yaml"

EXAMPLES: Mapping[str, tuple[Mapping[str, object], ...]] = {
    "listBooks": ({}, {"author": "é & co", "tag": ["a b", "c&d"], "available": True, "limit": 3}),
    "createBook": (
        {"title": "T", "author": "A"},
        {"title": "T", "author": "A", "year": None, "tags": ["x", "y"]},
    ),
    "getBook": ({"bookId": 7},),
    "updateBook": ({"bookId": 7}, {"bookId": 7, "year": 1999}),
    "deleteBook": ({"bookId": 7},),
    "getBookCover": ({"bookId": 7},),
    "borrowBook": (
        {"bookId": 7, "X_Reader": "R-0042", "days": 3},
        {"bookId": 7, "X_Reader": "R-0042", "days": 3, "note": None, "dryRun": True},
    ),
    "returnBook": ({"bookId": 7, "X_Reader": "R-0042"},),
    "listShelves": ({},),
}


@cache
def document() -> dict[str, object]:
    value = yaml.safe_load(DEMO.read_text())
    assert isinstance(value, dict)
    return value


@cache
def demo() -> ApiCatalog:
    return read_catalog(read_description(document(), api="library"))


CASES = [(name, arguments) for name, cases in EXAMPLES.items() for arguments in cases]


def as_openapi_core_sees(request: Request) -> MockRequest:
    parts = urlsplit(request.head.target)
    headers = dict(request.head.headers)
    assert request.body is None or isinstance(request.body, bytes)
    return MockRequest(
        "http://127.0.0.1:9000",
        request.head.method,
        unquote(parts.path),
        args=ImmutableMultiDict(parse_qsl(parts.query, keep_blank_values=True)),
        headers=headers,
        cookies=dict(cookies_of(headers.get("Cookie", ""))),
        data=request.body,
        content_type=headers.get("Content-Type", ""),
    )


def cookies_of(header: str) -> Iterator[tuple[str, str]]:
    for cookie in header.split("; ") if header else ():
        name, _, value = cookie.partition("=")
        yield name, unquote(value)


def test_every_operation_has_an_example() -> None:
    assert EXAMPLES.keys() == demo().tools.keys()


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=[name for name, _ in CASES])
def test_a_built_request_is_valid(name: str, arguments: Mapping[str, object]) -> None:
    request = build_request(demo().tools[name], arguments)
    OpenAPI.from_dict(document()).validate_request(as_openapi_core_sees(request))


def test_the_second_opinion_can_differ() -> None:
    request = build_request(demo().tools["returnBook"], {"bookId": 7, "X_Reader": "R-0042"})
    seen = as_openapi_core_sees(request)
    seen.path = "/books/0/loan"
    with pytest.raises(OpenAPIError):
        OpenAPI.from_dict(document()).validate_request(seen)


# What the library reads of the styles: it knows no label, matrix and spaceDelimited, and of
# exploded parameters only the lists of queries. It decodes before it splits, as servers do, so
# that a delimiter inside a value is lost on it.
READABLE = (
    ("path", "simple", False),
    ("path", "simple", True),
    ("query", "form", False),
    ("query", "pipeDelimited", False),
    ("header", "simple", False),
    ("header", "simple", True),
    ("cookie", "form", False),
)
LISTS = (*READABLE, ("query", "form", True))
OBJECTS = (*READABLE, ("query", "deepObject", True))
SIGNS = " +&:@$!'()*"
# A header is ASCII; a path is handed over decoded, as the library wants it, and then read as a URL.
TEXTS = {
    "path": st.characters(categories=["L", "N"], include_characters=SIGNS),
    "query": st.characters(categories=["L", "N"], include_characters=f"{SIGNS}%#?;"),
    "header": st.sampled_from(f"abcXYZ0189{SIGNS}%#?;"),
    "cookie": st.characters(categories=["L", "N"], include_characters=f"{SIGNS}%#?;"),
}


def texts(place: str) -> st.SearchStrategy[str]:
    """Texts without outer spaces, which a header has to refuse."""
    found = st.text(TEXTS[place], min_size=1, max_size=6)
    return found.filter(lambda text: text == text.strip())


MEMBERS = {"R": {"type": "integer"}, "G": {"type": "string"}}


def read_back(place: str, style: str, explode: bool, schema: object, value: object) -> object:
    """What openapi-core makes of the request that `value` makes, as an argument."""
    declared = {
        "name": "color",
        "in": place,
        "required": True,
        "schema": schema,
        "style": style,
        "explode": explode,
    }
    path = "/p/{color}" if place == "path" else "/p"
    root = document_of(
        {path: {"get": operation(parameters=[declared])}},
        servers=[{"url": "http://127.0.0.1:9000"}],
    )
    request = build_request(only_tool(root), {"color": value})
    read = OpenAPI.from_dict(root).unmarshal_request(as_openapi_core_sees(request))
    assert list(read.errors) == []
    found = getattr(read.parameters, place)
    assert isinstance(found, Mapping)
    return found["color"]


@pytest.mark.parametrize(("place", "style", "explode"), LISTS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_list_is_read_back(place: str, style: str, explode: bool, data: st.DataObject) -> None:
    value = data.draw(st.lists(texts(place), min_size=1, max_size=3))
    schema = {"type": "array", "items": {"type": "string"}}
    assert read_back(place, style, explode, schema, value) == value


@pytest.mark.parametrize(("place", "style", "explode"), OBJECTS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_an_object_is_read_back(place: str, style: str, explode: bool, data: st.DataObject) -> None:
    value = {
        "R": data.draw(st.integers()),
        "G": data.draw(texts(place)),
    }
    schema = {"type": "object", "properties": MEMBERS}
    assert read_back(place, style, explode, schema, value) == value
