"""An upstream's answer as a result."""

import gzip
import json
import zlib
from base64 import b64decode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.calls import Audio, Image, Resource, Text, ToolResult, failed, read_result
from gateway.messages import ResponseHead
from tests.support.tools import tool_of

TOOL = tool_of(path="/things")
JSON_TYPE = "application/json"
LIMIT = 1_000_000


def result(
    body: bytes,
    media_type: str | None = None,
    *headers: tuple[str, str],
    status: int = 200,
    complete: bool = True,
    limit: int = LIMIT,
) -> ToolResult:
    typed = () if media_type is None else (("Content-Type", media_type),)
    head = ResponseHead(status=status, headers=(*typed, *headers))
    return read_result(TOOL, head, body, complete=complete, limit=limit)


def text_of(made: ToolResult) -> str:
    (content,) = made.content
    assert isinstance(content, Text)
    return content.text


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param(b'{"a": [1, null]}', {"a": [1, None]}, id="object"),
        pytest.param(b"[]", [], id="list"),
        pytest.param(b"null", None, id="null"),
        pytest.param(b'{"n": 18446744073709551617}', {"n": 2**64 + 1}, id="integer past 64 bits"),
        pytest.param(b'\xef\xbb\xbf"x"', "x", id="byte order mark"),
    ],
)
@pytest.mark.parametrize(
    "media_type", ["application/json", "application/problem+json; charset=utf-8", "model/x+json"]
)
def test_json_is_text_and_a_value(body: bytes, value: object, media_type: str) -> None:
    made = result(body, media_type)
    assert text_of(made) == body.decode("utf-8-sig")
    assert made.structured is not None
    assert made.structured.value == value
    assert (made.status, made.is_error) == (200, False)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{oops", id="broken"),
        pytest.param(b'{"n": NaN}', id="NaN"),
        pytest.param(b'{"n": 1e400, "m": 11111111111111111111}', id="beyond a double"),
        pytest.param(b'{"n": "\\ud800", "m": 11111111111111111111}', id="lone surrogate"),
        pytest.param(b"[" * 100_000, id="brackets without end"),
        pytest.param(b"[" * 300 + b"]" * 300, id="too deep to be written again"),
        pytest.param(b"9" * 5_000, id="more digits than Python converts"),
    ],
)
def test_what_is_no_usable_json_is_text_alone(body: bytes) -> None:
    made = result(body, JSON_TYPE)
    assert text_of(made) == body.decode()
    assert made.structured is None


@pytest.mark.parametrize(
    ("body", "media_type", "text"),
    [
        pytest.param(b"a,b\n1,2\n", "text/csv", "a,b\n1,2\n", id="csv"),
        pytest.param(b"<a/>", "application/atom+xml", "<a/>", id="xml"),
        pytest.param("é".encode(), "text/plain", "é", id="UTF-8 unless said otherwise"),
        pytest.param(b"\xe9", "text/plain; charset=ISO-8859-1", "é", id="declared charset"),
        pytest.param("é".encode("utf-16"), 'text/plain;charset="utf-16"', "é", id="quoted charset"),
        pytest.param("é".encode(), "text/plain; charset=none-such", "é", id="unknown charset"),
        pytest.param(b"YQ==", "text/plain; charset=base64", "YQ==", id="a codec, no charset"),
        pytest.param(b"a\xffb", "text/plain", "a\ufffdb", id="what does not decode is marked"),
    ],
)
def test_text(body: bytes, media_type: str, text: str) -> None:
    made = result(body, media_type)
    assert text_of(made) == text
    assert made.structured is None


@pytest.mark.parametrize(
    ("media_type", "kind", "shown_as"),
    [
        ("image/png", Image, "image/png"),
        ("IMAGE/JPEG; q=1", Image, "image/jpeg"),
        ("image/svg+xml", Image, "image/svg+xml"),
        ("audio/mpeg", Audio, "audio/mpeg"),
        ("audio/x-wav", Audio, "audio/wav"),
        ("application/pdf", Resource, "application/pdf"),
        (None, Resource, "application/octet-stream"),
    ],
)
def test_bytes_arrive_exact(media_type: str | None, kind: type, shown_as: str) -> None:
    body = bytes(range(256))
    (content,) = result(body, media_type).content
    assert isinstance(content, kind)
    assert isinstance(content, Image | Audio | Resource)
    data = content.blob if isinstance(content, Resource) else content.data
    assert data is not None
    assert b64decode(data, validate=True) == body
    assert content.media_type == shown_as


@pytest.mark.parametrize("status", [200, 204])
def test_no_content_is_said(status: int) -> None:
    assert text_of(result(b"", status=status)) == f"HTTP {status}, no content"


def test_the_answer_to_head_has_a_coding_but_nothing_to_decode() -> None:
    made = result(b"", JSON_TYPE, ("Content-Encoding", "gzip"))
    assert (text_of(made), made.is_error) == ("HTTP 200, no content", False)


