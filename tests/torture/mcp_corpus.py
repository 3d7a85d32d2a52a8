"""What conversations of every revision of MCP are made of: one of each message."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.support.mcp_core import META
from tests.support.mcp_heads import JSON_HEAD, Head, modern_head
from tests.support.mcp_methods import METHODS
from tests.support.mcp_shapes import LEGACY
from tests.support.mcp_shop import ANSWERS, INTERACTIONS

_PARAMS: Mapping[str, Sequence[Mapping[str, object]]] = {
    "initialize": [
        {
            "protocolVersion": revision,
            "capabilities": {"elicitation": {"form": {}}, "sampling": {}, "roots": {}},
            "clientInfo": {"name": "fuzzer", "version": "1"},
        }
        for revision in LEGACY
    ],
    "tools/call": [
        *({"name": "listItems", "arguments": {"q": answer}} for answer in ANSWERS),
        {"name": "addItem", "arguments": {"body": {"a": [1, None, "\u2028"]}}},
        *({"name": "addItem", "arguments": {"body": {"ask": ask}}} for ask in INTERACTIONS),
        {"name": "getItem", "arguments": {"id": "7", "X_Note": "n"}},
        {"name": "getItem"},
        {"name": "dropItem", "arguments": {"id": "7"}},
        {"name": "findItem", "arguments": {"region": "eu", "size": 42}},
        {"name": "listItems", "inputResponses": {"a": {}}, "requestState": "v1." + "A" * 60},
    ],
    "prompts/get": [{"name": "greet", "arguments": {"who": "you"}}],
    "resources/read": [{"uri": "ocp://apis/shop"}],
    "resources/subscribe": [{"uri": "ocp://apis/shop"}],
    "resources/unsubscribe": [{"uri": "ocp://apis/shop"}],
    "logging/setLevel": [{"level": "debug"}],
    "completion/complete": [
        {
            "ref": {"type": "ref/prompt", "name": "greet"},
            "argument": {"name": "who", "value": "y"},
            "context": {"arguments": {"a": "b"}},
        }
    ],
    "subscriptions/listen": [
        {"notifications": {"toolsListChanged": True, "resourceSubscriptions": ["ocp://x"]}}
    ],
}
_EXTRA = {
    "progressToken": 7,
    "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
    "baggage": "a=b",
    "io.modelcontextprotocol/logLevel": "debug",
    "io.modelcontextprotocol/clientInfo": {"name": "fuzzer", "version": "1"},
    "io.opencontextprotocol/context-id": "ocp-0123456789abcdef",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """`head` without the session. `of_session`: a request of a legacy session."""

    head: Head
    body: bytes
    of_session: bool


def _corpus() -> list[Said]:
    messages: list[dict[str, object]] = [
        {"jsonrpc": "2.0", "id": f"r{number}", "method": method, "params": dict(params)}
        for method in METHODS
        for number, params in enumerate(_PARAMS.get(method, [{}]))
    ]
    notices: list[dict[str, object]] = [
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "r1"}},
        {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"},
        {"jsonrpc": "2.0", "id": "q.AAAA.BBBB", "result": {"action": "accept", "content": {}}},
        {"jsonrpc": "2.0", "id": "q.AAAA.BBBB", "error": {"code": -1, "message": "no"}},
    ]
    said = [_legacy(value) for value in (*messages, *notices)]
    said += [_legacy(messages[:4]), _legacy([*messages[4:12], *notices]), _legacy([])]
    return said + [_modern(message) for message in (*messages, *notices[:1])]


def _legacy(value: object) -> Said:
    return Said(head=JSON_HEAD, body=_text(value), of_session=True)


def _modern(message: Mapping[str, object]) -> Said:
    params = message.get("params")
    members = params if isinstance(params, dict) else {}
    named = members.get("uri", members.get("name"))
    head = modern_head(str(message["method"]), named if isinstance(named, str) else None)
    body = {**message, "params": {**members, "_meta": {**META, **_EXTRA}}}
    return Said(head=head, body=_text(body), of_session=False)


def _text(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


CORPUS = tuple(_corpus())
