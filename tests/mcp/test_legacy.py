"""`initialize`-style clients over HTTP: handshake, session, the methods, the ends."""

from dataclasses import replace

import pytest

from gateway.mcp import (
    ACCEPTED,
    QUESTION_BYTES,
    Answered,
    Batch,
    Listen,
    QuestionIds,
    Reply,
    Work,
)
from gateway.mcp.decisions import Cancel
from gateway.mcp.sessions import LIFE_SECONDS
from gateway.policy import Principal
from tests.support.mcp_core import (
    KEY,
    LEGACY,
    MODERN,
    NONCE,
    NOW,
    arrival,
    core,
    encoded,
    error_of,
    found,
    later,
    message,
    open_session,
    result_of,
    spoken,
)

SSE = ("Accept", "application/json, text/event-stream")


def status_of(reply: object) -> int:
    assert isinstance(reply, Reply)
    return reply.status


def initialize(version: object, **params: object) -> dict[str, object]:
    return message("initialize", {"protocolVersion": version, **params})


@pytest.mark.parametrize(
    ("asked", "agreed"),
    [
        *[(v, v) for v in LEGACY],
        (MODERN, "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
        ("", "2025-11-25"),
    ],
)  # fmt: skip
def test_the_handshake_agrees_on_a_revision_and_opens_a_session(asked: str, agreed: str) -> None:
    reply = core().on_post(arrival(), encoded(initialize(asked)))
    result = result_of(reply)
    assert result["protocolVersion"] == agreed
    assert result["capabilities"] == {
        "logging": {},
        "tools": {"listChanged": True},
        "resources": {"listChanged": True, "subscribe": True},
        **({"completions": {}} if agreed >= "2025-03-26" else {}),
    }
    assert isinstance(result["serverInfo"], dict)
    assert ("title" in result["serverInfo"]) == (agreed >= "2025-06-18")
    assert "resultType" not in result
    assert isinstance(reply, Reply)
    assert [name for name, _ in reply.headers] == ["Mcp-Session-Id"]


def test_a_handshake_may_carry_the_version_header() -> None:
    head = ("MCP-Protocol-Version", "2025-06-18")
    assert status_of(core().on_post(arrival(head), encoded(initialize("2025-06-18")))) == 200


@pytest.mark.parametrize(
    "params", [None, {}, {"protocolVersion": 5}, []], ids=["none", "empty", "number", "array"]
)
def test_a_handshake_without_a_version_is_malformed(params: object) -> None:
    reply = core().on_post(arrival(), encoded(message("initialize", params)))
    assert status_of(reply) == 200
    assert error_of(reply)["code"] == -32602


def test_ping_answers_exactly_nothing() -> None:
    http = core()
    assert result_of(http.on_post(arrival(open_session(http)), encoded(message("ping")))) == {}


@pytest.mark.parametrize("method", ["prompts/list", "server/discover", "__init__", "tasks/list"])
def test_an_unknown_method_is_an_error_with_status_200(method: str) -> None:
    http = core()
    reply = http.on_post(arrival(open_session(http)), encoded(message(method)))
    assert status_of(reply) == 200
    assert error_of(reply)["code"] == -32601


@pytest.mark.parametrize("params", [None, {}, {"cursor": ""}], ids=["absent", "empty", "cursor"])
def test_a_list_needs_no_parameters(params: object) -> None:
    http = core()
    result = result_of(
        http.on_post(arrival(open_session(http)), encoded(message("tools/list", params)))
    )
    assert set(result) == {"tools"}


@pytest.mark.parametrize(
    "params", [None, {}, {"name": 5}, [], {"name": "listPets", "arguments": 1}], ids=repr
)
def test_a_malformed_call_is_an_error_with_status_200(params: object) -> None:
    http = core()
    reply = http.on_post(arrival(open_session(http)), encoded(message("tools/call", params)))
    assert status_of(reply) == 200
    assert error_of(reply)["code"] == -32602


def test_a_call_runs_in_the_sessions_context_and_outlives_its_connection() -> None:
    http = core()
    session = open_session(http)
    body = encoded(message("tools/call", {"name": "listPets"}, request_id="x"))
    first, second = (http.on_post(arrival(session), body) for _ in range(2))
    assert isinstance(first, Work)
    assert first == second
    assert first.ambient_id is not None
    assert first.ambient_id.startswith("ocp-")
    assert first.agent_hint == "tester"
    assert not first.ends_with_stream
    assert first.cancel_scope == NONCE


def test_another_process_with_the_same_key_goes_on_with_the_session() -> None:
    session = open_session(core())
    assert status_of(core().on_post(arrival(session), encoded(message("ping")))) == 200


@pytest.mark.parametrize("version", LEGACY)
def test_the_sessions_revision_wins_over_the_header(version: str) -> None:
    http = core()
    session = open_session(http, "2024-11-05")
    head = ("MCP-Protocol-Version", version)
    decision = http.on_post(
        arrival(session, head), encoded(message("tools/call", {"name": "listPets"}))
    )
    assert isinstance(decision, Work)
    assert decision.revision.name == "2024-11-05"


def test_a_request_without_a_session_is_refused() -> None:
    reply = core().on_post(arrival(), encoded(message("tools/list", request_id="q")))
    assert status_of(reply) == 400
    assert error_of(reply)["code"] == -32600
    assert spoken(reply)["id"] == "q"


def test_forged_expired_ended_and_foreign_ids_look_alike() -> None:
    http = core()
    session = open_session(http)
    thief = Principal(name="key:thief")
    arrivals = [
        arrival(("Mcp-Session-Id", "s1.AAAA.AAAA")),
        arrival(session, session),
        later(arrival(session), LIFE_SECONDS + 1),
        replace(arrival(session), session=None),  # that is how one arrives that has ended
        found(replace(arrival(session), principal=thief)),
        arrival(session, api="pets"),
    ]
    replies = [http.on_post(each, encoded(message("ping"))) for each in arrivals]
    assert {status_of(reply) for reply in replies} == {404}
    assert len({reply.body for reply in replies if isinstance(reply, Reply)}) == 1
    assert {status_of(http.on_delete(each)) for each in arrivals} == {404}


@pytest.mark.parametrize(
    "note",
    [
        pytest.param({"method": "notifications/initialized"}, id="initialized"),
        pytest.param({"method": "notifications/unheard-of"}, id="unknown"),
        pytest.param({"method": "notifications/cancelled"}, id="cancelled, nothing named"),
        pytest.param(
            {"method": "notifications/cancelled", "params": {"requestId": None}}, id="null named"
        ),
        pytest.param({"id": "q.1", "result": {}}, id="a response"),
        pytest.param({"id": 5, "error": {"code": 1, "message": ""}}, id="an error response"),
    ],
)
@pytest.mark.parametrize("with_session", [True, False])
def test_notifications_and_responses_are_accepted(note: object, with_session: bool) -> None:
    http = core()
    head = [open_session(http)] if with_session else []
    assert isinstance(note, dict)
    assert http.on_post(arrival(*head), encoded({"jsonrpc": "2.0", **note})) == ACCEPTED


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ({"result": {"action": "accept"}}, {"action": "accept"}),
        ({"result": {"action": "accept"}, "error": None}, {"action": "accept"}),
        ({"error": {"code": 1, "message": ""}}, None),
        ({"result": {"action": "accept"}, "error": {"code": 1, "message": ""}}, None),
        ({"result": {"action": "accept"}, "error": False}, None),
        ({"result": "accept"}, None),
    ],
    ids=["result", "no error", "error", "both", "something for an error", "no object"],
)
def test_an_answer_is_a_result_or_an_error(
    said: dict[str, object], heard: dict[str, object] | None
) -> None:
    http = core()
    session = open_session(http)
    question = QuestionIds((KEY,)).mint(NONCE, bytes(QUESTION_BYTES))
    decision = http.on_post(arrival(session), encoded({"jsonrpc": "2.0", "id": question, **said}))
    assert decision == Answered(session=NONCE, id=question, result=heard)


