"""What is refused before it is sent, and what comes of the answers."""

import gzip

from tests.support.echo_upstream import Answer
from tests.support.edge.cases import Json, Refusal, Result, all_path_styles

REFUSALS = (
    Refusal(
        name="path segments that are none",
        api="edge31",
        tool="pathStyles",
        arguments=all_path_styles("a") | {"simple": "..", "simpleX": "", "label": "", "labelX": []},
        pointers=("/label", "/labelX", "/simple", "/simpleX"),
    ),
    Refusal(
        name="a pattern behind references",
        api="edge31",
        tool="followChain",
        arguments={"key": "A"},
        pointers=("/key",),
    ),
    Refusal(
        name="too small, and not empty",
        api="edge31",
        tool="queryStyles",
        arguments={"empty": 0},
        pointers=("/empty",),
    ),
    Refusal(
        name="a header that is not ASCII",
        api="edge31",
        tool="headHeaders",
        arguments={"X_List": ["é"]},
        pointers=("/X_List",),
    ),
    Refusal(
        name="a cookie that would need escapes",
        api="edge32",
        tool="searchByGet",
        arguments={"crumb": "a b"},
        pointers=("/crumb",),
    ),
    Refusal(
        name="required, and unknown because read-only",
        api="edge31",
        tool="jsonFlat",
        arguments={"id": "x"},
        pointers=("/id", "/name"),
    ),
    Refusal(
        name="wrong inside a reference",
        api="edge31",
        tool="schemaWords",
        arguments={"always": 8, "animal": {"kind": "cow"}, "pair": ["a", 1, 2], "nothing": 1},
        pointers=("/always", "/animal", "/nothing", "/pair/2"),
    ),
    Refusal(
        name="3.0's exclusive bound",
        api="edge30",
        tool="oldWords",
        arguments={"above": 0, "word": "w"},
        pointers=("/above",),
    ),
    Refusal(
        name="no base64",
        api="edge31",
        tool="uploadFiles",
        arguments={"note": "n", "icon": "*", "pages": [{"data": "*"}]},
        pointers=("/icon", "/pages/0/data"),
    ),
    Refusal(
        name="a body that nothing can be sent as",
        api="edge31",
        tool="postMixed",
        arguments={"body": {}},
        status=501,
    ),
)


def typed(media_type: str, body: bytes, *headers: tuple[str, str], status: int = 200) -> Answer:
    return Answer(status=status, headers=(("Content-Type", media_type), *headers), body=body)


def text(shown: str) -> Json:
    return {"type": "text", "text": shown}


RESULTS = (
    Result(
        name="a JSON object",
        answer=typed("application/json", b'{"a": [1, null]}'),
        content=text('{"a": [1, null]}'),
        structured={"a": [1, None]},
    ),
    Result(
        name="a JSON text under a +json type",
        answer=typed("application/vnd.api+json; charset=utf-8", b'"\xc3\xa9"'),
        content=text('"é"'),
        structured="é",
    ),
    Result(
        name="no JSON, whatever its type says",
        answer=typed("application/json", b"{broken"),
        content=text("{broken"),
    ),
    Result(
        name="text in Latin-1",
        answer=typed("text/csv; charset=ISO-8859-1", b"a;\xe9"),
        content=text("a;é"),
    ),
    Result(
        name="text in UTF-16",
        answer=typed('text/plain; charset="utf-16"', "é".encode("utf-16")),
        content=text("é"),
    ),
    Result(
        name="compressed text",
        answer=typed("text/plain", gzip.compress(b"abc", mtime=0), ("Content-Encoding", "gzip")),
        content=text("abc"),
    ),
    Result(
        name="an image",
        answer=typed("image/png", b"\x89PNG"),
        content={"type": "image", "data": "iVBORw==", "mimeType": "image/png"},
    ),
    Result(
        name="a sound",
        answer=typed("audio/mpeg", b"\xff\xfb"),
        content={"type": "audio", "data": "//s=", "mimeType": "audio/mpeg"},
    ),
    Result(
        name="a PDF",
        answer=typed("application/pdf", b"%PDF-"),
        content={
            "type": "resource",
            "resource": {
                "uri": "gateway://edge31/getAnswer/result",
                "mimeType": "application/pdf",
                "blob": "JVBERi0=",
            },
        },
    ),
    Result(
        name="nothing",
        answer=Answer(status=204, body=b""),
        content=text("HTTP 204, no content"),
    ),
    Result(
        name="a redirect, which is not followed",
        answer=Answer(status=302, headers=(("Location", "/elsewhere"),), body=b""),
        content=text("HTTP 302, Location: /elsewhere"),
    ),
    Result(
        name="a fault of the call",
        answer=typed("application/problem+json", b'{"title":"No"}', status=404),
        content=text(
            'HTTP 404 from GET /answer\n{"title":"No"}\nRetrying the same call will not help.'
        ),
        is_error=True,
    ),
    Result(
        name="a fault that may pass",
        answer=typed("text/plain", b"busy", ("Retry-After", "5"), status=503),
        content=text("HTTP 503 from GET /answer\nbusy\nRetrying may help (Retry-After: 5)."),
        is_error=True,
    ),
)
