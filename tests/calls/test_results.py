"""An upstream's answer as a result."""

import json
from base64 import b64decode
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.calls import (
    EXCERPT_BYTES,
    Audio,
    Ending,
    Image,
    Larger,
    Resource,
    Rest,
    Text,
    ToolResult,
    failed,
    read_result,
    undecodable,
)
from gateway.catalog import Tool
from gateway.messages import ResponseHead
from tests.support.tools import tool_of

TOOL = tool_of(path="/things")
JSON_TYPE = "application/json"


def result(
    body: bytes,
    media_type: str | None = None,
    *headers: tuple[str, str],
    status: int = 200,
    larger: Larger | None = None,
    tool: Tool = TOOL,
) -> ToolResult:
    typed = () if media_type is None else (("Content-Type", media_type),)
    head = ResponseHead(status=status, headers=(*typed, *headers))
    return read_result(tool, head, body, larger=larger)


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
    "media_type",
    [
        "application/json",
        "application/problem+json; charset=utf-8",
        "model/x+json",
        "text/json",
        "application/json, application/json",
    ],
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
        pytest.param(b"a", "text/plain; charset=rot13", "a", id="a codec from text to text"),
        pytest.param(b"a-b", "text/plain; charset=punycode", "a-b", id="punycode takes for ever"),
        pytest.param(b"+AGE-", "text/plain; charset=utf-7", "+AGE-", id="UTF-7 is no charset"),
        pytest.param(b"\\x41", "text/plain; charset=unicode_escape", "\\x41", id="escapes"),
        pytest.param("é".encode("utf-16-le"), "text/plain; charset=UTF-16", "é", id="no mark"),
        pytest.param(b"\xef\xbb\xbf\xc3\xa9", "text/csv; charset=latin-1", "é", id="a mark wins"),
        pytest.param("é".encode("utf-32"), "text/plain", "é", id="UTF-32 by its mark"),
        pytest.param(
            b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>',
            "application/xml",
            '<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>',
            id="XML's own declaration",
        ),
        pytest.param(
            b"<html><head><meta charset=windows-1252></head>\x80",
            "text/html",
            "<html><head><meta charset=windows-1252></head>€",
            id="HTML's own declaration",
        ),
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


@pytest.mark.parametrize(
    ("method", "lines"),
    [
        ("post", ["HTTP 201, no content", "Location: /things/7"]),
        ("head", ["HTTP 201, no content", "Content-Length: 12", "Location: /things/7", "X-A: 1"]),
    ],
)
def test_without_a_body_the_head_is_what_there_is_to_say(method: str, lines: list[str]) -> None:
    fields = [("Content-Length", "12"), ("Location", "/things/7"), ("X-A", "1")]
    made = result(
        b"", None, *fields, ("Set-Cookie", "sid=s"), status=201, tool=tool_of(method=method)
    )
    assert text_of(made).splitlines() == lines


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


@pytest.mark.parametrize(
    ("method", "status", "advice"),
    [
        ("post", 502, "It may have been carried out"),
        ("patch", 504, "It may have been carried out"),
        ("post", 503, "Retrying may help."),
        ("put", 502, "Retrying may help."),
    ],
)
def test_what_may_have_happened_is_not_to_be_repeated(
    method: str, status: int, advice: str
) -> None:
    made = result(b"", status=status, tool=tool_of(method=method))
    assert text_of(made).splitlines()[-1].startswith(advice)


def test_retry_after_is_told() -> None:
    made = result(b"", None, ("Retry-After", "120"), status=503)
    assert text_of(made).endswith("Retrying may help (Retry-After: 120).")


def test_an_errors_excerpt_is_bounded() -> None:
    assert len(text_of(result(b"x" * 100_000, "text/plain", status=500))) < 3_000


def test_an_errors_binary_body_is_not_shown() -> None:
    assert "[binary]" in text_of(result(b"\x00\x01", "image/png", status=500))