def test_r27_a_cancellation_reaches_its_own_session_only() -> None:
    http = core()
    note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
    decision = http.on_post(arrival(open_session(http)), encoded(note))
    assert decision == Cancel(scope=NONCE, request_id=7)


@pytest.mark.parametrize("version", [*LEGACY, None])
def test_a_get_with_a_session_opens_a_stream(version: str | None) -> None:
    http = core()
    head = [] if version is None else [("MCP-Protocol-Version", version)]
    decision = http.on_get(arrival(open_session(http), SSE, *head))
    assert decision == Listen(scope=NONCE, expires_at=NOW + LIFE_SECONDS, is_primed=True)


@pytest.mark.parametrize("revision", LEGACY)
def test_only_clients_that_know_it_get_an_event_without_data(revision: str) -> None:
    http = core()
    decision = http.on_get(arrival(open_session(http, revision), SSE, ("Last-Event-ID", " c1.x ")))
    assert isinstance(decision, Listen)
    assert decision.is_primed is (revision == "2025-11-25")
    assert decision.last_event_id == "c1.x"


@pytest.mark.parametrize(
    ("session", "head", "status"),
    [
        pytest.param(False, (SSE,), 405, id="without a session"),
        pytest.param(True, (SSE, ("MCP-Protocol-Version", MODERN)), 405, id="modern"),
        pytest.param(True, (SSE, ("MCP-Protocol-Version", "v9")), 405, id="unknown version"),
        pytest.param(True, (("Accept", "application/json"),), 406, id="without event streams"),
        pytest.param(True, (), 200, id="without Accept"),
        pytest.param(False, (SSE, ("Mcp-Session-Id", "junk")), 404, id="junk session"),
    ],
)
def test_other_gets_are_refused(
    session: bool, head: tuple[tuple[str, str], ...], status: int
) -> None:
    http = core()
    decision = http.on_get(arrival(*([open_session(http)] if session else []), *head))
    assert isinstance(decision, Listen) == (status == 200)
    if isinstance(decision, Reply):
        assert decision.status == status
        assert (("Allow", "POST") in decision.headers) == (status == 405)


