"""A second opinion: what is built for the demo API is valid by openapi-core's reading of it."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest
from werkzeug.datastructures import ImmutableMultiDict

from gateway.calls import build_request
from gateway.catalog import ApiCatalog, read_catalog
from gateway.messages import Request
from gateway.openapi import read_description

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
        parts.path,
        args=ImmutableMultiDict(parse_qsl(parts.query, keep_blank_values=True)),
        headers=headers,
        data=request.body,
        content_type=headers.get("Content-Type", ""),
    )


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