@pytest.mark.parametrize("media_type", [None, "application/octet-stream", "application/x-what"])
def test_an_errors_text_is_shown_though_nothing_says_that_it_is_text(
    media_type: str | None,
) -> None:
    assert "no such é" in text_of(result("no such é".encode(), media_type, status=404))
    assert "[binary]" in text_of(result(b"\x89\xff\xfd", media_type, status=404))


@pytest.mark.parametrize(
    ("status", "method", "said", "unsaid"),
    [
        (200, "get", "HTTP 200 from GET /things, but why.", "repeat"),
        (201, "post", "The call was carried out: do not repeat it.", "Retrying"),
        (503, "get", "[why]\nRetrying may help.", "but"),
    ],
)
def test_an_answer_that_cannot_be_decoded_is_an_error(
    status: int, method: str, said: str, unsaid: str
) -> None:
    made = undecodable(tool_of(method=method), ResponseHead(status=status), "why")
    assert (made.status, made.is_error, made.structured) == (status, True, None)
    assert said in text_of(made)
    assert unsaid not in text_of(made)


class TestJsonThatIsDeclared:
    """By the description, where the head does not say what the body is."""

    JSON = tool_of(responses={"200": {"description": "", "content": {JSON_TYPE: {}}}})

    @pytest.mark.parametrize(
        "media_type", [None, "application/octet-stream", "text/plain; charset=utf-8"]
    )
    def test_is_read_as_json(self, media_type: str | None) -> None:
        made = result(b'{"a": 1}', media_type, tool=self.JSON)
        assert text_of(made) == '{"a": 1}'
        assert made.structured is not None
        assert made.structured.value == {"a": 1}
        plain = result(b'{"a": 1}', media_type)
        assert plain.structured is None

    @pytest.mark.parametrize(
        ("body", "media_type", "block"),
        [
            pytest.param(b"\x89PNG", None, Resource, id="bytes without a type"),
            pytest.param(b"hello", "text/plain", Text, id="text that is no JSON"),
            pytest.param(b'{"a": 1}', "text/html", Text, id="the head says something else"),
            pytest.param(b'{"a": 1}', "image/png", Image, id="the head says bytes"),
        ],
    )
    def test_that_is_none_is_shown_as_what_it_is(
        self, body: bytes, media_type: str | None, block: type
    ) -> None:
        made = result(body, media_type, tool=self.JSON)
        (content,) = made.content
        assert isinstance(content, block)
        assert made.structured is None


