"""Which members of a multipart form are files, and what is published for them."""

import pytest

from gateway.catalog.files import MAX_PARTS, FileUse, is_binary, read_form
from gateway.openapi import Document, Node

FILE = {"type": "string", "format": "binary"}
BASE64 = {"type": "string", "contentEncoding": "base64"}


@pytest.mark.parametrize(
    ("schema", "media_type", "expected"),
    [
        pytest.param(FILE, None, True, id="binary"),
        pytest.param({"format": "binary"}, None, True, id="without a type"),
        pytest.param({"type": ["string", "null"], "format": "binary"}, None, True, id="or null"),
        pytest.param({"type": "file"}, None, True, id="Swagger 2.0"),
        pytest.param({"contentMediaType": "image/png"}, None, True, id="media type"),
        pytest.param({"type": "string"}, "application/pdf", True, id="encoding"),
        pytest.param({}, "image/png", True, id="nothing but an encoding"),
        pytest.param({"type": "string", "format": "byte"}, "image/png", False, id="byte"),
        pytest.param({**FILE, "contentEncoding": "base64"}, None, False, id="encoded"),
        pytest.param({"contentMediaType": "text/csv"}, None, False, id="text"),
        pytest.param({"contentMediaType": "image/svg+xml"}, None, False, id="XML"),
        pytest.param({"type": "string"}, "application/sdp", False, id="text by encoding"),
        pytest.param({"type": "string"}, None, False, id="plain"),
        pytest.param({"type": "integer", "format": "binary"}, None, False, id="number"),
        pytest.param({"type": ["string", "object"], "format": "binary"}, None, False, id="both"),
        pytest.param({"properties": {}}, "image/png", False, id="object"),
        pytest.param({"enum": ["a"]}, "image/png", False, id="enum"),
        pytest.param({"type": 1}, "image/png", False, id="wrong type"),
        pytest.param(True, "image/png", False, id="boolean schema"),
    ],
)
def test_a_schema_of_bytes(schema: object, media_type: str | None, expected: bool) -> None:
    assert is_binary(schema, media_type) is expected


def form(document: Document, schema: object, pointer: str = "/f") -> tuple[object, object]:
    found = read_form(Node(value=schema, pointer=pointer), document, {})
    return found.root.value, dict(found.files)


def test_a_form_without_files_is_left_as_it_is() -> None:
    schema = {"properties": {"a": {"anyOf": [{}, {"items": {}}]}}, "allOf": [{"type": "object"}]}
    found, files = form(Document({}), schema)
    assert found is schema
    assert files == {}


def test_the_same_name_in_several_branches_admits_what_any_does() -> None:
    branches = [{"properties": {"a": FILE}}, {"properties": {"a": {"anyOf": [FILE, {}]}}}]
    for order in (branches, branches[::-1]):
        assert form(Document({}), {"oneOf": order})[1] == {"a": FileUse.TEXT}


def test_what_stands_beside_a_reference_stays() -> None:
    document = Document({"F": {**FILE, "description": "any", "maxLength": 1}})
    schema = {"properties": {"a": {"$ref": "#/F", "description": "this"}}}
    found, _ = form(document, schema)
    assert isinstance(found, dict)
    published = found["properties"]["a"]
    assert published["description"] == "this"
    assert published["anyOf"][0] == BASE64


class TestSeveralDocuments:
    @pytest.fixture
    def document(self) -> Document:
        parts = {
            "file": FILE,
            "mixed": {"anyOf": [FILE, {"$ref": "#/note"}]},
            "note": {"type": "object"},
        }
        return Document({}, parts={"d/parts.yaml": parts})

    def test_a_file_of_another_document_is_published(self, document: Document) -> None:
        schema = {"properties": {"a": {"$ref": "d/parts.yaml#/file"}}}
        found, files = form(document, schema)
        assert isinstance(found, dict)
        assert found["properties"]["a"]["anyOf"][0] == BASE64
        assert files == {"a": FileUse.BASE64}

    def test_references_of_another_document_are_not_moved(self, document: Document) -> None:
        schema = {"properties": {"a": {"$ref": "d/parts.yaml#/mixed"}}}
        found, files = form(document, schema)
        assert found == schema
        assert files == {"a": FileUse.BASE64}


@pytest.mark.parametrize("place", ["properties", "allOf"])
def test_the_search_ends_whatever_is_described(place: str) -> None:
    ref = {"$ref": "#/Wide"}
    wide: dict[str, object] = {"anyOf": [ref] * 300, "properties": {"a": FILE}}
    document = Document({"Wide": wide})
    schema: object = {"properties": {"p": ref}} if place == "properties" else {"allOf": [ref] * 3}
    found, _ = form(document, schema)
    assert repr(found).count("contentEncoding") <= 3 * MAX_PARTS