@pytest.mark.parametrize("body", [b"", b"<html>Moved</html>"], ids=["bare", "with a page"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_status_and_location(status: int, body: bytes) -> None:
    made = result(body, "text/html", ("Location", "http://169.254.169.254/"), status=status)
    assert text_of(made) == f"HTTP {status}, Location: http://169.254.169.254/"
    assert (made.status, made.is_error) == (status, False)


HELPS, HELPS_NOT = "Retrying may help", "Retrying the same call will not help."


@pytest.mark.parametrize(
    ("status", "advice"),
    [(code, HELPS) for code in (408, 425, 429, 500, 502, 503, 504)]
    + [(code, HELPS_NOT) for code in (400, 401, 403, 404, 409, 410, 422, 501)],
)
def test_an_error_says_status_excerpt_and_whether_a_retry_helps(status: int, advice: str) -> None:
    made = result(b'{"error": "no such thing"}', JSON_TYPE, status=status)
    first, excerpt, last = text_of(made).splitlines()
    assert (made.status, made.is_error) == (status, True)
    assert first == f"HTTP {status} from GET /things"
    assert excerpt == '{"error": "no such thing"}'
    assert last.startswith(advice)


def test_retry_after_is_told() -> None:
    made = result(b"", None, ("Retry-After", "120"), status=503)
    assert text_of(made).endswith("Retrying may help (Retry-After: 120).")


def test_an_errors_excerpt_is_bounded() -> None:
    assert len(text_of(result(b"x" * 100_000, "text/plain", status=500))) < 3_000


def test_an_errors_binary_body_is_not_shown() -> None:
    assert "[binary]" in text_of(result(b"\x00\x01", "image/png", status=500))


@pytest.mark.parametrize("complete", [True, False], ids=["whole", "cut at the limit"])
def test_an_errors_body_is_decompressed(complete: bool) -> None:
    packed = gzip.compress(b"why " * 10_000)
    body = packed if complete else packed[:-20]
    coding = ("Content-Encoding", "gzip")
    assert "why" in text_of(result(body, "text/plain", coding, status=500, complete=complete))


def raw_deflate(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-15)
    return machine.compress(data) + machine.flush()


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(b"hello")),
        ("x-gzip", gzip.compress(b"hello")),
        ("GZIP", gzip.compress(b"hello")),
        ("gzip", gzip.compress(b"hel") + gzip.compress(b"lo")),
        ("gzip", gzip.compress(b"hello") + b"\0\0\0"),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", raw_deflate(b"hello")),
        ("identity", b"hello"),
        ("", b"hello"),
    ],
    ids=[
        "gzip",
        "x-gzip",
        "upper case",
        "two members",
        "padding",
        "zlib",
        "raw",
        "identity",
        "empty",
    ],
)
def test_codings(coding: str, packed: bytes) -> None:
    made = result(packed, "text/plain", ("Content-Encoding", coding), ("Content-Length", "1"))
    assert text_of(made) == "hello"
    # These two would be untrue of what is shown.
    assert {name for name, _ in made.headers} == {"Content-Type"}


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        pytest.param("br", b"x", id="unknown coding"),
        pytest.param("gzip, gzip", b"x", id="twice"),
        pytest.param("gzip", b"not gzip", id="broken from the start"),
        pytest.param("gzip", gzip.compress(b"hello" * 100)[:-9], id="ends early"),
        pytest.param("gzip", gzip.compress(b"a") + gzip.compress(b"b")[:-5], id="second one ends"),
        pytest.param("gzip", gzip.compress(b"hello")[:-8] + b"\0" * 8, id="wrong checksum"),
    ],
)
def test_a_body_that_cannot_be_decoded_is_an_error(coding: str, packed: bytes) -> None:
    made = result(packed, "text/plain", ("Content-Encoding", coding))
    assert (made.status, made.is_error, made.structured) == (200, True, None)
    assert "coding" in text_of(made)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_stops_at_the_limit(coding: str) -> None:
    bomb = {"gzip": gzip.compress, "deflate": raw_deflate}[coding](b"\0" * 50_000_000)
    made = result(bomb, "text/plain", ("Content-Encoding", coding), limit=1_000)
    text = text_of(made)
    assert text.startswith("[Excerpt: the first 1000 characters of more than 1000 bytes.]\n")
    assert len(text) < 1_200


@pytest.mark.parametrize("media_type", ["text/plain", JSON_TYPE])
def test_a_cut_text_is_a_marked_excerpt(media_type: str) -> None:
    made = result(b"[" + b"1," * 50_000, media_type, complete=False)
    text = text_of(made)
    assert text.startswith("[Excerpt: the first 65536 characters of more than 100001 bytes.]\n[1,1")
    assert text.endswith("\n[Cut.]")
    assert (made.structured, made.is_error) == (None, False)


def test_a_cut_picture_is_left_out() -> None:
    made = result(b"\x89PNG", "image/png", complete=False)
    assert text_of(made) == "[The image/png answer is larger than the limit and was left out.]"


def test_headers_are_shown_but_for_cookies_the_connections_and_the_protocols() -> None:
    made = result(
        b"x",
        "text/plain",
        ("ETag", '"1"'),
        ("Set-Cookie", "sid=s3cret"),
        ("Connection", "X-Hop"),
        ("X-Hop", "1"),
        ("OCP-Session", "x"),
        ("OCP_Context_ID", "x"),
    )
    assert made.headers == (("Content-Type", "text/plain"), ("ETag", '"1"'))


def test_a_call_without_an_answer_is_an_error() -> None:
    made = failed("down")
    assert (made.status, made.is_error, text_of(made)) == (None, True, "down")


@settings(max_examples=200)
@given(
    body=st.binary(max_size=60),
    status=st.sampled_from([200, 204, 302, 404, 503]),
    media_type=st.sampled_from([JSON_TYPE, "text/x; charset=utf-7", "image/png", "", "x\udcff"])
    | st.text(st.characters(max_codepoint=255), max_size=20),
    coding=st.sampled_from(["", "gzip", "deflate", "br", ","]),
    complete=st.booleans(),
)
def test_any_answer_makes_a_result(
    body: bytes, status: int, media_type: str, coding: str, complete: bool
) -> None:
    made = result(body, media_type, ("Content-Encoding", coding), status=status, complete=complete)
    assert made.content
    if made.structured is not None:
        json.dumps(made.structured.value, allow_nan=False)
