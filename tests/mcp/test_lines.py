"""Lines out of chunks, whatever the chunks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mcp.lines import LineBuffer


def cut(*chunks: bytes, limit: int = 10) -> list[bytes | None]:
    buffer = LineBuffer(limit)
    lines = [line for chunk in chunks for line in buffer.feed(chunk)]
    return [*lines, buffer.finish()]


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        pytest.param([b"one\ntwo\n"], [b"one", b"two", b""], id="two lines"),
        pytest.param([b"o", b"ne\nt", b"wo"], [b"one", b"two"], id="split, no last end"),
        pytest.param([b"one\r\n\r\n\n \ntwo\n"], [b"one", b"two", b""], id="CRLF, empty lines"),
        pytest.param([b"x" * 10 + b"\n"], [b"x" * 10, b""], id="at the limit"),
        pytest.param([b"x" * 11 + b"\nok\n"], [None, b"ok", b""], id="over it, at once"),
        pytest.param([b"x" * 6, b"x" * 6, b"x\nok\n"], [None, b"ok", b""], id="over it, in parts"),
        pytest.param([b"x" * 20], [None], id="over it, no end"),
        pytest.param([b"\xff\xfe\n"], [b"\xff\xfe", b""], id="any bytes"),
    ],
)
def test_lines_come_out_whole(chunks: list[bytes], lines: list[bytes | None]) -> None:
    assert cut(*chunks) == lines


@given(st.lists(st.binary(max_size=8)))
def test_how_the_bytes_are_chunked_does_not_matter(chunks: list[bytes]) -> None:
    assert cut(*chunks) == cut(b"".join(chunks))


def test_a_line_that_never_ends_is_not_kept_in_memory() -> None:
    buffer = LineBuffer(10)
    for _ in range(1000):
        assert list(buffer.feed(b"x" * 6)) == []
    assert buffer._parts == []
