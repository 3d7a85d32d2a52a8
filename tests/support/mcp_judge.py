"""The judge of MCP: is this message one that its revision allows at this place?

It shares no code with the gateway. Every function raises an AssertionError that names the fault. A
`revision` of None stands for a legacy one that the judge could not learn: any of the four will do.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from tests.support.mcp_shapes import LEGACY, MODERN, Shapes, shapes_of

SERVER_INFO = "io.modelcontextprotocol/serverInfo"
SUBSCRIPTION_ID = "io.modelcontextprotocol/subscriptionId"
# 2026-07-28 basic, "_meta": the second label is reserved.
_RESERVED = re.compile(r"[^./]+\.(modelcontextprotocol|mcp)[./]")
_ASKING = {"tools/call", "prompts/get", "resources/read"}
_EMPTY = {"ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"}
_LISTEN = "subscriptions/listen"
_CHANGES = {
    "notifications/subscriptions/acknowledged",
    "notifications/tools/list_changed",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
}
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LINE_ENDS = ("\n", "\r", "\u0085", "\u2028", "\u2029")

_COMMON = {-32700, -32600, -32601, -32602, -32603}
_CODES = {
    **dict.fromkeys(LEGACY, _COMMON | {-32002, -32020}),
    "2025-11-25": _COMMON | {-32002, -32020, -32042},
    MODERN: _COMMON | {-32020, -32021, -32022},
}
# Of refusals that come before a body is read, or instead of looking for a session.
_HEAD_STATUSES = {404, 405, 406, 413, 415}


def read_line(data: bytes) -> object:
    """The value of one JSON text that any client can read as one line."""
    text = data.decode()
    for end in _LINE_ENDS:
        assert end not in text, f"a raw {end!r} splits the message: {text:.300}"
    value: object = json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
    if re.search(r"\\u[dD][89abAB]", text):
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate cannot be encoded
    return value


def judge_body(data: bytes, *, revision: str | None, asked: object) -> None:
    """All that answers one body: a message or, where the revision has batches, an array of them.

    `asked` is the value of that body, None for one that is no JSON.
    """
    value = read_line(data)
    if not isinstance(value, list):
        judge_message(value, revision=revision, asked=asked)
        return
    assert revision in (None, "2025-03-26"), f"{revision} has no batches"
    assert value, "an empty array answers nothing"
    for member in value:
        judge_message(member, revision="2025-03-26", asked=asked)


def judge_message(value: object, *, revision: str | None, asked: object) -> None:
    """One message of the server's, said in answer to `asked`, or along with it."""
    if revision is not None:
        _judge(value, shapes_of(revision), revision, asked)
        return
    faults: list[AssertionError] = []
    for candidate in reversed(LEGACY):
        try:
            _judge(value, shapes_of(candidate), candidate, asked)
        except AssertionError as fault:
            faults.append(fault)
    assert len(faults) < len(LEGACY), f"wrong in every legacy revision: {faults[0]}"


def judge_status(status: int, value: object, *, revision: str | None) -> None:
    """The HTTP status of a message, or of an array of them."""
    if isinstance(value, list):
        assert status in {200, 400}, f"an array with HTTP {status}"
        return
    if not isinstance(value, dict) or "error" not in value:
        assert status == 200, f"a result with HTTP {status}"
        return
    code = value["error"]["code"]
    if code == -32600:
        assert status in {400, *_HEAD_STATUSES}, f"{code} with HTTP {status}"
        return
    modern = revision == MODERN
    expected = {-32603: 200, -32601: 404 if modern else 200, -32602: 400 if modern else 200}
    expected |= {-32002: 200, -32042: 200}
    # RFC 6585 section 4 has a status for what a caller has too many of.
    assert status in {expected.get(code, 400), 429}, f"{code} with HTTP {status} in {revision}"


def requests_in(asked: object) -> list[Mapping[str, object]]:
    """The legal requests of a body."""
    return [
        member
        for member in _named_in(asked)
        if isinstance(member.get("method"), str) and member.get("jsonrpc") == "2.0"
    ]


