"""Encoding Objects of form bodies."""

import pytest

from gateway.openapi import Encoding, is_json, is_media_type
from gateway.openapi.document import Node
from gateway.openapi.encodings import read_encodings

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("described", "encoding"),
    [
        pytest.param({}, Encoding(), id="nothing"),
        pytest.param({"style": "form"}, Encoding(style="form"), id="form explodes"),
        pytest.param(
            {"style": "deepObject"}, Encoding(style="deepObject", explode=False), id="others do not"
        ),
        pytest.param(
            {"style": "pipeDelimited", "explode": True},
            Encoding(style="pipeDelimited"),
            id="explode given",
        ),
        pytest.param({"explode": False}, Encoding(style="form", explode=False), id="explode alone"),
        pytest.param(
            {"allowReserved": True}, Encoding(style="form", allow_reserved=True), id="reserved"
        ),
        pytest.param({"style": "matrix"}, Encoding(), id="a style of paths"),
        pytest.param({"style": 1, "explode": "no"}, Encoding(), id="wrong types"),
        pytest.param("x", Encoding(), id="no object"),
        pytest.param(
            {"contentType": " image/png, image/jpeg"},
            Encoding(media_type="image/png"),
            id="first of several types",
        ),
        pytest.param({"contentType": "image/*"}, Encoding(), id="a range"),
        pytest.param({"contentType": "a/b\r\nX: y"}, Encoding(), id="no media type"),
        pytest.param({"contentType": 1}, Encoding(), id="no text"),
    ],
)
def test_an_encoding(described: object, encoding: Encoding) -> None:
    media = Node(value={"encoding": {"p": described}}, pointer="/m")
    for media_type in (FORM, f"{FORM.upper()}; x=y", "multipart/form-data"):
        assert read_encodings(media, media_type) == {"p": encoding}


@pytest.mark.parametrize("encoding", [None, [], "x"])
def test_no_encodings(encoding: object) -> None:
    assert read_encodings(Node(value={"encoding": encoding}, pointer=""), FORM) == {}


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("text/json", True),
        ("text/x-json", True),
        ("application/x-json", True),
        ("application/problem+json", True),
        ("model/gltf+json;v=2", True),
        ("application/json-seq", False),
        ("application/x-ndjson", False),
        ("text/plain", False),
        ("json", False),
        ("", False),
    ],
)
def test_which_media_types_are_json(media_type: str, expected: bool) -> None:
    assert is_json(media_type) is expected


def test_only_forms_have_encodings() -> None:
    media = Node(value={"encoding": {"p": {"style": "form"}}}, pointer="")
    assert read_encodings(media, "application/json") == {}


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a/b", True),
        ("a/b; c=d", True),
        ("a/b ;c", True),
        ("*/*", True),
        ("a", False),
        ("a/", False),
        ("a/b c", False),
        ("a/b;\n", False),
        ("a/b\n", False),
        ("a/é", False),
    ],
)
def test_media_types(text: str, is_one: bool) -> None:
    assert is_media_type(text) is is_one
