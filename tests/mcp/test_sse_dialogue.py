"""2024-11-05 over HTTP+SSE: what is decided about the messages of one stream."""

import pytest

from gateway.mcp import ACCEPTED, Batch, QuestionIds, Reply, SseDialogue, ToolPages
from gateway.mcp.decisions import Answered, Cancel
from gateway.mcp.publication import Publication
from tests.support.mcp_core import (
    KEY,
    LEGACY,
    META,
    MODERN,
    NOW,
    SERVER,
    call_in,
    encoded,
    error_of,
    message,
    result_of,
    view,
)

SCOPE = b"sixteen random b"


def dialogue() -> SseDialogue:
    return SseDialogue(
        publication=Publication(server=SERVER, pages=ToolPages(SERVER), view=view),
        questions=QuestionIds([KEY]),
        scope=SCOPE,
        context_id="ocp-00000000",
        until=NOW,
    )


def opened(revision: str, capabilities: object = None) -> SseDialogue:
    it = dialogue()
    params = {
        "protocolVersion": revision,
        "capabilities": capabilities or {},
        "clientInfo": {"name": "tester"},
    }
    result = result_of(it.on_message(encoded(message("initialize", params))))
    assert result["protocolVersion"] == revision
    return it


def listed(it: SseDialogue) -> dict[str, object]:
    tools = result_of(it.on_message(encoded(message("tools/list"))))["tools"]
    assert isinstance(tools, list)
    first = tools[0]
    assert isinstance(first, dict)
    return first


@pytest.mark.parametrize("revision", LEGACY)
def test_the_stream_speaks_the_revision_that_its_handshake_agreed(revision: str) -> None:
    assert ("annotations" in listed(opened(revision))) == (revision > "2024-11-05")


@pytest.mark.parametrize("asked", [MODERN, "2099-01-01"])
def test_an_unknown_or_later_revision_is_offered_the_latest_legacy_one(asked: str) -> None:
    reply = dialogue().on_message(encoded(message("initialize", {"protocolVersion": asked})))
    assert result_of(reply)["protocolVersion"] == "2025-11-25"


def test_before_the_handshake_the_stream_is_of_the_transport_s_own_revision() -> None:
    assert "annotations" not in listed(dialogue())


def test_calls_of_a_stream_share_context_scope_and_what_the_client_can_be_asked() -> None:
    it = opened("2025-06-18", {"elicitation": {}})
    body = encoded(message("tools/call", {"name": "listPets"}))
    work, call = call_in(it.on_message(body))
    assert call.name == "listPets"
    assert (work.ambient_id, work.agent_hint) == ("ocp-00000000", "tester")
    assert (work.session, work.cancel_scope) == (SCOPE, SCOPE)
    assert work.capabilities == {"elicitation.form"}
    assert not work.ends_with_stream


def test_a_cancellation_is_one_of_this_stream() -> None:
    note = {"method": "notifications/cancelled", "params": {"requestId": 7}, "jsonrpc": "2.0"}
    assert dialogue().on_message(encoded(note)) == Cancel(scope=SCOPE, request_id=7)


def test_answers_are_heard_where_the_stream_was_asked() -> None:
    question = QuestionIds([KEY]).mint(SCOPE, bytes(12))
    foreign = QuestionIds([KEY]).mint(b"another stream's", bytes(12))
    answers = [
        dialogue().on_message(encoded({"jsonrpc": "2.0", "id": each, "result": {}}))
        for each in (question, foreign, 1)
    ]
    assert answers == [Answered(session=SCOPE, id=question, result={}), ACCEPTED, ACCEPTED]


def test_batches_exist_under_one_revision_only() -> None:
    batch = encoded([message("ping"), message("tools/list", request_id=2)])
    decision = opened("2025-03-26").on_message(batch)
    assert isinstance(decision, Batch)
    assert len(decision.members) == 2
    assert error_of(opened("2025-06-18").on_message(batch))["code"] == -32600


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"{", -32700, id="no JSON"),
        pytest.param(b"[]", -32600, id="nothing"),
        pytest.param(b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, id="no id"),
    ],
)
def test_what_names_no_request_is_refused_by_the_post_itself(body: bytes, code: int) -> None:
    reply = dialogue().on_message(body)
    assert error_of(reply)["code"] == code
    assert isinstance(reply, Reply)
    assert reply.status == 400


@pytest.mark.parametrize(
    ("request_body", "code"),
    [
        pytest.param(message("no/such"), -32601, id="unknown method"),
        pytest.param(message("initialize", {}), -32602, id="no version"),
        pytest.param(message("ping", {"_meta": META}), -32600, id="modern"),
        pytest.param(message("tools/list", {"cursor": 1}), -32602, id="cursor"),
    ],
)
def test_other_errors_are_answers_on_the_stream(request_body: object, code: int) -> None:
    reply = dialogue().on_message(encoded(request_body))
    assert error_of(reply)["code"] == code
    assert isinstance(reply, Reply)
    assert reply.status == 200
