"""Requests as curl commands: a shell must read from them exactly what was meant."""

import base64
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cli.curl import curl_command, notes, read_dry
from gateway.cli.failures import CommandFailed

# Stands in for curl: its arguments, one a line in base64, then its standard input if it asked.
CURL = """curl() {
  for word in "$@"; do printf %s "$word" | base64 | tr -d '\n'; echo; done
  for word in "$@"; do [ "$word" = @- ] && base64 | tr -d '\n'; done; true
}
"""


def answer(**changes: object) -> dict[str, object]:
    request: dict[str, object] = {
        "method": "GET",
        "url": "https://a.example/x?y=%20",
        "headers": {"Accept": "application/json"},
        "hidden": [],
        "body": None,
    }
    return request | changes


def body(data: bytes) -> dict[str, object]:
    try:
        content = {"text": data.decode()}
    except UnicodeDecodeError:
        content = {"base64": base64.b64encode(data).decode()}
    return {"bytes": len(data), "complete": True, **content}


def words(**changes: object) -> list[bytes]:
    """What curl would get, with what is piped into it at the end."""
    command = curl_command(read_dry(answer(**changes)))
    done = subprocess.run(
        ["bash", "-c", CURL + command], capture_output=True, check=True, timeout=30
    )
    assert done.stderr == b""
    return [base64.b64decode(line) for line in done.stdout.splitlines()]


def test_the_plain_case_is_easy_to_read() -> None:
    command = curl_command(
        read_dry(
            answer(
                method="POST",
                headers={"Content-Type": "application/json", "X-Env": "***", "X-None": ""},
                body=body(b'{"name": "it\'s"}'),
            )
        )
    )
    assert command == (
        "curl \\\n"
        "  --request POST \\\n"
        "  'https://a.example/x?y=%20' \\\n"
        "  --header 'Content-Type: application/json' \\\n"
        "  --header 'X-Env: ***' \\\n"
        "  --header 'X-None;' \\\n"
        """  --data-raw '{"name": "it'"'"'s"}'"""
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, [b"https://a.example/x?y=%20"], id="GET"),
        pytest.param({"method": "HEAD"}, [b"--head", b"https://a.example/x?y=%20"], id="HEAD"),
        pytest.param(
            {"method": "DELETE"},
            [b"--request", b"DELETE", b"https://a.example/x?y=%20"],
            id="DELETE",
        ),
        pytest.param(
            {"url": "https://a/x?f[a]=1"}, [b"--globoff", b"https://a/x?f[a]=1"], id="brackets"
        ),
    ],
)
def test_method_and_url(changes: dict[str, object], expected: list[bytes]) -> None:
    assert words(**changes) == [*expected, b"--header", b"Accept: application/json"]


def test_a_body_without_a_type_claims_none() -> None:
    got = words(method="POST", headers={}, body=body(b"@file"))
    assert got[3:] == [b"--header", b"Content-Type:", b"--data-raw", b"@file"]


@pytest.mark.parametrize("data", [b"\x00\xff", b"--x\r\nA: b\r\n", "\u202e".encode(), b"\x1b[2J"])
def test_what_a_terminal_would_obey_is_piped_in(data: bytes) -> None:
    command = curl_command(read_dry(answer(method="PUT", body=body(data))))
    assert command.isascii()
    assert command.replace("\n", "").isprintable()
    *got, piped = words(method="PUT", body=body(data))
    assert (got[-2:], piped) == ([b"--data-binary", b"@-"], data)


def test_a_hostile_gateway_writes_no_command() -> None:
    evil = "x'; touch /tmp/owned; echo '$(id)`id`\x1b(0\ud800"
    command = curl_command(read_dry(answer(method=evil, url=evil, headers={evil: evil})))
    assert command.replace("\n", "").isprintable()
    raw = evil.encode(errors="surrogatepass")
    assert words(method=evil, url=evil, headers={evil: evil}) == [
        b"--request",
        raw,
        raw,
        b"--header",
        raw + b": " + raw,
    ]


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(exclude_characters="\0"), min_size=1), st.binary(min_size=1))
def test_any_value_and_any_body_arrive_as_they_are(value: str, data: bytes) -> None:
    got = words(method="POST", headers={"Content-Type": value}, body=body(data))
    assert f"Content-Type: {value}".encode() in got
    assert got[-1] == data


def test_what_is_missing_is_noted() -> None:
    cut = {"bytes": 70_000, "complete": False, "text": "x"}
    dry = read_dry(answer(method="POST", hidden=["X-Env", "OCP-Session"], body=cut))
    assert list(notes(dry)) == [
        "*** stands for values that are not shown: X-Env, OCP-Session",
        "the body has 70000 bytes, of which the command has the first only",
    ]
    assert list(notes(read_dry(answer()))) == []


@pytest.mark.parametrize(
    "value", [None, [], {}, {"isError": False}, answer(url=5), answer(headers=[]), answer(method=0)]
)
def test_another_answer_is_a_failure(value: object) -> None:
    with pytest.raises(CommandFailed, match="no request"):
        read_dry(value)
