"""`ocp-gateway headers`: a context to headers and back."""

import hashlib
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


def test_foreign_members_of_a_session_are_shown(cli: Cli) -> None:
    context = CONTEXT | {"session": CONTEXT["session"] | {"mood": ["good"]}}  # type: ignore[operator]
    encoded = cli("headers", "encode", stdin=json.dumps(context).encode())
    decoded = cli("headers", "decode", stdin=encoded.stdout.encode())
    assert json.loads(decoded.stdout) == context


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
        pytest.param("encode", b"[" * 100_000, "stdin is not JSON", id="deep"),
        pytest.param(
            "encode",
            json.dumps(CONTEXT).replace(": 3,", ": 1e300,").encode(),
            "not an OCP context object",
            id="count",
        ),
        pytest.param("encode", b"{}" + b" " * 5_000_000, "not an OCP context object", id="long"),
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


def encode(cli: Cli, **members: object) -> tuple[str, list[str]]:
    """What `encode` prints, and its remarks."""
    done = cli("headers", "encode", stdin=json.dumps(CONTEXT | members).encode())
    assert done.code == 0
    return done.stdout, done.stderr.splitlines()


ENTRY = CONTEXT["history"][0]  # type: ignore[index]
NOISE = hashlib.shake_256(b"").hexdigest(15_000)
DIGITS = "".join(map(str, hashlib.shake_256(b"").digest(9_000)))


@pytest.mark.parametrize(
    ("members", "remarks"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param(
            {"current_goal": "日本"},
            ["no OCP-Current-Goal: the header cannot carry the value"],
            id="goal",
        ),
        pytest.param(
            {"user": "u" * 65, "workspace": "a\nb"},
            [
                "no OCP-User: the header cannot carry the value",
                "no OCP-Workspace: the header cannot carry the value",
            ],
            id="claims",
        ),
        pytest.param(
            {"agent_type": "my agent"},
            ["OCP-Agent-Type: reduced to the characters that the header allows"],
            id="agent-type",
        ),
        pytest.param(
            {"agent_type": "агент"},
            ["no OCP-Agent-Type: the header cannot carry the value"],
            id="no-agent-type",
        ),
        pytest.param(
            {"context_id": "ocp-" + "0" * 70},
            ["no OCP-Context-ID: the header cannot carry the value"],
            id="long-id",
        ),
        pytest.param(
            {"error_context": NOISE, "api_specs": {"a": "https://a.example"}},
            [
                "error_context: cut to 4096 of 30000 characters",
                "history: 1 of 1 entries left out",
            ],
            id="texts",
        ),
        pytest.param(
            {"session": CONTEXT["session"] | {"x": NOISE}},  # type: ignore[operator]
            ["session: shortened", "history: 1 of 1 entries left out"],
            id="foreign-members",
        ),
        pytest.param(
            {"api_specs": {f"a{i}": f"https://{i}.{NOISE[i:]}.example" for i in range(9)}},
            ["api_specs: shortened", "history: 1 of 1 entries left out"],
            id="addresses",
        ),
    ],
)
def test_what_the_headers_do_not_carry_is_named(
    cli: Cli, members: dict[str, object], remarks: list[str]
) -> None:
    printed, said = encode(cli, **members)
    assert said == [f"ocp-gateway: {remark}" for remark in remarks]
    assert all(len(line) <= len("OCP-Session: ") + 8192 for line in printed.splitlines())


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"created_at": "2026-01-01T00:00:00." + DIGITS + "Z"}, id="nothing-fits"),
        pytest.param(
            {"session": CONTEXT["session"] | {"x": [{}] * 9_000}},  # type: ignore[operator]
            id="nobody-reads-it",
        ),
    ],
)
def test_headers_without_a_session_are_printed_and_exit_1(
    cli: Cli, members: dict[str, object]
) -> None:
    done = cli("headers", "encode", stdin=json.dumps(CONTEXT | members).encode())
    names = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert names == ["OCP-Context-ID", "OCP-Agent-Type", "OCP-Version", "OCP-Current-Goal"]
    assert done.stderr == (
        "ocp-gateway: no OCP-Session: the context does not fit, or a member of it is not valid\n"
    )
    assert done.code == 1


def test_the_history_that_is_left_out_is_counted(cli: Cli) -> None:
    printed, (remark,) = encode(
        cli, history=[ENTRY | {"action": NOISE[i : i + 90]} for i in range(500)]
    )
    done = cli("headers", "decode", stdin=printed.encode())
    kept = len(json.loads(done.stdout)["history"])
    assert remark == f"ocp-gateway: history: {500 - kept} of 500 entries left out"


def test_controls_inside_a_value_end_no_line(cli: Cli) -> None:
    head = (
        b"OCP-Context-ID: ocp-00000000\x85OCP-User: eve\n\x0bOCP-User:ann\r\nOCP-Workspace:\tw \n"
    )
    done = cli("headers", "decode", stdin=head)
    assert json.loads(done.stdout) == {"workspace": "w"}
    assert done.stderr == "ocp-gateway: ignored: context_id_invalid\n"


def test_every_fault_is_named_once(cli: Cli) -> None:
    head = b"OCP-User: a\nocp-user: b\nOCP-Version: 1\nOCP-Current-Goal: go\nOCP-Session: e30=\n"
    done = cli("headers", "decode", stdin=head)
    assert json.loads(done.stdout) == {"current_goal": "go"}
    reasons = ["user_duplicate", "version_invalid", "session_without_id"]
    assert done.stderr == "".join(f"ocp-gateway: ignored: {reason}\n" for reason in reasons)
