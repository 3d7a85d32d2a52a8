"""2026-07-28 over HTTP: the ladder, rung by rung."""

from base64 import b64encode
from dataclasses import replace

import pytest

from gateway.catalog import View
from gateway.errors import ApiUnavailable
from gateway.mcp import ACCEPTED, Reply, Work
from gateway.mcp.revisions import V2026_07_28
from gateway.messages import Headers
from tests.support.mcp_core import (
    LEGACY,
    META,
    MODERN,
    SERVER,
    TTL_MS,
    arrival,
    call_in,
    core,
    encoded,
    error_of,
    message,
    modern_head,
    modern_message,
    open_session,
    result_of,
    spoken,
)

VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
SERVER_INFO = "io.modelcontextprotocol/serverInfo"


def ask(body: object, head: Headers) -> object:
    return core().on_post(arrival(*head), encoded(body))


def status_of(reply: object) -> int:
    assert isinstance(reply, Reply)
    return reply.status


def with_meta(meta: object, method: str = "tools/list") -> dict[str, object]:
    return message(method, {"_meta": meta})


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        pytest.param(message("tools/list"), VERSION, id="no params"),
        pytest.param(message("tools/list", []), VERSION, id="params an array"),
        pytest.param(message("tools/list", {}), VERSION, id="no meta"),
        pytest.param(with_meta([]), VERSION, id="meta an array"),
        pytest.param(with_meta({CAPABILITIES: {}}), VERSION, id="no version"),
        pytest.param(with_meta({VERSION: 1, CAPABILITIES: {}}), VERSION, id="version a number"),
        pytest.param(with_meta({VERSION: MODERN}), CAPABILITIES, id="no capabilities"),
        pytest.param(
            with_meta({VERSION: MODERN, CAPABILITIES: []}), CAPABILITIES, id="capabilities an array"
        ),
    ],
)
def test_a_bad_envelope_is_named_before_anything_else(body: object, missing: str) -> None:
    reply = ask(body, modern_head("nonsense"))
    assert status_of(reply) == 400
    assert error_of(reply)["code"] == -32602
    assert missing in str(error_of(reply)["message"])


CALL = modern_message("tools/call", {"name": "listPets"})
LIST_HEAD = modern_head("tools/list")
CALL_HEAD = modern_head("tools/call", "listPets")


@pytest.mark.parametrize(
    ("body", "head"),
    [
        pytest.param(modern_message("tools/list"), LIST_HEAD[:1], id="no Mcp-Method"),
        pytest.param(modern_message("tools/list"), modern_head("tools/call"), id="other method"),
        pytest.param(modern_message("tools/list"), modern_head("Tools/List"), id="method's case"),
        pytest.param(
            modern_message("tools/list"), (*LIST_HEAD, LIST_HEAD[0]), id="version sent twice"
        ),
        pytest.param(
            modern_message("tools/list"), (*LIST_HEAD, LIST_HEAD[1]), id="method sent twice"
        ),
        pytest.param(
            modern_message("tools/list"),
            modern_head("tools/list", version="v999.0.0"),
            id="unknown version in the header only",
        ),
        pytest.param(
            message("tools/list", {"_meta": {**META, VERSION: "v999.0.0"}}),
            LIST_HEAD,
            id="unknown version in the body only",
        ),
        pytest.param(CALL, CALL_HEAD[:2], id="no Mcp-Name"),
        pytest.param(CALL, modern_head("tools/call", "addPet"), id="other name"),
        pytest.param(CALL, (*CALL_HEAD, CALL_HEAD[2]), id="name sent twice"),
        pytest.param(CALL, modern_head("tools/call", "=?base64?bGlzdA?="), id="name unpadded"),
        pytest.param(CALL, modern_head("tools/call", "=?base64?!!!?="), id="name not base64"),
        pytest.param(CALL, modern_head("tools/call", "=?base64?/w==?="), id="name not UTF-8"),
        pytest.param(
            CALL, modern_head("tools/call", "=?base64?bGlzdFBldHN=?="), id="name not canonical"
        ),
        pytest.param(
            modern_message("tools/call", {"name": 5}), modern_head("tools/call", "5"), id="number"
        ),
        pytest.param(
            modern_message("resources/read", {"uri": "a:b"}),
            modern_head("resources/read", "a:c"),
            id="other uri, before the unknown method",
        ),
    ],
)
def test_headers_that_do_not_repeat_the_body_are_a_mismatch(body: object, head: Headers) -> None:
    reply = ask(body, head)
    assert status_of(reply) == 400
    assert error_of(reply)["code"] == -32020
    assert spoken(reply)["id"] == 1


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(CALL_HEAD, id="plain"),
        pytest.param(tuple((n.upper(), f" {v}\t") for n, v in CALL_HEAD), id="case and blanks"),
        pytest.param(
            modern_head("tools/call", f"=?base64?{b64encode(b'listPets').decode()}?="),
            id="sentinel",
        ),
        pytest.param((*CALL_HEAD, ("Mcp-Session-Id", "s1.junk")), id="session id ignored"),
        pytest.param((*CALL_HEAD, ("Mcp-Param-Junk", "=?base64?!?=")), id="unknown Mcp-Param"),
    ],
)
def test_headers_that_repeat_the_body_pass(head: Headers) -> None:
    decision = ask(CALL, head)
    assert call_in(decision)[1].name == "listPets"


