"""A small API in which everything that is judged occurs once."""

from collections.abc import Mapping

from gateway.catalog import Tool
from gateway.messages import Headers, RequestHead, ResponseHead
from gateway.traffic import (
    NO_BODIES,
    Book,
    Verdict,
    judge_answer_head,
    judge_body,
    judge_media,
    judge_request_head,
    reads,
)
from tests.support.documents import catalog, document

Faults = list[tuple[str, str]]
LIMIT = 1_000_000
INTEGER = {"type": "integer", "minimum": 1}
ITEM = {
    "type": "object",
    "required": ["id", "name", "secret"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string", "maxLength": 5},
        "secret": {"type": "string", "writeOnly": True},
        "note": {"type": ["string", "null"]},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
    },
}
FORM = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "count": INTEGER,
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
        "size": {"type": "object", "properties": {"w": INTEGER}},
        "deep": {"type": "object", "properties": {"x": INTEGER}},
    },
}
UPLOAD = {
    "type": "object",
    "required": ["file", "kind"],
    "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "kind": {"enum": ["x", "y"]},
        "more": {"type": "array", "items": {"type": "string", "format": "binary"}},
        "meta": {"type": "object", "properties": {"n": INTEGER}},
    },
}


def content(**schemas: object) -> dict[str, object]:
    return {"content": {k: {"schema": v} for k, v in schemas.items()}}


def json_of(schema: object) -> dict[str, object]:
    return {"content": {"application/json": {"schema": schema}}}


DOCUMENT = document(
    {
        "/items/{id}.{kind}": {
            "get": {
                "operationId": "get",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": INTEGER},
                    {
                        "name": "kind",
                        "in": "path",
                        "required": True,
                        "schema": {"enum": ["a", "b"]},
                    },
                ],
                "responses": {
                    "200": {
                        "description": "",
                        "headers": {
                            "X-Left": {"required": True, "schema": {"type": "integer"}},
                            "X-Tags": {
                                "schema": {"type": "array", "items": {"enum": ["p", "q"]}},
                            },
                            "Content-Type": {"schema": {"enum": ["ignored"]}},
                        },
                        **json_of({"$ref": "#/components/schemas/Item"}),
                    },
                    "204": {"description": "", **json_of({})},
                    "4XX": {"$ref": "#/components/responses/Fault"},
                },
            },
        },
        "/items": {
            "get": {
                "operationId": "list",
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {**INTEGER, "maximum": 100}},
                    {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}},
                    {
                        "name": "sort",
                        "in": "query",
                        "explode": False,
                        "schema": {"type": "array", "items": {"enum": ["name", "id"]}},
                    },
                    {
                        "name": "filter",
                        "in": "query",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    },
                    {"name": "X-Flag", "in": "header", "schema": {"type": "boolean"}},
                    {"name": "seen", "in": "cookie", "schema": INTEGER},
                    {
                        "name": "empty",
                        "in": "query",
                        "allowEmptyValue": True,
                        "schema": {"type": "integer"},
                    },
                ],
                "responses": {"200": {"description": "", **json_of({})}},
            },
            "post": {
                "operationId": "add",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Item"}},
                        "application/vnd.x+json; v=1": {"schema": {"type": "array"}},
                        "application/x-www-form-urlencoded": {
                            "schema": FORM,
                            "encoding": {"deep": {"style": "deepObject", "explode": True}},
                        },
                        "multipart/form-data": {"schema": UPLOAD},
                        "text/plain": {"schema": {"type": "string", "maxLength": 3}},
                        "image/*": {},
                    },
                },
                "responses": {"default": {"description": ""}},
            },
            "patch": {
                "operationId": "change",
                "requestBody": {"content": {"*/*": {"schema": {"type": "object"}}}},
                "responses": {"default": {"description": ""}},
            },
        },
    },
    components={
        "schemas": {"Item": ITEM},
        "responses": {
            "Fault": {
                "description": "",
                **json_of({"type": "object", "required": ["error"]}),
            }
        },
    },
)
TOOLS: Mapping[str, Tool] = catalog(DOCUMENT).tools
BOOK = Book()


def judge_request(
    tool: Tool,
    target: str,
    headers: Headers = (),
    body: bytes | None = None,
    *,
    base_path: str = "/v1",
    book: Book = BOOK,
) -> Verdict:
    """All of a request, as the engine judges it."""
    found = book.read_request(tool)
    head = RequestHead(method=tool.method, target=target, headers=headers)
    verdict = judge_request_head(found.rules.head, found.template, head, base_path)
    bodies = found.rules.bodies
    verdict += judge_media(bodies, headers, has_body=bool(body))
    rule = reads(bodies, headers)
    if rule is not None and body:
        verdict += judge_body(rule, headers, body, limit=LIMIT)
    return verdict


def judge_answer(
    tool: Tool, status: int, headers: Headers = (), body: bytes = b"", *, book: Book = BOOK
) -> Verdict:
    """All of an answer."""
    rules = book.read_answer(tool, status)
    verdict = judge_answer_head(rules, ResponseHead(status=status, headers=headers))
    bodies = rules.bodies if rules else NO_BODIES
    verdict += judge_media(bodies, headers, has_body=bool(body))
    rule = reads(bodies, headers)
    if rule is not None and body:
        verdict += judge_body(rule, headers, body, limit=LIMIT)
    return verdict


def pairs(verdict: Verdict) -> Faults:
    return [(fault.pointer, fault.message) for fault in verdict.faults()]
