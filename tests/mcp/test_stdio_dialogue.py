"""stdio: the first request fixes the era, and each line gets what it deserves."""

from math import inf

import pytest

from gateway.mcp import (
    ACCEPTED,
    Batch,
    Listen,
    Publication,
    QuestionIds,
    Reply,
    StdioDialogue,
    ToolPages,
    Work,
)
from gateway.mcp.decisions import Cancel
from gateway.mcp.stdio_dialogue import SCOPE
from tests.support.mcp_core import (
    KEY,
    LEGACY,
    META,
    MODERN,
    SERVER,
    encoded,
    error_of,
    message,
    modern_message,
    result_of,
    spoken,
    view,
)

OWN = "ocp-" + "0" * 32
VERSION = "io.modelcontextprotocol/protocolVersion"


def dialogue(bound_context: str | None = None) -> StdioDialogue:
    return StdioDialogue(
        publication=Publication(server=SERVER, pages=ToolPages(SERVER), view=view),
        questions=QuestionIds((KEY,)),
        own_context=OWN,
        bound_context=bound_context,
    )


def say(talk: StdioDialogue, value: object) -> object:
    return talk.on_line(encoded(value))


def initialize(version: str = "2025-11-25") -> dict[str, object]:
    params = {"protocolVersion": version, "clientInfo": {"name": "tester"}}
    return message("initialize", params)


CALL = message("tools/call", {"name": "listPets"})
MODERN_CALL = modern_message("tools/call", {"name": "listPets"})


@pytest.mark.parametrize("version", LEGACY)
def test_a_legacy_conversation(version: str) -> None:
    talk = dialogue()
    assert result_of(say(talk, initialize(version)))["protocolVersion"] == version
    listen = say(talk, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert listen == Listen(scope=SCOPE, expires_at=inf)
    assert result_of(say(talk, message("ping"))) == {}
    assert set(result_of(say(talk, message("tools/list")))) == {"tools"}
    call = say(talk, CALL)
    assert isinstance(call, Work)
    assert (call.revision.name, call.ambient_id, call.agent_hint) == (version, OWN, "tester")
    assert call.cancel_scope == SCOPE


def test_a_modern_conversation_needs_no_headers() -> None:
    talk = dialogue()
    assert result_of(say(talk, modern_message("server/discover")))["supportedVersions"] == [MODERN]
    assert result_of(say(talk, modern_message("tools/list")))["resultType"] == "complete"
    call = say(talk, MODERN_CALL)
    assert isinstance(call, Work)
    # The process is not a conversation, so its calls share no context.
    assert call.ambient_id is None
    assert call.cancel_scope == SCOPE


@pytest.mark.parametrize("opening", [initialize(), modern_message("server/discover")])
def test_a_bound_process_has_one_context(opening: object) -> None:
    talk = dialogue(bound_context="mine")
    say(talk, opening)
    legacy = isinstance(opening, dict) and opening["method"] == "initialize"
    call = say(talk, CALL if legacy else MODERN_CALL)
    assert isinstance(call, Work)
    assert call.ambient_id == "mine"


def test_a_late_handshake_tells_a_modern_client_what_is_supported() -> None:
    talk = dialogue()
    say(talk, modern_message("server/discover"))
    error = error_of(say(talk, initialize()))
    assert error["code"] == -32022
    assert error["data"] == {"supported": [MODERN], "requested": "2025-11-25"}


def test_a_modern_envelope_in_a_legacy_conversation_is_refused() -> None:
    talk = dialogue()
    say(talk, initialize())
    assert error_of(say(talk, MODERN_CALL))["code"] == -32600


def test_an_unknown_modern_version_keeps_the_client_modern() -> None:
    talk = dialogue()
    probe = message("server/discover", {"_meta": {**META, VERSION: "2030-01-01"}})
    assert error_of(say(talk, probe))["code"] == -32022
    assert isinstance(say(talk, MODERN_CALL), Work)


def test_a_probe_without_an_envelope_leads_to_the_handshake() -> None:
    talk = dialogue()
    assert error_of(say(talk, message("server/discover")))["code"] == -32601
    assert result_of(say(talk, initialize()))["protocolVersion"] == "2025-11-25"


@pytest.mark.parametrize("method", ["initialize", "ping", "prompts/list"])
def test_modern_methods_are_checked_after_the_envelope(method: str) -> None:
    talk = dialogue()
    say(talk, modern_message("server/discover"))
    if method != "initialize":
        assert error_of(say(talk, modern_message(method)))["code"] == -32601
    else:
        assert error_of(say(talk, modern_message(method)))["code"] == -32022
    assert error_of(say(talk, message("tools/list")))["code"] == -32602


@pytest.mark.parametrize("opening", [initialize(), modern_message("server/discover")])
def test_cancellation_works_in_both_eras(opening: object) -> None:
    talk = dialogue()
    say(talk, opening)
    note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "x"}}
    assert say(talk, note) == Cancel(scope=SCOPE, request_id="x")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param(b"hello", -32700, id="words"),
        pytest.param(b"\xff\xfe", -32700, id="not UTF-8"),
        pytest.param(None, -32700, id="too long"),
        pytest.param(b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, id="null id"),
        pytest.param(b"{}", -32600, id="nothing in it"),
    ],
)
@pytest.mark.parametrize("opening", [initialize(), modern_message("server/discover"), None])
def test_a_bad_line_is_answered_and_the_process_goes_on(
    line: bytes | None, code: int, opening: object
) -> None:
    talk = dialogue()
    if opening is not None:
        say(talk, opening)
    reply = talk.on_line(line)
    assert spoken(reply)["id"] is None
    assert error_of(reply)["code"] == code
    modern = opening is not None and opening != initialize()
    good = MODERN_CALL if modern else CALL
    assert isinstance(say(talk, good), Work)


def test_batches_belong_to_one_revision() -> None:
    batch = [message("ping"), CALL, {"jsonrpc": "2.0", "method": "notifications/x"}]
    old, new, modern = dialogue(), dialogue(), dialogue()
    say(old, initialize("2025-03-26"))
    say(new, initialize("2025-06-18"))
    say(modern, modern_message("server/discover"))
    decision = say(old, batch)
    assert isinstance(decision, Batch)
    assert [type(member) for member in decision.members] == [Reply, Work, Reply]
    assert error_of(say(new, batch))["code"] == -32600
    assert error_of(say(modern, batch))["code"] == -32600


def test_responses_to_questions_that_nobody_asked_are_dropped() -> None:
    assert say(dialogue(), {"jsonrpc": "2.0", "id": 1, "result": {}}) == ACCEPTED
