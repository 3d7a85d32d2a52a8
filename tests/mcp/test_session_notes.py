"""What a legacy session says of itself once and for later: its log level, what it watches."""

import pytest

from gateway.mcp.decisions import Decision, EndSession, SetLevel, Watch
from gateway.mcp.request_meta import LEVELS
from gateway.mcp.sessions import LIFE_SECONDS
from tests.support.mcp_core import (
    LEGACY,
    MODERN,
    NONCE,
    NOW,
    arrival,
    core,
    encoded,
    error_of,
    later,
    message,
    modern_head,
    modern_message,
    open_session,
)

URI = "test://watched-resource"


def decide(method: str, params: object, revision: str = "2025-11-25") -> Decision:
    http = core()
    body = encoded(message(method, params, request_id="q"))
    return http.on_post(later(arrival(open_session(http, revision)), 60), body)


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize("level", LEVELS)
def test_the_level_is_kept_as_long_as_the_session(revision: str, level: str) -> None:
    decision = decide("logging/setLevel", {"level": level}, revision)
    until = NOW + LIFE_SECONDS
    assert decision == SetLevel(id="q", session=NONCE, until=until, level=level)


@pytest.mark.parametrize("level", ["DEBUG", "verbose", "", None, 7, ["debug"]])
def test_what_is_no_level_is_refused(level: object) -> None:
    assert error_of(decide("logging/setLevel", {"level": level}))["code"] == -32602
    assert error_of(decide("logging/setLevel", None))["code"] == -32602


@pytest.mark.parametrize(
    ("method", "wanted"), [("resources/subscribe", True), ("resources/unsubscribe", False)]
)
def test_a_session_watches_a_resource(method: str, wanted: bool) -> None:
    until = NOW + LIFE_SECONDS
    assert decide(method, {"uri": URI}) == Watch(
        id="q", session=NONCE, until=until, uri=URI, wanted=wanted
    )
    assert error_of(decide(method, {"uri": 7}))["code"] == -32602
    assert error_of(decide(method, {}))["code"] == -32602


@pytest.mark.parametrize(
    "method", ["logging/setLevel", "resources/subscribe", "resources/unsubscribe"]
)
def test_the_modern_era_has_none_of_these(method: str) -> None:
    body = encoded(modern_message(method, {"level": "debug", "uri": URI}))
    reply = core().on_post(arrival(*modern_head(method)), body)
    assert error_of(reply)["code"] == -32601


def test_a_delete_names_the_session_and_its_end() -> None:
    http = core()
    session = open_session(http)
    decision = http.on_delete(later(arrival(session), 60))
    assert decision == EndSession(session=NONCE, until=NOW + LIFE_SECONDS)


def test_only_a_legacy_request_that_names_a_true_session_has_one() -> None:
    http = core()
    session = open_session(http)
    assert http.session_of(arrival(session)) is not None
    version = ("MCP-Protocol-Version", MODERN)
    for headers in ((), (session, version), (("Mcp-Session-Id", "s1.x.y"),), (session, session)):
        assert http.session_of(arrival(*headers)) is None
