"""`ocp-gateway call`, against an HTTP server that answers what the test says."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.cli.conftest import Cli

RESULT = {"status": 200, "content": [], "structuredContent": {"n": 12345678901234567890}}


@dataclass
class Scripted:
    """Answers every POST in the same way and remembers what it was sent."""

    url: str = ""
    status: int = 200
    body: bytes = json.dumps({**RESULT, "isError": False}).encode()
    seen: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def gateway() -> Iterator[Scripted]:
    script = Scripted()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            script.seen.append((self.path, dict(self.headers), body))
            self.send_response(script.status)
            self.send_header("Content-Length", str(len(script.body)))
            self.end_headers()
            self.wfile.write(script.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        script.url = f"http://127.0.0.1:{server.server_port}"
        yield script
        server.shutdown()
        thread.join()


def test_the_arguments_are_posted_as_they_were_written(cli: Cli, gateway: Scripted) -> None:
    text = '{"id": 12345678901234567890, "x": 1.10}'
    options = ("--api", "my api", "--context", "ocp-0123", "--gateway", f"{gateway.url}/base/")
    done = cli("call", "a/b", "--args", text, *options)
    assert done.code == 0
    ((path, headers, body),) = gateway.seen
    assert path == "/base/tools/a%2Fb?api=my+api"
    assert body == text.encode()
    assert headers["Content-Type"] == "application/json"
    assert headers["OCP-Context-ID"] == "ocp-0123"


def test_the_answer_is_printed_whole_and_exactly(cli: Cli, gateway: Scripted) -> None:
    done = cli("call", "x", "--gateway", gateway.url)
    assert json.loads(done.stdout) == {**RESULT, "isError": False}
    assert done.stderr == ""
    ((_, headers, body),) = gateway.seen
    assert body == b"{}"
    assert "OCP-Context-ID" not in headers


def test_what_a_terminal_would_obey_is_escaped(cli: Cli, gateway: Scripted) -> None:
    gateway.body = b'{"isError": false, "text": "\\u001b[2J \\u009b2J \\ud800 \xc3\xa9"}'
    done = cli("call", "x", "--gateway", gateway.url)
    assert "\\u001b[2J \\u009b2J \\ud800 é" in done.stdout
    assert json.loads(done.stdout)["text"] == "\x1b[2J \x9b2J \ud800 é"


def test_a_failed_call_is_printed_and_exits_1(cli: Cli, gateway: Scripted) -> None:
    gateway.body = b'{"status": 404, "isError": true}'
    done = cli("call", "x", "--gateway", gateway.url)
    assert (done.code, json.loads(done.stdout)) == (1, {"status": 404, "isError": True})


DRY = {
    "method": "GET",
    "url": "http://127.0.0.1:9/x",
    "headers": {"X-Env": "***"},
    "hidden": ["X-Env"],
    "body": None,
}


def test_a_call_that_needs_a_confirmation_says_how_to_give_it(cli: Cli, gateway: Scripted) -> None:
    gateway.status = 409
    refusal = {"code": "confirmation_required", "detail": "nothing was sent", "digest": "ab12"}
    gateway.body = json.dumps(refusal).encode()
    refused = cli("call", "dropItem", "--gateway", gateway.url)
    assert (refused.code, refused.stdout) == (1, "")
    assert refused.stderr == (
        "ocp-gateway: 409 confirmation_required: nothing was sent (here: --confirm ab12)\n"
    )

    cli("call", "dropItem", "--confirm", "ab12", "--gateway", gateway.url)
    assert gateway.seen[-1][0] == "/tools/dropItem?confirm=ab12"


def test_a_dry_run_prints_the_request_as_curl(cli: Cli, gateway: Scripted) -> None:
    gateway.body = json.dumps(DRY).encode()
    done = cli("call", "x", "--dry-run", "--api", "shop", "--gateway", gateway.url)
    assert done.code == 0
    assert done.stdout == "curl \\\n  http://127.0.0.1:9/x \\\n  --header 'X-Env: ***'\n"
    assert done.stderr == "*** stands for values that are not shown: X-Env\n"
    assert gateway.seen[0][0] == "/tools/x?api=shop&dry_run=true"


@pytest.mark.parametrize(
    ("status", "body", "line"),
    [
        pytest.param(200, b'{"isError": false}', "it may know no dry_run", id="called-it"),
        pytest.param(422, b'{"code": "c", "detail": "d"}', "422 c: d", id="refused"),
        pytest.param(200, b"<html>", "200 without JSON", id="html"),
    ],
)
def test_a_dry_run_without_a_request_is_one_line_and_exit_1(
    cli: Cli, gateway: Scripted, status: int, body: bytes, line: str
) -> None:
    gateway.status, gateway.body = status, body
    done = cli("call", "x", "--dry-run", "--gateway", gateway.url)
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert line in done.stderr


@pytest.mark.parametrize(
    ("status", "body", "line"),
    [
        pytest.param(
            404,
            b'{"code": "unknown_tool", "detail": "there is no tool \'x\'"}',
            "404 unknown_tool: there is no tool 'x'",
            id="problem",
        ),
        pytest.param(502, b'{"title": "Bad\\ngateway"}', "502 Bad\\ngateway", id="no-detail"),
        pytest.param(403, b"[]", "403 refused", id="not-a-problem"),
        pytest.param(200, b"{}", "200 refused", id="another-service"),
        pytest.param(200, b"<html>", "the gateway answered 200 without JSON", id="html"),
        pytest.param(500, b"", "the gateway answered 500 without JSON", id="empty"),
        pytest.param(200, b"[" * 100_000, "answered 200 without JSON", id="deep"),
    ],
)
def test_a_refusal_is_one_line_and_exit_1(
    cli: Cli, gateway: Scripted, status: int, body: bytes, line: str
) -> None:
    gateway.status, gateway.body = status, body
    done = cli("call", "x", "--gateway", gateway.url)
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert line in done.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        pytest.param(("--args", "{"), "--args is not JSON", id="not-json"),
        pytest.param(("--args", "[]"), "--args must be a JSON object", id="not-an-object"),
        pytest.param(("--context", "a b"), "--context: an id is", id="bad-context"),
        pytest.param(("--gateway", "127.0.0.1:1"), "--gateway must be", id="no-scheme"),
        pytest.param(("--gateway", "http://[::1"), "--gateway must be", id="broken-url"),
        pytest.param(("--gateway", "http://h:x"), "--gateway must be", id="broken-port"),
        pytest.param(("--gateway", f"http://{'h' * 70}"), "--gateway must be", id="long-host"),
        pytest.param(("--gateway", "http://h/é"), "--gateway must be", id="not-ascii"),
        pytest.param(("--gateway", "http://h/?a=b"), "--gateway must not have a query", id="query"),
    ],
)
def test_a_bad_flag_is_one_line_and_exit_2(cli: Cli, arguments: tuple[str, ...], line: str) -> None:
    done = cli("call", "x", *arguments)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert line in done.stderr


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://user:hunter2@127.0.0.1:1", id="plain"),
        pytest.param("http://hunter2@127.0.0.1:1/base", id="user-only"),
        pytest.param("http://user:hunter2@127.0.0.1:x", id="broken-port"),
        pytest.param("http://user:1/hunter2@127.0.0.1:1", id="slash-in-password"),
        pytest.param("http://user:hunter2@[::1", id="broken-host"),
        pytest.param("user:hunter2@127.0.0.1:1", id="no-scheme"),
        pytest.param("http://127.0.0.1:1/?key=hunter2", id="in-a-query"),
        pytest.param("http://127.0.0.1:1/#hunter2", id="in-a-fragment"),
    ],
)
def test_a_password_in_the_gateway_s_url_is_refused_unseen(cli: Cli, url: str) -> None:
    done = cli("call", "x", "--gateway", url)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith("ocp-gateway: --gateway must ")
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.stderr


def test_nobody_there_is_one_line_and_exit_1(cli: Cli, gateway: Scripted) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as closed:
        url = f"http://127.0.0.1:{closed.server_port}"
    done = cli("call", "x", "--gateway", url)
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr == f"ocp-gateway: {url}: Connection refused\n"
