"""`ocp-gateway headers`: a context to headers and back."""

import json

import pytest

from tests.cli.conftest import Cli

CONTEXT = {
    "context_id": "ocp-0123456789abcdef",
    "agent_type": "coder",
    "created_at": "2026-01-01T00:00:00Z",
    "last_updated": "2026-01-01T00:00:00Z",
    "current_goal": "Ship it",
    "recent_changes": [],
    "session": {
        "start_time": "2026-01-01T00:00:00Z",
        "interaction_count": 3,
        "agent_type": "coder",
    },
    "api_specs": {},
    "history": [
        {
            "timestamp": "2026-01-01T00:00:00Z",
            "action": "tool_call:x",
            "api_endpoint": None,
            "result": "HTTP 200",
            "metadata": {},
        }
    ],
}


def test_a_context_survives_the_way_to_headers_and_back(cli: Cli) -> None:
    encoded = cli("headers", "encode", stdin=json.dumps(CONTEXT).encode())
    assert (encoded.code, encoded.stderr) == (0, "")
    assert "OCP-Context-ID: ocp-0123456789abcdef\n" in encoded.stdout
    decoded = cli("headers", "decode", stdin=encoded.stdout.encode())
    assert (decoded.code, decoded.stderr) == (0, "")
    assert json.loads(decoded.stdout) == CONTEXT


def test_the_head_of_a_response_can_be_pasted(cli: Cli) -> None:
    head = b"HTTP/1.1 200 OK\r\nocp-context-id: abc\r\nOCP-User: ann\r\nOCP-Session: zzz\r\n\r\n"
    done = cli("headers", "decode", stdin=head)
    assert json.loads(done.stdout) == {"context_id": "abc", "user": "ann"}
    assert done.stderr == "ocp-gateway: ignored: session_base64\n"
    assert done.code == 0


@pytest.mark.parametrize(
    ("command", "stdin", "line"),
    [
        pytest.param("encode", b"", "stdin is not JSON", id="empty"),
        pytest.param("encode", b"\xff", "stdin is not JSON", id="not-utf-8"),
        pytest.param("encode", b"[]", "not an OCP context object", id="array"),
        pytest.param("encode", b'{"context_id": "x"}', "not an OCP context object", id="members"),
        pytest.param("decode", b"", "no valid OCP header", id="nothing"),
        pytest.param("decode", b"\xff\x00: \x80", "no valid OCP header", id="bytes"),
    ],
)
def test_other_input_is_one_line_and_exit_1(
    cli: Cli, command: str, stdin: bytes, line: str
) -> None:
    done = cli("headers", command, stdin=stdin)
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert line in done.stderr


def test_a_session_that_does_not_fit_is_mentioned(cli: Cli) -> None:
    bulky = {**CONTEXT, "api_specs": {f"a{i}": f"https://{i:064x}.example" for i in range(3000)}}
    done = cli("headers", "encode", stdin=json.dumps(bulky).encode())
    sent = "OCP-Session: " in done.stdout
    assert done.code == 0
    assert sent or "no OCP-Session" in done.stderr
