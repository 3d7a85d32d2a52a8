from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadRequest
from gateway.server.chunks import MAX_EXTENSIONS, MAX_SIZE_LINE, MAX_TRAILERS, ChunkReader


def read(*data: bytes) -> tuple[bytes, bytes | None]:
    """The body, and what is behind it; None where it has not ended."""
    reader = ChunkReader()
    body = b"".join(piece for part in data for piece in reader.feed(part))
    return body, reader.rest if reader.is_done else None


def encoded(chunks: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=8),
    st.binary(max_size=10),
    st.lists(st.integers(0, 500), max_size=12),
)
def test_where_the_bytes_are_cut_makes_no_difference(
    chunks: list[bytes], behind: bytes, cuts: list[int]
) -> None:
    raw = encoded(chunks)
    places = sorted({min(cut, len(raw)) for cut in cuts})
    parts = [raw[a:b] for a, b in zip([0, *places], [*places, len(raw)], strict=True)]
    parts[-1] += behind

    assert read(*parts) == (b"".join(chunks), behind)


@given(st.binary(max_size=60))
def test_any_bytes_are_chunks_or_refused(data: bytes) -> None:
    with suppress(BadRequest):
        body, rest = read(data)
        assert len(body) + len(rest or b"") <= len(data)


@pytest.mark.parametrize(
    "data",
    [
        b"5;" + b"a" * MAX_SIZE_LINE + b"\r\n",
        b"5;" + b"a" * (MAX_SIZE_LINE + 1),
        (b"1;" + b"a" * 1_000 + b"\r\nx\r\n") * (MAX_EXTENSIONS // 1_000 + 1),
        b"0\r\n" + b"X: y\r\n" * (MAX_TRAILERS // 4 + 1),
        b"0\r\nX: " + b"y" * MAX_TRAILERS,
        b"1\r\nx\rY",
        b"1\r\nx\n",
        b"5\nhello",
    ],
    ids=[
        "long-line",
        "long-unended-line",
        "extensions",
        "trailers",
        "trailer",
        "cr",
        "lf",
        "no-crlf",
    ],
)
def test_s48_what_only_costs_time_is_bounded(data: bytes) -> None:
    with pytest.raises(BadRequest):
        read(data)


def test_s48_many_small_chunks_make_one_piece_for_each_read() -> None:
    assert read(b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n") == (b"x" * 10_000, b"")
