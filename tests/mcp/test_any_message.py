"""Whatever arrives, a decision comes out: never an exception, never a 5xx."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mcp import Publication, QuestionIds, StdioDialogue, ToolPages
from gateway.mcp.decisions import (
    Answered,
    Batch,
    Cancel,
    Decision,
    Listen,
    Reply,
    SetLevel,
    Subscribe,
    Watch,
    Work,
)
from tests.support.mcp_core import (
    KEY,
    LEGACY,
    META,
    MODERN,
    SERVER,
    arrival,
    core,
    encoded,
    message,
    open_session,
    view,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
METHODS = st.sampled_from(
    ["initialize", "ping", "tools/list", "tools/call", "server/discover", "notifications/cancelled"]
)
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "_meta": st.just(META) | VALUES,
        "name": st.just("listPets") | VALUES,
        "arguments": VALUES,
        "cursor": VALUES,
        "protocolVersion": st.sampled_from(LEGACY) | VALUES,
        "capabilities": VALUES,
        "clientInfo": VALUES,
        "requestId": VALUES,
    },
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | VALUES,
        "id": st.integers() | st.text(max_size=4) | VALUES,
        "method": METHODS | VALUES,
        "params": PARAMS | VALUES,
        "result": VALUES,
    },
)
BODIES = st.binary(max_size=100) | (MESSAGES | st.lists(MESSAGES, max_size=4) | VALUES).map(
    lambda v: json.dumps(v).encode()
)
HEADS = st.lists(
    st.tuples(
        st.sampled_from(["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Session-Id"]),
        st.sampled_from([MODERN, *LEGACY, "tools/call", "tools/list", "listPets", "=?base64??="])
        | st.text(st.characters(max_codepoint=255), max_size=12),
    ),
    max_size=4,
)


def is_sound(decision: Decision) -> bool:
    match decision:
        case Reply(status=status, body=body):
            return status in {200, 202, 400, 404} and (not body or bool(json.loads(body)))
        case Batch(members=members):
            return all(is_sound(member) for member in members)
        case Work() | Cancel() | Answered() | SetLevel() | Watch() | Listen() | Subscribe():
            return True


HTTP = core()
SESSION = open_session(HTTP)
OLD_SESSION = open_session(HTTP, "2025-03-26")


@settings(max_examples=300)
@given(HEADS, st.sampled_from([(), (SESSION,), (OLD_SESSION,)]), BODIES)
def test_any_http_message_gets_a_decision(
    head: list[tuple[str, str]], session: tuple[tuple[str, str], ...], body: bytes
) -> None:
    assert is_sound(HTTP.on_post(arrival(*head, *session), body))


@settings(max_examples=100)
@given(st.lists(BODIES, max_size=4))
def test_any_lines_get_decisions_and_leave_the_process_alive(lines: list[bytes]) -> None:
    talk = StdioDialogue(
        publication=Publication(server=SERVER, pages=ToolPages(SERVER), view=view),
        questions=QuestionIds((KEY,)),
        own_context="ocp-1",
    )
    for line in lines:
        assert is_sound(talk.on_line(line))
    assert is_sound(talk.on_line(encoded(message("ping"))))