def test_half_a_sentinel_is_literal() -> None:
    name = "=?base64?abc"
    decision = ask(modern_message("tools/call", {"name": name}), modern_head("tools/call", name))
    assert isinstance(decision, Work)


def test_a_version_that_we_do_not_serve_is_told_which_we_do() -> None:
    body = message("tools/list", {"_meta": {**META, VERSION: "v999.0.0"}})
    reply = ask(body, modern_head("tools/list", version="v999.0.0"))
    assert status_of(reply) == 400
    error = error_of(reply)
    assert error["code"] == -32022
    assert error["data"] == {"supported": [MODERN], "requested": "v999.0.0"}


@pytest.mark.parametrize(
    "method",
    [
        "initialize", "ping", "logging/setLevel", "resources/subscribe", "prompts/list",
        "tasks/list", "subscriptions/unlisten", "__init__", "", "tools/List",
    ],
)  # fmt: skip
def test_a_method_that_this_era_or_server_lacks_is_404(method: str) -> None:
    reply = ask(modern_message(method), modern_head(method))
    assert status_of(reply) == 404
    assert error_of(reply)["code"] == -32601


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"name": "listPets", "arguments": []}, id="arguments an array"),
        pytest.param({"name": "listPets", "arguments": "x"}, id="arguments text"),
    ],
)
def test_malformed_call_parameters_are_refused(params: dict[str, object]) -> None:
    reply = ask(modern_message("tools/call", params), CALL_HEAD)
    assert status_of(reply) == 400
    assert error_of(reply)["code"] == -32602


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([CALL], id="array"),
        pytest.param({**CALL, "id": None}, id="null id"),
        pytest.param({**CALL, "id": 1.5}, id="float id"),
        pytest.param({**CALL, "id": True}, id="bool id"),
        pytest.param({**CALL, "id": {}}, id="object id"),
        pytest.param({**CALL, "jsonrpc": "1.0"}, id="jsonrpc 1.0"),
        pytest.param({**CALL, "method": 7}, id="method a number"),
        pytest.param({"jsonrpc": "2.0", "id": 1, "result": {}}, id="a response"),
        pytest.param("text", id="text"),
        pytest.param({"jsonrpc": "2.0"}, id="nothing"),
    ],
)
def test_what_is_no_request_is_an_invalid_request(body: object) -> None:
    reply = ask(body, CALL_HEAD)
    assert status_of(reply) == 400
    assert error_of(reply)["code"] == -32600


@pytest.mark.parametrize("request_id", ["a", "", 0, -1, 2**70, "\u2028"])
def test_an_id_comes_back_as_it_was(request_id: object) -> None:
    body = modern_message("server/discover", request_id=request_id)
    answer = spoken(ask(body, modern_head("server/discover")))
    assert answer["id"] == request_id
    assert type(answer["id"]) is type(request_id)


def test_notifications_are_accepted_and_dropped() -> None:
    note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    assert ask(note, modern_head("notifications/cancelled")) == ACCEPTED


