"""The judge of messages: what it lets pass, and that it catches each kind of fault."""

import json
from collections.abc import Mapping

import aiohttp
import pytest
from aiohttp import web

from tests.support.mcp_judge import judge_body, judge_status, messages_in, read_line
from tests.support.mcp_shapes import LEGACY, MODERN, REVISIONS, shapes_of
from tests.support.mcp_transcript import FAULTS, Transcript

INFO = {"io.modelcontextprotocol/serverInfo": {"name": "g", "version": "1"}}
TOOL: Mapping[str, object] = {
    "name": "listPets",
    "description": "All pets",
    "inputSchema": {"type": "object", "properties": {}, "additionalProperties": False},
}
TEXT = {"type": "text", "text": "hello"}


def asked(method: str, request_id: object = 1, **params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def result(members: Mapping[str, object], revision: str, request_id: object = 1) -> bytes:
    """A result with what the revision wants in every result."""
    more = {"resultType": "complete", "_meta": INFO} if revision == MODERN else {}
    caching = {"ttlMs": 0, "cacheScope": "public"} if revision == MODERN else {}
    kept = caching if "tools" in members else {}
    value = {"jsonrpc": "2.0", "id": request_id, "result": {**more, **kept, **members}}
    return json.dumps(value).encode()


def error(code: object, request_id: object = 1, **more: object) -> bytes:
    content = {"code": code, "message": "no", **more}
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "error": content}).encode()