class TestLarger:
    HANDLE = "0123456789abcdef0123456789abcdef"
    KEPT = Larger(
        size=100_001, ending=Ending.WHOLE, handle=HANDLE, url=f"https://gw.test/results/{HANDLE}"
    )

    @pytest.mark.parametrize("media_type", ["text/plain", JSON_TYPE])
    def test_a_text_is_a_marked_excerpt_that_says_how_to_read_on(self, media_type: str) -> None:
        made = result(b"[" + b"1," * 50_000, media_type, larger=self.KEPT)
        first, excerpt, last = text_of(made).split("\n")
        assert first == "[Excerpt: the first 65,536 bytes of 100,001 bytes, not the whole answer.]"
        assert excerpt == ("[" + "1," * 50_000)[:EXCERPT_BYTES]
        assert f"GET https://gw.test/results/{self.HANDLE} " in last
        assert "Range: bytes=65536-100000 " in last
        assert f"the MCP resource gateway://results/{self.HANDLE}?start=65536 reads on" in last
        assert (made.structured, made.is_error) == (None, False)
        assert made.rest == Rest(handle=self.HANDLE, start=65_536, size=100_001, whole=True)

    @pytest.mark.parametrize(
        ("beginning", "media_type", "shown", "start"),
        [
            (b"a\xc3", "text/plain", "a", 1),
            (b"a\xe2\x82", "text/plain", "a", 1),
            ("aé".encode("utf-16-le")[:-1], "text/plain; charset=utf-16le", "a", 2),
            ("aé".encode("utf-16")[:-1], "text/plain", "a", 4),
            ("a漢".encode("shift_jis")[:-1], "text/plain; charset=shift_jis", "a", 1),
            (b"a\xffb", "text/plain", "a\ufffdb", 3),
        ],
        ids=["two bytes", "three bytes", "UTF-16", "with a mark", "Shift_JIS", "not UTF-8 at all"],
    )
    def test_an_excerpt_ends_with_a_whole_character(
        self, beginning: bytes, media_type: str, shown: str, start: int
    ) -> None:
        made = result(beginning, media_type, larger=self.KEPT)
        assert text_of(made).split("\n")[1] == shown
        assert made.rest is not None
        assert made.rest.start == start

    def test_bytes_are_left_out_but_can_be_read(self) -> None:
        made = result(b"\x89PNG", "image/png", larger=self.KEPT)
        text = text_of(made)
        assert text.startswith("[The image/png answer of 100,001 bytes was left out. For an hour")
        assert "Range: bytes=0-65535 " in text
        assert f"the MCP resource gateway://results/{self.HANDLE} reads on" in text
        assert made.rest == Rest(handle=self.HANDLE, start=0, size=100_001, whole=True)

    @pytest.mark.parametrize(
        ("ending", "words"),
        [
            (Ending.TOO_LARGE, "larger than the gateway reads"),
            (Ending.BROKEN_OFF, "the API broke off"),
            (Ending.NO_ROOM, "no room"),
        ],
    )
    @pytest.mark.parametrize("handle", [None, HANDLE], ids=["lost", "kept"])
    def test_what_is_not_there_is_not_promised(
        self, ending: Ending, words: str, handle: str | None
    ) -> None:
        larger = Larger(size=90_000, ending=ending, handle=handle, url=handle and f"/r/{handle}")
        made = result(b"x" * 70_000, "text/plain", larger=larger)
        first, _, last = text_of(made).split("\n")
        assert first.startswith("[Excerpt: the first 65,536 bytes of more than 90,000 bytes")
        assert words in last
        assert ("GET /r/" in last) is (handle is not None)
        assert made.rest == (
            Rest(handle=handle, start=65_536, size=90_000, whole=False) if handle else None
        )

    def test_without_http_only_the_resource_is_named(self) -> None:
        larger = replace(self.KEPT, url=None)
        last = text_of(result(b"x" * 70_000, "text/plain", larger=larger)).split("\n")[2]
        assert last == (
            "[Cut here. For an hour at most, the MCP resource "
            f"gateway://results/{self.HANDLE}?start=65536 reads on.]"
        )

    @pytest.mark.parametrize(
        ("beginning", "is_shown"), [(b' {"a":', True), (b"\x89PNG", False)], ids=["JSON", "bytes"]
    )
    def test_what_only_the_description_calls_json_has_to_look_like_it(
        self, beginning: bytes, is_shown: bool
    ) -> None:
        made = result(beginning, None, larger=self.KEPT, tool=TestJsonThatIsDeclared.JSON)
        assert text_of(made).startswith("[Excerpt") is is_shown


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
    body=st.binary(max_size=60) | st.text(max_size=20).map(lambda text: text.encode("utf-16")),
    status=st.sampled_from([200, 204, 302, 404, 503]),
    media_type=st.sampled_from([JSON_TYPE, "text/x; charset=utf-7", "image/png", "", "x\udcff"])
    | st.sampled_from([f"text/x; charset={name}" for name in ("utf-16", "hz", "big5", "cp037")])
    | st.text(st.characters(max_codepoint=255), max_size=20),
    larger=st.none() | st.builds(Larger, size=st.integers(61), ending=st.sampled_from(Ending)),
    tool=st.sampled_from([TOOL, TestJsonThatIsDeclared.JSON]),
)
def test_any_answer_makes_a_result(
    body: bytes, status: int, media_type: str, larger: Larger | None, tool: Tool
) -> None:
    made = result(body, media_type, status=status, larger=larger, tool=tool)
    assert made.content
    if made.structured is not None:
        json.dumps(made.structured.value, allow_nan=False)
