"""Requests as they are shown: nothing secret, bodies bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls import preview_request
from gateway.calls.preview import MAX_SHOWN, BodyPreview
from gateway.messages import Headers, Request, RequestHead


def body_of(data: bytes) -> BodyPreview:
    head = RequestHead(method="POST", target="/x")
    body = preview_request(Request(head=head, body=data), origin="http://a", shown=()).body
    assert body is not None
    return body


def test_only_named_headers_are_shown() -> None:
    headers: Headers = (
        ("Accept", "text/plain"),
        ("X-Key", "s3cret"),
        ("X-KEY", "s3cret"),
        ("OCP-Session", "gzip:abcd"),
    )
    head = RequestHead(method="GET", target="/v1/x?y=1", headers=headers)
    preview = preview_request(Request(head=head), origin="https://a:8", shown={"accept"})
    assert (preview.method, preview.url, preview.body) == ("GET", "https://a:8/v1/x?y=1", None)
    assert preview.headers == (
        ("Accept", "text/plain"),
        ("X-Key", "***"),
        ("X-KEY", "***"),
        ("OCP-Session", "*** (9 bytes)"),
    )
    assert preview.hidden == ("X-Key", "X-KEY", "OCP-Session")


@pytest.mark.parametrize(
    ("data", "size", "text"),
    [
        pytest.param(b"", 0, "", id="empty"),
        pytest.param("é\r\n".encode(), 3 + 1, "é\r\n", id="text"),
        pytest.param(b"\xff\x00", 2, None, id="binary"),
        pytest.param(b"x" * MAX_SHOWN, MAX_SHOWN, "x" * MAX_SHOWN, id="just not too long"),
    ],
)
def test_a_body_is_shown_whole(data: bytes, size: int, text: str | None) -> None:
    assert body_of(data) == BodyPreview(size=size, data=data, text=text)
    assert body_of(data).is_whole


@pytest.mark.parametrize("character", ["é", "語", "😀"])
@pytest.mark.parametrize("shift", range(4))
def test_a_long_text_is_not_cut_inside_a_character(character: str, shift: int) -> None:
    data = b"x" * shift + character.encode() * MAX_SHOWN
    body = body_of(data)
    assert body.text is not None
    assert body.text == data.decode()[: len(body.text)]
    assert MAX_SHOWN - 4 <= len(body.data) <= MAX_SHOWN
    assert (body.size, body.is_whole) == (len(data), False)


@given(st.binary(max_size=12))
def test_any_long_body_is_shown_within_the_bound(end: bytes) -> None:
    data = b"x" * (MAX_SHOWN - 6) + end
    body = body_of(data)
    assert data.startswith(body.data)
    assert len(body.data) <= MAX_SHOWN
    assert body.text is None or body.text.encode() == body.data