def push(method: str, **params: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode()


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_is_right_passes(revision: str) -> None:
    judge_body(result({"tools": [TOOL]}, revision), revision=revision, asked=asked("tools/list"))
    call = asked("tools/call", "x", name="a", _meta={"progressToken": "t"})
    judge_body(result({"content": [TEXT]}, revision, "x"), revision=revision, asked=call)
    judge_body(error(-32602, "x"), revision=revision, asked=call)
    judge_body(error(-32700, None), revision=revision, asked=None)
    notice = push("notifications/progress", progressToken="t", progress=1)
    judge_body(notice, revision=revision, asked=call)
    if revision != MODERN:
        judge_body(result({}, revision), revision=revision, asked=asked("ping"))


TITLED = {**TOOL, "title": "Pets"}
LATER = [
    pytest.param("2024-11-05", {"tools": [{**TOOL, "annotations": {}}]}, id="annotations"),
    pytest.param("2025-03-26", {"tools": [TITLED]}, id="a title"),
    pytest.param("2025-03-26", {"tools": [{**TOOL, "outputSchema": {}}]}, id="an output schema"),
    pytest.param("2025-06-18", {"tools": [{**TOOL, "icons": []}]}, id="icons"),
    pytest.param("2025-11-25", {"tools": [TOOL], "ttlMs": 0}, id="ttlMs"),
    pytest.param("2025-11-25", {"tools": [TOOL], "resultType": "complete"}, id="resultType"),
    pytest.param("2025-11-25", {"tools": [TOOL], "_meta": INFO}, id="serverInfo"),
    pytest.param(
        "2025-11-25",
        {"tools": [{**TOOL, "inputSchema": {"type": "object", "x": {"x-mcp-header": "A"}}}]},
        id="x-mcp-header",
    ),
    pytest.param(MODERN, {"tools": [{**TOOL, "execution": {}}]}, id="tasks of a past revision"),
]


@pytest.mark.parametrize(("revision", "members"), LATER)
def test_what_belongs_to_another_revision_is_a_fault(
    revision: str, members: Mapping[str, object]
) -> None:
    with pytest.raises(AssertionError):
        judge_body(result(members, revision), revision=revision, asked=asked("tools/list"))


AUDIO = {"type": "audio", "data": "", "mimeType": "audio/wav"}
LINK = {"type": "resource_link", "uri": "a:b", "name": "c"}


@pytest.mark.parametrize(
    ("revision", "members"),
    [
        pytest.param("2024-11-05", {"content": [AUDIO]}, id="audio"),
        pytest.param("2025-03-26", {"content": [LINK]}, id="a link"),
        pytest.param("2025-03-26", {"content": [], "structuredContent": {}}, id="structure"),
        pytest.param("2025-11-25", {"content": [], "structuredContent": [1]}, id="an array"),
        pytest.param("2025-11-25", {}, id="no content"),
        pytest.param("2025-11-25", {"content": [{"type": "text"}]}, id="text without text"),
        pytest.param("2025-11-25", {"content": [], "isError": True}, id="an error without words"),
        pytest.param(MODERN, {"content": [], "_meta": {}}, id="nobody made it"),
        pytest.param(MODERN, {"content": [], "resultType": "done"}, id="an unknown kind"),
        pytest.param(MODERN, {"resultType": "input_required"}, id="asks nothing"),
        pytest.param(
            "2025-11-25", {"content": [], "_meta": {"com.mcp/x": 1}}, id="a reserved name"
        ),
    ],
)
def test_a_faulty_result_of_a_call_is_caught(revision: str, members: Mapping[str, object]) -> None:
    with pytest.raises(AssertionError):
        judge_body(result(members, revision), revision=revision, asked=asked("tools/call"))


LIST = asked("tools/list")


@pytest.mark.parametrize(
    ("body", "request_sent"),
    [
        pytest.param(b'{"jsonrpc":"1.0","id":1,"result":{}}', asked("ping"), id="version"),
        pytest.param(b'{"jsonrpc":"2.0","id":1}', asked("ping"), id="neither"),
        pytest.param(
            b'{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":-32603,"message":"x"}}',
            asked("ping"),
            id="both",
        ),
        pytest.param(b'{"jsonrpc":"2.0","id":"1","result":{}}', asked("ping"), id="a text id"),
        pytest.param(b'{"jsonrpc":"2.0","id":1.0,"result":{}}', asked("ping"), id="a float id"),
        pytest.param(b'{"jsonrpc":"2.0","result":{}}', asked("ping"), id="no id"),
        pytest.param(b'{"jsonrpc":"2.0","id":1,"result":{"a":1}}', asked("ping"), id="not empty"),
        pytest.param(b'{"jsonrpc":"2.0","id":1,"result":{}}', asked("x"), id="unknown method"),
        pytest.param(result({"tools": [TOOL, TOOL]}, LEGACY[-1]), LIST, id="twins"),
        pytest.param(result({"tools": [{**TOOL, "name": "a.b"}]}, LEGACY[-1]), LIST, id="name"),
        pytest.param(
            result({"tools": [{**TOOL, "description": ""}]}, LEGACY[-1]), LIST, id="no words"
        ),
        pytest.param(error(-32602, None), asked("ping"), id="the id was readable"),
        pytest.param(error(-32602, 2), asked("ping"), id="another id"),
        pytest.param(error(-32022), asked("ping"), id="a modern code"),
        pytest.param(error("x"), asked("ping"), id="no code"),
        pytest.param(error(-32602, more=1), asked("ping"), id="more than an error has"),
        pytest.param(push("tools/call"), asked("ping"), id="a request of clients"),
        pytest.param(push("notifications/initialized"), asked("ping"), id="a client's notice"),
        pytest.param(
            push("notifications/progress", progressToken=7, progress=1),
            asked("tools/call"),
            id="progress that nobody wanted",
        ),
        pytest.param(push("sampling/createMessage"), asked("ping"), id="a request without id"),
        pytest.param(b"[]", [], id="an empty array"),
    ],
)
def test_a_faulty_message_is_caught(body: bytes, request_sent: object) -> None:
    with pytest.raises(AssertionError):
        judge_body(body, revision="2025-11-25", asked=request_sent)
    with pytest.raises(AssertionError):
        judge_body(body, revision=None, asked=request_sent)


LISTENING = asked("subscriptions/listen", 7, notifications={"toolsListChanged": True})
CHANGED = "notifications/tools/list_changed"
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"


def test_changes_are_told_to_whoever_asked_for_them() -> None:
    body = push(CHANGED, _meta={SUBSCRIPTION: 7})
    judge_body(body, revision=MODERN, asked=LISTENING)
    judge_body(push(CHANGED), revision="2025-11-25", asked=[])


@pytest.mark.parametrize(
    ("body", "revision"),
    [
        pytest.param(push(CHANGED), MODERN, id="for nobody"),
        pytest.param(push(CHANGED, _meta={SUBSCRIPTION: "7"}), MODERN, id="for a text"),
        pytest.param(push(CHANGED, _meta={SUBSCRIPTION: 7}), "2025-11-25", id="an old client"),
        pytest.param(
            push("notifications/message", level="info", data=1, _meta={SUBSCRIPTION: 7}),
            MODERN,
            id="a log line",
        ),
    ],
)
def test_a_faulty_change_is_caught(body: bytes, revision: str) -> None:
    with pytest.raises(AssertionError):
        judge_body(body, revision=revision, asked=LISTENING)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"a":"\xe2\x80\xa8"}', id="U+2028"),
        pytest.param(b'{"a":"\xc2\x85"}', id="U+0085"),
        pytest.param(b'{\n"a":1}', id="two lines"),
        pytest.param(b'{"a":NaN}', id="NaN"),
        pytest.param(b'{"a":1,"a":2}', id="a member twice"),
        pytest.param(b'{"a":"\\ud800"}', id="half a character"),
        pytest.param(b'{"a":"\xff"}', id="no UTF-8"),
    ],
)
def test_a_line_that_some_client_cannot_read_is_caught(body: bytes) -> None:
    with pytest.raises((AssertionError, ValueError)):
        read_line(body)


