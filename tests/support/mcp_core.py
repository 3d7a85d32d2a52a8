"""Circumstances for dialogues with the MCP core: a small catalog, heads, bodies, replies read."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from gateway.catalog import Catalog, View, read_catalog
from gateway.mcp import (
    Arrival,
    CallTool,
    QuestionIds,
    Reply,
    Server,
    Sessions,
    StreamableHttp,
    ToolPages,
    Work,
)
from gateway.messages import Headers
from gateway.openapi import read_description
from gateway.policy import ANONYMOUS

KEY = b"k" * 32
NOW = 1_800_000_000.0
NONCE = bytes(range(12))
TTL_MS = 60_000
SERVER = Server(version="0.0-test")

MODERN = "2026-07-28"
LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
META: Mapping[str, object] = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}

_PATH = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
_DONE = {"200": {"description": "ok"}}
DESCRIPTION = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1"},
    "paths": {
        "/pets": {
            "get": {"operationId": "listPets", "summary": "All pets", "responses": _DONE},
            "post": {"operationId": "addPet", "responses": _DONE},
        },
        "/pets/{id}": {
            "parameters": _PATH,
            "put": {"operationId": "setPet", "responses": _DONE},
            "delete": {"operationId": "dropPet", "responses": _DONE},
        },
    },
}


@cache
def catalog() -> Catalog:
    return Catalog([read_catalog(read_description(DESCRIPTION, api="pets"))])


def view() -> View:
    return catalog().view()


def core(*, keys: tuple[bytes, ...] = (KEY,)) -> StreamableHttp:
    return StreamableHttp(
        server=SERVER,
        sessions=Sessions(keys),
        questions=QuestionIds(keys),
        pages=ToolPages(SERVER),
    )


def arrival(*headers: tuple[str, str], api: str | None = None) -> Arrival:
    """As the transport makes it, for a session that has not ended."""
    return found(
        Arrival(
            headers=headers,
            principal=ANONYMOUS,
            api=api,
            now=NOW,
            nonce=NONCE,
            view=view,
            ttl_ms=lambda: TTL_MS,
        )
    )


def found(circumstances: Arrival) -> Arrival:
    """With the session that its headers name, if it is one."""
    return replace(circumstances, session=core().session_of(circumstances))


def later(circumstances: Arrival, seconds: float) -> Arrival:
    return found(replace(circumstances, now=circumstances.now + seconds))


def message(method: str, params: object = None, *, request_id: object = 1) -> dict[str, object]:
    request: dict[str, object] = {"jsonrpc": "2.0", "id": request_id, "method": method}
    return request if params is None else {**request, "params": params}


def modern_message(
    method: str, params: Mapping[str, object] | None = None, *, request_id: object = 1
) -> dict[str, object]:
    return message(method, {"_meta": META, **(params or {})}, request_id=request_id)


def modern_head(method: str, name: str | None = None, *, version: str = MODERN) -> Headers:
    head = (("MCP-Protocol-Version", version), ("Mcp-Method", method))
    return head if name is None else (*head, ("Mcp-Name", name))


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def spoken(reply: object) -> dict[str, object]:
    """The one message of a reply."""
    assert isinstance(reply, Reply)
    value = json.loads(reply.body)
    assert isinstance(value, dict)
    return value


def error_of(reply: object) -> dict[str, object]:
    error = spoken(reply)["error"]
    assert isinstance(error, dict)
    return error


def result_of(reply: object) -> dict[str, object]:
    result = spoken(reply)["result"]
    assert isinstance(result, dict)
    return result


def call_in(decision: object) -> tuple[Work, CallTool]:
    """A decision that is a tool call."""
    assert isinstance(decision, Work)
    assert isinstance(decision.task, CallTool)
    return decision, decision.task


def open_session(
    http: StreamableHttp, revision: str = "2025-11-25", *, api: str | None = None
) -> tuple[str, str]:
    """The header of a session that `initialize` has just opened."""
    params = {"protocolVersion": revision, "clientInfo": {"name": "tester"}, "capabilities": {}}
    reply = http.on_post(arrival(api=api), encoded(message("initialize", params)))
    assert isinstance(reply, Reply)
    (header,) = reply.headers
    return header