def messages_in(stream: str, *, numbered: bool = False) -> Iterator[bytes]:
    """The messages of an event stream, whose framing is checked (HTML, section 9.2.6).

    `numbered`: its events have ids, so that a client can go on after the last one that it got; one
    without data says where the stream begins.
    """
    for block in stream.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if numbered and lines:
            assert lines[0].startswith("id: "), f"no id: {lines!r:.300}"
            del lines[0]
        if lines and not (numbered and lines == ["data: "]):
            yield _message_of(lines)


def _message_of(lines: Sequence[str]) -> bytes:
    assert len(lines) == 2, f"not one event and one data line: {lines!r:.300}"
    event, data = lines
    assert event == "event: message", f"unknown event: {event!r:.100}"
    assert data.startswith("data: "), f"no data: {data!r:.100}"
    return data.removeprefix("data: ").encode()


def _judge(value: object, shapes: Shapes, revision: str, asked: object) -> None:
    assert isinstance(value, dict), "a message is an object"
    assert value.get("jsonrpc") == "2.0", "jsonrpc must be 2.0"
    if "method" in value:
        _judge_push(value, shapes, revision, asked)
        return
    assert ("result" in value) != ("error" in value), "a response has a result or an error"
    assert "id" in value, "a response names what it answers"
    if "error" in value:
        _judge_error(value, shapes, revision, asked)
        return
    assert value.keys() == {"jsonrpc", "id", "result"}, f"odd members: {sorted(value)}"
    requests = [each for each in requests_in(asked) if _same(each["id"], value["id"])]
    assert requests, f"nobody asked anything with the id {value['id']!r:.100}"
    # One id twice is the client's fault, and an answer to either may come first.
    faults = [_fault_of(value["result"], request, shapes, revision) for request in requests]
    assert None in faults, faults[-1]


def _fault_of(
    result: object, request: Mapping[str, object], shapes: Shapes, revision: str
) -> AssertionError | None:
    try:
        _judge_result(result, request, shapes, revision)
    except AssertionError as fault:
        return fault
    return None


def _judge_push(value: Mapping[str, object], shapes: Shapes, revision: str, asked: object) -> None:
    method = str(value["method"])
    assert method in shapes.pushed, f"{revision}: a server does not send {method}"
    definition = shapes.notifications.get(method) or shapes.requests[method]
    is_request = method not in shapes.notifications
    assert ("id" in value) == is_request, f"{method}: an id where none belongs, or none"
    if not shapes.names_envelope(definition):
        value = {key: value[key] for key in value.keys() - {"jsonrpc", "id"}}
    _hold(shapes.fault(definition, value))
    meta = _object(_object(value.get("params")).get("_meta"))
    _judge_meta(meta, {SUBSCRIPTION_ID} if revision == MODERN else set())
    if revision == MODERN and (method in _CHANGES or SUBSCRIPTION_ID in meta):
        listening = [each for each in requests_in(asked) if each["method"] == _LISTEN]
        ids = [each["id"] for each in listening]
        told = meta.get(SUBSCRIPTION_ID)
        assert any(_same(told, each) for each in ids), f"{method} for {told!r:.99}, not {ids}"
        assert method in _CHANGES, f"{method} on a stream of changes"
    if method == "notifications/progress":
        tokens = [_token(request) for request in requests_in(asked)]
        token = _object(value.get("params"))["progressToken"]
        assert any(_same(token, asked_for) for asked_for in tokens), f"progress for {token!r:.99}"