@pytest.mark.parametrize(
    ("code", "status", "revision", "right"),
    [
        pytest.param(-32601, 404, MODERN, True, id="unknown method"),
        pytest.param(-32601, 200, MODERN, False, id="unknown method, 200"),
        pytest.param(-32601, 200, "2025-11-25", True, id="unknown method before"),
        pytest.param(-32602, 200, "2025-06-18", True, id="parameters before"),
        pytest.param(-32602, 200, MODERN, False, id="parameters, 200"),
        pytest.param(-32603, 500, MODERN, False, id="5xx"),
        pytest.param(-32700, 200, "2025-03-26", False, id="no JSON, 200"),
    ],
)
def test_codes_and_statuses_go_together(code: int, status: int, revision: str, right: bool) -> None:
    value = json.loads(error(code))
    if right:
        judge_status(status, value, revision=revision)
    else:
        with pytest.raises(AssertionError):
            judge_status(status, value, revision=revision)


def test_event_streams_are_taken_apart_and_checked() -> None:
    assert list(messages_in(": ping\n\nevent: message\ndata: {}\n\n")) == [b"{}"]
    assert list(messages_in("id: 1\ndata: \n\nid: 2\nevent: message\ndata: 1", numbered=True)) == [
        b"1"
    ]
    for broken in ("data: 1", "event: x\ndata: 1", "id: 1\nevent: message\ndata: 1", "data: 1\n2"):
        with pytest.raises(AssertionError):
            list(messages_in(broken))


def test_every_revision_defines_what_its_methods_return() -> None:
    for revision in REVISIONS:
        shapes = shapes_of(revision)
        assert shapes.result_of("tools/call") == "CallToolResult"
        assert shapes.result_of("ping") == (None if revision == MODERN else "EmptyResult")
        assert shapes.result_of("nothing") is None


def take_faults() -> list[str]:
    faults = list(FAULTS)
    FAULTS.clear()
    return faults


def test_a_second_answer_is_caught() -> None:
    transcript = Transcript()
    transcript.say(json.dumps(asked("ping")).encode() + b"\n")
    transcript.hear(result({}, LEGACY[0]) + b"\n")
    assert not take_faults()
    transcript.hear(result({}, LEGACY[0]) + b"\n")
    assert take_faults()


@pytest.mark.parametrize("streamed", [False, True])
async def test_whatever_a_client_of_a_test_hears_is_judged(streamed: bool) -> None:
    """No test has to ask for it: a client is watched, whoever made it."""
    wrong = b'{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}'

    async def answer(_: web.Request) -> web.Response:
        if not streamed:
            return web.Response(body=wrong, content_type="application/json")
        framed = b"event: message\ndata: " + wrong + b"\n\n"
        return web.Response(body=framed, content_type="text/event-stream")

    app = web.Application()
    app.router.add_post("/mcp/{api}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/mcp/pets"
        async with aiohttp.ClientSession() as client:
            async with client.post(url, json=asked("tools/list")) as r:
                await r.read()
            assert not take_faults()
            head = {"MCP-Protocol-Version": MODERN}
            async with client.post(url, json=asked("tools/list"), headers=head) as r:
                await r.read()
    finally:
        await runner.cleanup()
    assert "resultType" in "".join(take_faults())