def test_discover_says_what_works_and_nothing_else() -> None:
    reply = ask(modern_message("server/discover"), modern_head("server/discover"))
    assert result_of(reply) == {
        "supportedVersions": [MODERN],
        "capabilities": {
            "tools": {"listChanged": True},
            "resources": {"listChanged": True, "subscribe": True},
            "completions": {},
        },
        "ttlMs": TTL_MS,
        "cacheScope": "public",
        "resultType": "complete",
        "_meta": {SERVER_INFO: SERVER.implementation(V2026_07_28)},
    }
    assert isinstance(reply, Reply)
    assert reply.headers == ()


def test_a_list_is_complete_and_says_how_long_it_lasts() -> None:
    result = result_of(ask(modern_message("tools/list"), LIST_HEAD))
    assert (result["resultType"], result["ttlMs"], result["cacheScope"]) == (
        "complete", TTL_MS, "public",
    )  # fmt: skip
    assert isinstance(result["tools"], list)
    assert [tool["name"] for tool in result["tools"]] == ["addPet", "dropPet", "listPets", "setPet"]
    assert "nextCursor" not in result


@pytest.mark.parametrize("method", ["tools/list", "resources/list", "server/discover"])
def test_what_is_kept_here_says_each_time_how_long_it_lasts(method: str) -> None:
    asked, left = core(), iter((1_500, 0))
    circumstances = replace(arrival(*modern_head(method)), ttl_ms=lambda: next(left))
    body = encoded(modern_message(method))
    first, second = (result_of(asked.on_post(circumstances, body)) for _ in range(2))
    assert (first.pop("ttlMs"), second.pop("ttlMs")) == (1_500, 0)
    assert first == second


@pytest.mark.parametrize(("cursor", "status"), [("", 200), (None, 200), ("x", 400), (5, 400)])
def test_only_the_empty_cursor_exists(cursor: object, status: int) -> None:
    reply = ask(modern_message("tools/list", {"cursor": cursor}), LIST_HEAD)
    assert status_of(reply) == status
    if status == 400:
        assert error_of(reply)["code"] == -32602


def test_a_catalog_that_is_not_there_yet_is_an_internal_error_with_its_reason() -> None:
    def missing() -> View:
        raise ApiUnavailable("pets is loading")

    circumstances = replace(arrival(*LIST_HEAD), view=missing)
    reply = core().on_post(circumstances, encoded(modern_message("tools/list")))
    assert status_of(reply) == 200
    assert error_of(reply) == {"code": -32603, "message": "pets is loading"}
    still = replace(arrival(*modern_head("server/discover")), view=missing)
    assert result_of(core().on_post(still, encoded(modern_message("server/discover"))))


def test_a_call_carries_all_that_the_engine_needs() -> None:
    meta = {
        **META,
        "io.modelcontextprotocol/clientInfo": {"name": "Some Agent"},
        "io.opencontextprotocol/context-id": "my-context",
    }
    params = {"_meta": meta, "name": "setPet", "arguments": {"id": "7"}}
    decision = ask(message("tools/call", params), modern_head("tools/call", "setPet"))
    assert isinstance(decision, Work)
    assert call_in(decision)[1].arguments == {"id": "7"}
    assert decision.agent_hint == "Some Agent"
    assert (decision.explicit_id, decision.ambient_id) == ("my-context", None)
    assert decision.ends_with_stream
    assert decision.cancel_scope is None


@pytest.mark.parametrize("context_id", ["", "a b", "x" * 65, "\u00e9", 5, None, "a\r\nb"])
def test_a_context_id_that_no_header_could_carry_is_ignored(context_id: object) -> None:
    meta = {**META, "io.opencontextprotocol/context-id": context_id}
    decision = ask(message("tools/call", {"_meta": meta, "name": "listPets"}), CALL_HEAD)
    assert isinstance(decision, Work)
    assert decision.explicit_id is None


@pytest.mark.parametrize("header", [(), *[(("MCP-Protocol-Version", v),) for v in LEGACY]])
def test_a_modern_body_without_its_header_is_a_mismatch(header: Headers) -> None:
    http = core()
    session = open_session(http)
    reply = http.on_post(arrival(*header, session), encoded(modern_message("tools/list")))
    assert status_of(reply) == 400
    assert error_of(reply)["code"] == -32020
