"""OCP headers as bytes on a socket, through the real process to the upstream."""

import base64
import json
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.support.dialogues import TRACKER
from tests.support.echo_upstream import EchoUpstream, Seen
from tests.support.gateway_process import GatewayProcess
from tests.support.ocp import read_session
from tests.support.plain_http import RawAnswer, send_raw

NAMES = (
    "OCP-Context-ID",
    "OCP-Agent-Type",
    "OCP-Current-Goal",
    "OCP-Session",
    "OCP-User",
    "OCP-Workspace",
    "OCP-Version",
)
MOMENT = "2026-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def upstream() -> Iterator[EchoUpstream]:
    with EchoUpstream() as echo:
        yield echo


@pytest.fixture(scope="module")
def served(
    upstream: EchoUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    arguments = (
        "--spec",
        f"tracker={TRACKER.description}",
        "--base-url",
        f"tracker={upstream.url}",
    )
    with GatewayProcess(*arguments, directory=tmp_path_factory.mktemp("served")) as process:
        yield process


def send(served: GatewayProcess, way: str, *headers: bytes) -> RawAnswer:
    """A proxied request or a tool call with these header lines."""
    body = b'{"project": "gate"}' if way == "tool" else b""
    line = "POST /tools/issuesList" if way == "tool" else "GET /apis/tracker/projects/gate/issues"
    head = f"{line} HTTP/1.1\r\nHost: {urlsplit(served.url).netloc}\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    lines = b"".join(header + b"\r\n" for header in headers)
    return send_raw(served.url, head.encode() + lines + b"\r\n" + body)


def session_of(context_id: str, length: int) -> bytes:
    """A plain session of that many characters whose goal is `from the session`."""
    members = {
        "context_id": context_id,
        "agent_type": "tester",
        "created_at": MOMENT,
        "last_updated": MOMENT,
        "current_goal": "from the session",
    }
    text = json.dumps(members)
    padded = text + " " * (length // 4 * 3 - len(text))
    return base64.b64encode(padded.encode()).ljust(length, b"=")


def goal_of(seen: Seen) -> object:
    """The goal that went upstream; every header of the protocol at most once, and no twin."""
    names = [name.lower() for name, _ in seen.headers]
    assert all(names.count(name.lower()) <= 1 for name in NAMES)
    assert not any("_" in name for name in names)
    return read_session(seen).get("current_goal")


WAYS = pytest.mark.parametrize("way", ["proxy", "tool"])


@WAYS
@pytest.mark.parametrize(
    ("name", "length", "believed"),
    [
        pytest.param(b"OCP-Session", 8_192, True, id="8192"),
        pytest.param(b"oCP-sESSION", 8_192, True, id="mixed-case"),
        pytest.param(b"OCP-Session", 8_193, False, id="8193"),
        pytest.param(b"OCP-Session", 8_196, False, id="8196"),
        pytest.param(b"OCP-Session", 60_000, False, id="60000"),
        pytest.param(b"OCP_Session", 8_192, False, id="underscore"),
        pytest.param(b"OCP-SESSION_", 8_192, False, id="another-name"),
    ],
)
def test_a_session_is_believed_up_to_its_limit_and_else_ignored(
    served: GatewayProcess,
    upstream: EchoUpstream,
    way: str,
    name: bytes,
    length: int,
    believed: bool,
) -> None:
    context_id = f"ocp-{uuid4().hex}"
    session = session_of(context_id, length)
    assert len(session) == length
    answer = send(served, way, b"OCP-Context-ID: " + context_id.encode(), name + b": " + session)
    assert answer.status == 200
    assert answer.values("OCP-Context-ID") == [context_id]
    assert goal_of(upstream.last) == ("from the session" if believed else None)
    assert session.decode() not in [value for _, value in upstream.last.headers]


@WAYS
def test_above_the_cap_of_headers_the_request_is_refused(
    served: GatewayProcess, upstream: EchoUpstream, way: str
) -> None:
    before = len(upstream.seen)
    answer = send(served, way, b"OCP-Session: " + b"A" * 70_000)
    assert answer.status == 431
    assert len(upstream.seen) == before


@WAYS
@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((b"OCP-Context-ID: ocp-aaaaaaaa", b"ocp-context-id: ocp-bbbbbbbb"), id="two"),
        pytest.param((b"OCP-Context-ID: ocp-aaaaaaaa, ocp-bbbbbbbb",), id="joined"),
        pytest.param((b"OCP_Context_ID: ocp-aaaaaaaa",), id="underscore"),
        pytest.param((b"OCP-Context-ID: ocp-aaaa\xe9aaa",), id="byte-above-127"),
        pytest.param((b"OCP-Context-ID: ocp-aaaaaaaa\x85",), id="next-line"),
        pytest.param((b"OCP-Context-ID: ocp_aaaaaaaa",), id="illegal"),
        pytest.param((b"OCP-Context-ID: " + b"a" * 65,), id="65"),
        pytest.param((b"OCP-Context-ID:",), id="empty"),
    ],
)
def test_an_id_that_is_none_names_no_context(
    served: GatewayProcess, upstream: EchoUpstream, way: str, lines: tuple[bytes, ...]
) -> None:
    answer = send(served, way, *lines)
    assert answer.status == 200
    (minted,) = answer.values("OCP-Context-ID")
    assert len(minted) == 36
    assert upstream.last.value("OCP-Context-ID") == minted
    goal_of(upstream.last)


@WAYS
@pytest.mark.parametrize(
    "line",
    [
        b"OCP-User: caf\xc3\xa9",
        b"OCP-User: caf\xe9",
        b"OCP-User: \xff\xfe\x80",
        b"OCP-Current-Goal: \xe6\x97\xa5",
        b"OCP-Current-Goal: a\tb",
        b"OCP-Current-Goal: " + b"g" * 257,
        b"OCP-Workspace: " + b"w" * 129,
        b"OCP-Workspace:",
        b"OCP_User: ada",
        b"OCP-User: ada\r\nOCP-User: ada",
    ],
    ids=repr,
)
def test_a_bad_claim_is_ignored_and_the_request_goes_on(
    served: GatewayProcess, upstream: EchoUpstream, way: str, line: bytes
) -> None:
    context_id = f"ocp-{uuid4().hex}"
    answer = send(served, way, b"OCP-Context-ID: " + context_id.encode(), line)
    assert answer.status == 200
    assert answer.values("OCP-Context-ID") == [context_id]
    assert goal_of(upstream.last) is None
    session = read_session(upstream.last)
    assert session.get("user") is None
    assert session.get("workspace") is None