def test_a_delete_needs_a_session() -> None:
    reply = core().on_delete(arrival())
    assert isinstance(reply, Reply)
    assert reply.status == 405
    assert ("Allow", "POST") in reply.headers


def array(*members: object) -> bytes:
    return encoded(list(members))


NOTE = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def test_a_batch_is_decided_member_by_member() -> None:
    http = core()
    session = open_session(http, "2025-03-26")
    call = message("tools/call", {"name": "listPets"}, request_id=2)
    decision = http.on_post(
        arrival(session), array(message("ping"), NOTE, call, 7, initialize("2025-03-26"), [])
    )
    assert isinstance(decision, Batch)
    ping, note, called, number, nested, empty = decision.members
    assert result_of(ping) == {}
    assert note == ACCEPTED
    assert isinstance(called, Work)
    for refused in (number, nested, empty):
        assert error_of(refused)["code"] == -32600


@pytest.mark.parametrize(
    ("revision", "body"),
    [
        pytest.param("2025-03-26", [], id="empty"),
        pytest.param("2025-03-26", [NOTE] * 101, id="too many"),
        *[
            pytest.param(revision, [NOTE], id=f"under {revision}")
            for revision in LEGACY
            if revision != "2025-03-26"
        ],
    ],
)
def test_an_array_that_is_no_batch_is_refused(revision: str, body: list[object]) -> None:
    http = core()
    reply = http.on_post(arrival(open_session(http, revision)), array(*body))
    assert status_of(reply) == 400
    assert error_of(reply)["code"] == -32600
    assert spoken(reply)["id"] is None


def test_a_batch_without_a_session_is_refused_member_by_member() -> None:
    decision = core().on_post(arrival(), array(message("ping"), initialize("2025-03-26")))
    assert isinstance(decision, Batch)
    assert [error_of(member)["code"] for member in decision.members] == [-32600, -32600]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 5000, b"[NaN]"])
def test_unreadable_bodies_are_a_parse_error_without_an_id(body: bytes) -> None:
    reply = core().on_post(arrival(), body)
    assert status_of(reply) == 400
    assert spoken(reply)["id"] is None
    assert error_of(reply)["code"] == -32700
