"""`multipart/form-data` bodies, read back by two parsers that know nothing of each other."""

from base64 import b64encode
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from email import message_from_bytes
from email.headerregistry import ContentDispositionHeader
from email.message import EmailMessage
from email.policy import HTTP
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import FileStorage
from werkzeug.formparser import parse_form_data

from gateway.calls import build_request
from gateway.catalog import Tool
from gateway.errors import InvalidArguments
from gateway.messages import Request, header
from tests.support.tools import DONE, TEXT, api_of

FILE = {"type": "string", "format": "binary"}
OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A part as a parser finds it."""

    name: str
    data: bytes
    filename: str | None = None
    media_type: str | None = None


def form_tool(
    properties: Mapping[str, object], *, version: str = "3.1.0", **encodings: object
) -> Tool:
    schema = {"type": "object", "properties": properties}
    return tool_of_schema(schema, version=version, **encodings)


def tool_of_schema(schema: object, *, version: str = "3.1.0", **encodings: object) -> Tool:
    content = {"multipart/form-data": {"schema": schema, "encoding": encodings}}
    operation = {"requestBody": {"required": True, "content": content}, "responses": DONE}
    (tool,) = api_of(
        {"/x": {"post": operation}}, version=version, components={"schemas": SHARED}
    ).tools.values()
    return tool


SHARED = {
    "File": FILE,
    "Files": {"type": "array", "items": {"$ref": "#/components/schemas/File"}},
    "Loop": {"anyOf": [{"$ref": "#/components/schemas/Loop"}, FILE]},
}


def content_type_of(request: Request) -> str:
    found = header(request.head.headers, "Content-Type")
    assert found is not None
    return found


def by_email(request: Request) -> list[Read]:
    assert isinstance(request.body, bytes)
    head = f"Content-Type: {content_type_of(request)}\r\n\r\n".encode()
    message = message_from_bytes(head + request.body, policy=HTTP)
    assert not message.defects
    return [_by_email(part) for part in message.iter_parts() if isinstance(part, EmailMessage)]


def _by_email(part: EmailMessage) -> Read:
    data, head = part.get_payload(decode=True), part["Content-Disposition"]
    assert isinstance(data, bytes)
    assert isinstance(head, ContentDispositionHeader)
    disposition = head.params
    # Readers of forms know that `%22` is a quote; this one is no reader of forms.
    name, filename = disposition["name"], disposition.get("filename")
    return Read(
        name=name.replace("%22", '"'),
        filename=filename and filename.replace("%22", '"'),
        media_type=part["Content-Type"],
        data=data,
    )


def by_werkzeug(request: Request) -> list[Read]:
    assert isinstance(request.body, bytes)
    environ = {
        "wsgi.input": BytesIO(request.body),
        "CONTENT_LENGTH": str(len(request.body)),
        "CONTENT_TYPE": content_type_of(request),
        "REQUEST_METHOD": "POST",
    }
    _, fields, files = parse_form_data(environ, silent=False)
    return [
        *(Read(name=n, data=v.encode()) for n, v in fields.items(multi=True)),
        *(
            Read(name=n, data=_content(f), filename=f.filename, media_type=f.content_type)
            for n, f in files.items(multi=True)
        ),
    ]


def _content(file: FileStorage) -> bytes:
    with closing(file):
        content = file.read()
    assert isinstance(content, bytes)
    return content


def parts(tool: Tool, arguments: Mapping[str, object]) -> list[Read]:
    """The parts of the request, on which both parsers agree, fields before files."""
    request = build_request(tool, arguments)
    found = by_email(request)
    as_fields = [
        part if part.filename is not None else Read(name=part.name, data=part.data)
        for part in found
    ]
    assert sorted(as_fields, key=repr) == sorted(by_werkzeug(request), key=repr)
    return found


def faults(tool: Tool, arguments: Mapping[str, object]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidArguments) as caught:
        build_request(tool, arguments)
    return [(fault.pointer, fault.message) for fault in caught.value.faults]


def test_a_file_is_sent_as_bytes_and_a_text_as_a_field() -> None:
    tool = form_tool({"file": FILE, "note": TEXT})
    assert parts(tool, {"file": "aGVsbG8=", "note": "n"}) == [
        Read(name="note", data=b"n"),
        Read(name="file", data=b"hello", filename="file", media_type=OCTETS),
    ]


def test_a_file_may_be_named_and_typed() -> None:
    file = {"filename": "höhe.png", "content_type": "image/png", "data": "/w=="}
    request = build_request(form_tool({"file": FILE}), {"file": file})
    assert by_werkzeug(request) == [
        Read(name="file", data=b"\xff", filename="höhe.png", media_type="image/png")
    ]
    assert isinstance(request.body, bytes)
    assert 'filename="höhe.png"'.encode() in request.body


def test_a_file_may_be_a_text() -> None:
    file = {"filename": "a.csv", "content_type": "text/csv", "text": "é,1\r\n"}
    assert parts(form_tool({"file": FILE}), {"file": file}) == [
        Read(name="file", data="é,1\r\n".encode(), filename="a.csv", media_type="text/csv")
    ]


def test_files_are_sent_one_by_one_under_their_name() -> None:
    tool = form_tool({"files": {"type": "array", "items": FILE}, "z": TEXT})
    files = ["YQ==", {"filename": "b", "text": "b"}]
    assert [(p.name, p.data, p.filename) for p in parts(tool, {"files": files, "z": "z"})] == [
        ("z", b"z", None),
        ("files", b"a", "files"),
        ("files", b"b", "b"),
    ]


@pytest.mark.parametrize(
    ("value", "encoding", "expected"),
    [
        pytest.param(5, {}, [("p", b"5", None)], id="number"),
        pytest.param(False, {}, [("p", b"false", None)], id="boolean"),
        pytest.param("", {}, [("p", b"", None)], id="empty text"),
        pytest.param("é", {}, [("p", "é".encode(), None)], id="beyond ASCII"),
        pytest.param(["a", None, 2], {}, [("p", b"a", None), ("p", b"2", None)], id="array"),
        pytest.param({"a": [1]}, {}, [("p", b'{"a":[1]}', "application/json")], id="object"),
        pytest.param([[1]], {}, [("p", b"[1]", "application/json")], id="nested array"),
        pytest.param(
            [1, 2],
            {"contentType": "application/json"},
            [("p", b"[1,2]", "application/json")],
            id="array called JSON",
        ),
        pytest.param(
            {"a": 1},
            {"contentType": "application/ld+json, text/plain"},
            [("p", b'{"a":1}', "application/ld+json")],
            id="first of the types",
        ),
        pytest.param(
            {"a": 1},
            {"contentType": "application/xml"},
            [("p", b'{"a":1}', "application/json")],
            id="an object is no XML",
        ),
        pytest.param(
            "<a/>", {"contentType": "text/xml"}, [("p", b"<a/>", "text/xml")], id="typed text"
        ),
        pytest.param(
            "v=0", {"contentType": "a/b\r\nX-Evil: 1"}, [("p", b"v=0", None)], id="no media type"
        ),
        pytest.param(
            {"a b": [1]},
            {"style": "deepObject"},
            [("p[a b][0]", b"1", None)],
            id="deepObject, nothing percent-encoded",
        ),
        pytest.param("%41+", {"allowReserved": True}, [("p", b"%41+", None)], id="nor decoded"),
    ],
)
def test_other_members(
    value: object, encoding: object, expected: list[tuple[str, bytes, str | None]]
) -> None:
    found = parts(form_tool({"p": {}}, p=encoding), {"p": value})
    assert [(part.name, part.data, part.media_type) for part in found] == expected


@pytest.mark.parametrize(
    ("schema", "value", "sent"),
    [
        pytest.param({"$ref": "#/components/schemas/File"}, "YQ==", b"a", id="reference"),
        pytest.param({"$ref": "#/components/schemas/Files"}, ["YQ=="], b"a", id="reference, list"),
        pytest.param({"anyOf": [FILE, {"type": "null"}]}, "YQ==", b"a", id="or null"),
        pytest.param({"type": ["string", "null"], "format": "binary"}, "YQ==", b"a", id="types"),
        pytest.param({"allOf": [FILE, {"description": "x"}]}, "YQ==", b"a", id="allOf"),
        pytest.param(
            {"anyOf": [FILE, {"type": "array", "items": FILE}]}, ["YQ=="], b"a", id="or a list"
        ),
        pytest.param(
            {"type": "string", "contentMediaType": OCTETS}, "YQ==", b"a", id="media type of 3.1"
        ),
        pytest.param({"$ref": "#/components/schemas/Loop"}, "YQ==", b"a", id="a cycle"),
        pytest.param({"anyOf": [FILE, TEXT]}, "YQ==", b"YQ==", id="or a text: the text"),
        pytest.param({"anyOf": [FILE, TEXT]}, {"data": "YQ=="}, b"a", id="or a text: the file"),
        pytest.param({"anyOf": [FILE, {"type": "object"}]}, {"a": 1}, b'{"a":1}', id="or any"),
        pytest.param({"type": "string", "format": "byte"}, "YQ==", b"YQ==", id="byte"),
        pytest.param(
            {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"},
            "YQ==",
            b"YQ==",
            id="contentEncoding",
        ),
        pytest.param(
            {"type": "string", "contentMediaType": "text/csv"}, "a,b", b"a,b", id="textual"
        ),
    ],
)
def test_where_a_file_is(schema: object, value: object, sent: bytes) -> None:
    (found,) = parts(form_tool({"p": schema}), {"p": value})
    assert found.data == sent


def test_an_encoding_makes_a_file_of_a_text() -> None:
    tool = form_tool({"p": TEXT}, p={"contentType": "image/png, image/jpeg"})
    assert parts(tool, {"p": "YQ=="}) == [
        Read(name="p", data=b"a", filename="p", media_type="image/png")
    ]


def test_files_are_found_in_compositions_and_under_any_name() -> None:
    schema = {
        "allOf": [
            {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/File"}}},
            {"type": "object", "additionalProperties": FILE},
        ]
    }
    found = parts(tool_of_schema(schema), {"body": {"a": "YQ==", "z": "eg=="}})
    assert [(part.name, part.data) for part in found] == [("a", b"a"), ("z", b"z")]


def test_what_a_file_takes_stands_in_the_schema() -> None:
    tool = form_tool({"file": {**FILE, "maxLength": 3, "description": "The picture"}})
    properties = tool.input_schema["properties"]
    assert isinstance(properties, dict)
    bare, described = properties["file"]["anyOf"]
    assert properties["file"]["description"] == "The picture"
    assert bare == {"type": "string", "contentEncoding": "base64"}
    assert set(described["properties"]) == {"filename", "content_type", "data", "text"}
    assert "$defs" not in tool.input_schema


@pytest.mark.parametrize(
    "file",
    [
        pytest.param({}, id="empty"),
        pytest.param({"filename": "a"}, id="no content"),
        pytest.param({"data": "", "text": ""}, id="two contents"),
        pytest.param({"data": "", "x": 1}, id="unknown member"),
        pytest.param({"text": 1}, id="wrong type"),
        pytest.param(1, id="number"),
    ],
)
def test_what_is_no_file_is_a_fault(file: object) -> None:
    assert [at for at, _ in faults(form_tool({"file": FILE}), {"file": file})] == ["/file"]


def test_every_bad_file_is_told_by_its_pointer() -> None:
    files = ["YQ==", "*", {"data": "*"}, {"text": "x", "content_type": "a/b\r\nX-Evil: 1"}]
    tool = form_tool({"a file": FILE, "files": {"type": "array", "items": FILE}})
    assert faults(tool, {"a_file": "YQ", "files": files}) == [
        ("/a_file", "is not base64"),
        ("/files/1", "is not base64"),
        ("/files/2/data", "is not base64"),
        ("/files/3/content_type", "is no media type"),
    ]
    whole = tool_of_schema({"type": "object", "additionalProperties": FILE})
    assert faults(whole, {"body": {"a/b": "*"}}) == [("/body/a~1b", "is not base64")]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("a.png", "a.png"),
        ("../../x", "x"),
        ("C:\\temp\\x", "x"),
        ("..", "file"),
        ("a/", "file"),
        ("", "file"),
        ('a"\r\nX: y', 'a"%0D%0AX: y'),
        ("a\x00b\x7f", "a%00b%7F"),
        ('"; name="b', '"; name="b'),
    ],
)
def test_a_filename_stays_in_its_place(given: str, sent: str) -> None:
    file = {"filename": given, "text": "x"}
    assert parts(form_tool({"file": FILE}), {"file": file}) == [
        Read(name="file", data=b"x", filename=sent, media_type=OCTETS)
    ]


@pytest.mark.parametrize(
    ("name", "sent"),
    [("_charset_", "_charset_"), ('a"b', 'a"b'), ("a\r\nX: y", "a%0D%0AX: y"), ("é", "é")],
)
def test_a_name_stays_in_its_place(name: str, sent: str) -> None:
    tool = tool_of_schema({"type": "object", "additionalProperties": True})
    request = build_request(tool, {"body": {name: "x"}})
    assert [(part.name, part.data) for part in by_werkzeug(request)] == [(sent, b"x")]


def test_content_cannot_end_its_part() -> None:
    tool = form_tool({"a": TEXT, "b": TEXT})

    def ending_at(boundary: str) -> str:
        return f'\r\n--{boundary}--\r\n--{boundary}\r\nContent-Disposition: form-data; name="c"'

    # The boundary of content that is the same but for the boundary in it.
    harmless = build_request(tool, {"a": ending_at("x" * 52), "b": "y"})
    boundary = content_type_of(harmless).partition("boundary=")[2]
    hostile = ending_at(boundary)

    request = build_request(tool, {"a": hostile, "b": "y"})

    assert len(boundary) == 52
    assert [part.name for part in by_email(request)] == ["a", "b"]
    assert by_werkzeug(request)[0].data == hostile.encode()


def test_the_same_arguments_make_the_same_bytes() -> None:
    tool = form_tool({"a": TEXT})
    assert build_request(tool, {"a": "x"}) == build_request(tool, {"a": "x"})


def test_a_null_is_left_out() -> None:
    tool = form_tool({"a": {"type": ["string", "null"]}, "b": TEXT})
    assert [part.name for part in parts(tool, {"a": None, "b": "x"})] == ["b"]


def test_an_endless_composition_is_left_as_it_is() -> None:
    ref = {"$ref": "#/components/schemas/Wide"}
    schemas = {"Wide": {"anyOf": [*[ref] * 40, FILE]}}
    content = {"multipart/form-data": {"schema": {"type": "object", "properties": {"p": ref}}}}
    paths = {"/x": {"post": {"requestBody": {"required": True, "content": content}}}}
    (tool,) = api_of(paths, components={"schemas": schemas}).tools.values()
    assert len(repr(tool.input_schema)) < 100_000


@settings(max_examples=150)
@given(st.binary(), st.text(st.characters(exclude_categories=["Cs"])))
def test_any_content_arrives(data: bytes, text: str) -> None:
    tool = form_tool({"file": FILE, "text": TEXT})
    request = build_request(
        tool, {"file": {"data": b64encode(data).decode(), "filename": "f"}, "text": text}
    )
    assert {part.name: part.data for part in by_werkzeug(request)} == {
        "file": data,
        "text": text.encode(),
    }
