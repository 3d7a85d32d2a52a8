"""Rules out of descriptions of every version, and what of them cannot be had."""

from collections.abc import Mapping

import pytest

from gateway.messages import Headers
from gateway.traffic import Book
from tests.support.documents import document, only_tool, operation, query
from tests.support.traffic_shop import judge_answer, judge_request, pairs

JSON: Headers = (("Content-Type", "application/json"),)
XML: Headers = (("Content-Type", "application/xml"),)
FORM: Headers = (("Content-Type", "application/x-www-form-urlencoded"),)
DANGLING = {"$ref": "#/components/schemas/Nowhere"}
TYPE = "expected integer, received string"


def content(schema: object) -> dict[str, object]:
    return {"content": {"application/json": {"schema": schema}}}


def swagger(**members: object) -> dict[str, object]:
    return {
        "swagger": "2.0",
        "info": {"title": "t", "version": "1"},
        "consumes": ["application/json", "application/xml"],
        "produces": ["application/json"],
        "paths": {"/a": {"post": members}},
    }


def test_swagger_2_parameters_bodies_headers_and_answers() -> None:
    tool = only_tool(
        swagger(
            parameters=[
                {
                    "name": "ids",
                    "in": "query",
                    "type": "array",
                    "collectionFormat": "pipes",
                    "items": {"type": "integer"},
                },
                {
                    "name": "body",
                    "in": "body",
                    "required": True,
                    "schema": {"type": "object", "required": ["a"]},
                },
            ],
            responses={
                "200": {
                    "description": "",
                    "schema": {"type": "array"},
                    "headers": {"X-N": {"type": "integer"}},
                }
            },
        )
    )
    book = Book()
    found = judge_request(tool, "/a?ids=1|x", JSON, b"{}", base_path="", book=book)
    assert pairs(found) == [("/query/ids/1", TYPE), ("/body/a", "is required")]
    assert judge_request(tool, "/a", XML, b"<a/>", base_path="", book=book).is_sound
    assert not judge_request(tool, "/a", FORM, b"a=1", base_path="", book=book).is_sound
    found = judge_answer(tool, 200, (*JSON, ("X-N", "x")), b"{}", book=book)
    assert pairs(found) == [
        ("/header/X-N", TYPE),
        ("/body", "expected array, received object"),
    ]


def test_swagger_2_forms() -> None:
    tool = only_tool(
        swagger(
            consumes=["application/x-www-form-urlencoded", "multipart/form-data"],
            parameters=[
                {"name": "n", "in": "formData", "type": "integer", "required": True},
                {"name": "l", "in": "formData", "type": "array", "items": {"type": "integer"}},
            ],
            responses={"200": {"description": ""}},
        )
    )
    book = Book()
    assert judge_request(tool, "/a", FORM, b"n=1&l=2,3", base_path="", book=book).is_sound
    found = judge_request(tool, "/a", FORM, b"l=2,x", base_path="", book=book)
    assert pairs(found) == [("/body/l/1", TYPE), ("/body/n", "is required")]


@pytest.mark.parametrize("schema", [{"type": "string", "nullable": True}, {"x": 1}])
def test_null_of_version_3_0(schema: Mapping[str, object]) -> None:
    root = document(
        {"/a": {"post": operation(body={"type": "object", "properties": {"n": schema}})}},
        version="3.0.3",
    )
    assert judge_request(only_tool(root), "/a", JSON, b'{"n": null}', base_path="").is_sound


def test_what_refers_to_nothing_is_not_judged_and_named() -> None:
    root = document(
        {
            "/a": {
                "post": {
                    "requestBody": {
                        "content": {
                            "application/json": {"schema": {"type": "object"}},
                            "application/x+json": {"schema": DANGLING},
                        }
                    },
                    "responses": {
                        "200": {
                            "description": "",
                            "content": {"application/json": {"schema": DANGLING}},
                        },
                        "404": {"$ref": "#/components/responses/Nowhere"},
                        "500": {"description": "", "headers": {"X": {"schema": DANGLING}}},
                    },
                }
            }
        }
    )
    tool, book = only_tool(root), Book()
    other: Headers = (("Content-Type", "application/x+json"),)
    assert judge_request(tool, "/a", other, b"{", base_path="", book=book).is_sound
    assert len(book.read_request(tool).rules.unjudged) == 1
    for status in (200, 404, 500):
        assert judge_answer(tool, status, JSON, b"{", book=book).is_sound
        rules = book.read_answer(tool, status)
        assert rules is not None
        assert len(rules.unjudged) == 1


def test_a_pattern_that_cannot_be_matched_admits_everything() -> None:
    root = document(
        {"/a": {"get": operation(parameters=[query("q", {"type": "string", "pattern": "(?<=a"})])}}
    )
    assert judge_request(only_tool(root), "/a?q=x", base_path="").is_sound


def test_a_header_with_content_and_a_schema_of_false() -> None:
    root = document(
        {
            "/a": {
                "get": {
                    "responses": {
                        "200": {
                            "description": "",
                            "headers": {
                                "X-Json": {
                                    "content": {"application/json": {"schema": {"type": "object"}}}
                                }
                            },
                            **content(schema=False),
                        }
                    }
                }
            }
        }
    )
    found = pairs(judge_answer(only_tool(root), 200, (*JSON, ("X-Json", "{")), b"1"))
    assert [pointer for pointer, _ in found] == ["/header/X-Json", "/body"]


@pytest.mark.parametrize(
    ("target", "sound"),
    [
        ("/a?q=%7B%22n%22%3A1%7D", False),
        ("/a?%7B%22n%22%3A1%7D", True),
        ("/a?%7B%22n%22%3A%7D", False),
    ],
)
def test_the_whole_query_of_version_3_2(target: str, sound: bool) -> None:
    whole = {
        "name": "all",
        "in": "querystring",
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object", "required": ["n"]}},
        },
    }
    root = document({"/a": {"get": operation(parameters=[whole])}}, version="3.2.0")
    assert judge_request(only_tool(root), target, base_path="").is_sound is sound


def test_the_whole_query_as_a_form() -> None:
    whole = {
        "name": "all",
        "in": "querystring",
        "content": {
            "application/x-www-form-urlencoded": {"schema": {"type": "object", "required": ["n"]}},
        },
    }
    root = document({"/a": {"get": operation(parameters=[whole])}}, version="3.2.0")
    tool = only_tool(root)
    assert judge_request(tool, "/a?n=1+2", base_path="").is_sound
    assert not judge_request(tool, "/a?m=1", base_path="").is_sound
    assert judge_request(tool, "/a", base_path="").is_sound