def _judge_error(value: Mapping[str, object], shapes: Shapes, revision: str, asked: object) -> None:
    error = _object(value["error"])
    code = error.get("code")
    envelope = "JSONRPCErrorResponse" if shapes.has("JSONRPCErrorResponse") else "JSONRPCError"
    # JSON-RPC 2.0 section 5.1 wants null for an id that could not be read; MCP's schemas do not.
    readable = {**value, "id": 0} if value["id"] is None else value
    _hold(shapes.fault(envelope, readable))
    assert code in _CODES[revision], f"{revision} has no error {code}"
    assert error["message"], "an error without a word"
    specific = shapes.error_of(code)
    if specific is not None:
        _hold(shapes.fault(specific, readable))
    named = any(_same(each["id"], value["id"]) for each in _named_in(asked))
    # A whole array may be what cannot be read, and parsers differ about large numbers.
    legible = code != -32700 and not isinstance(asked, list) and requests_in(asked)
    assert named or (value["id"] is None and not legible), f"nobody asked with {value['id']!r:.99}"


def _judge_result(
    result: object, request: Mapping[str, object], shapes: Shapes, revision: str
) -> None:
    method = str(request["method"])
    definition = shapes.result_of(method)
    assert definition is not None, f"{revision} has no {method}, and yet it has a result"
    members = _object(result)
    if revision == MODERN and members.get("resultType") == "input_required":
        assert method in _ASKING, f"{method} cannot ask for input"
        definition = "InputRequiredResult"
        assert members.keys() & {"inputRequests", "requestState"}, "input is required, but which?"
    elif revision == MODERN:
        assert members.get("resultType") == "complete", f"resultType of {method}"
    _hold(shapes.fault(definition, result))
    meta = _object(members.get("_meta"))
    if revision == MODERN:
        assert SERVER_INFO in meta, f"{method}: a result that does not say who made it"
    elif method in _EMPTY:
        assert result == {}, f"{method} has an empty result"
    _judge_meta(meta, {SERVER_INFO, SUBSCRIPTION_ID} if revision == MODERN else set())
    if method == "tools/list":
        _judge_tools(members["tools"], revision)
    elif method == "tools/call" and members.get("isError"):
        texts = [_object(block).get("text") for block in _array(members["content"])]
        assert any(texts), "an error that the model cannot read"
    elif method == "initialize":
        wanted = _object(request.get("params")).get("protocolVersion")
        agreed = members["protocolVersion"]
        assert agreed == (wanted if wanted in LEGACY else LEGACY[-1]), f"{agreed} for {wanted}"


def _judge_tools(tools: object, revision: str) -> None:
    names = [_object(tool)["name"] for tool in _array(tools)]
    assert len(names) == len(set(names)), "two tools of one name"
    for tool in map(_object, _array(tools)):
        name = str(tool["name"])
        assert _TOOL_NAME.fullmatch(name), f"no name for a tool: {name}"
        assert tool.get("description"), f"{name} has no description"
        _judge_meta(_object(tool.get("_meta")), set())
        if revision != MODERN:
            text = json.dumps(tool["inputSchema"])
            assert '"x-mcp-header":' not in text, f"{name}: x-mcp-header before {MODERN}"


def _judge_meta(meta: Mapping[str, object], known: set[str]) -> None:
    strange = {key for key in meta if _RESERVED.match(key)} - known
    assert not strange, f"reserved keys in _meta: {sorted(strange)}"


def _named_in(asked: object) -> list[Mapping[str, object]]:
    """The objects of a body that have a legal id, whatever else is wrong with them."""
    members = asked if isinstance(asked, list) else [asked]
    return [member for member in members if isinstance(member, dict) and _is_id(member.get("id"))]


def _token(request: Mapping[str, object]) -> object:
    return _object(_object(request.get("params")).get("_meta")).get("progressToken")


def _same(one: object, other: object) -> bool:
    """Equal, and of one JSON type: 1, 1.0 and "1" are three ids."""
    return type(one) is type(other) and one == other


def _is_id(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _hold(fault: str | None) -> None:
    assert fault is None, fault


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _array(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _refuse(constant: str) -> object:
    message = f"{constant} is not JSON"
    raise AssertionError(message)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    assert len(members) == len(pairs), f"a member twice: {[key for key, _ in pairs]!r:.300}"
    return members
