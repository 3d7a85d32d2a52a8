"""Content codings, undone while the body arrives."""

import gzip
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls import ContentDecoder, Undecodable
from gateway.calls.inflating import PIECE


def raw_deflate(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-15)
    return machine.compress(data) + machine.flush()


def stored(data: bytes) -> bytes:
    """Raw deflate whose first byte could be zlib's, were it not for the second."""
    size = len(data).to_bytes(2, "little")
    return b"\x08" + size + bytes(255 - byte for byte in size) + data + b"\x03\x00"


def decode(coding: str, body: bytes, step: int = 1_000_000) -> bytes:
    decoder = ContentDecoder((("Content-Encoding", coding),))
    pieces = [
        piece
        for start in range(0, len(body), step)
        for piece in decoder.decode(body[start : start + step])
    ]
    decoder.finish()
    assert all(len(piece) <= PIECE for piece in pieces) or not decoder.inflates
    return b"".join(pieces)


@pytest.mark.parametrize("step", [1, 3, 1_000], ids=["byte by byte", "by three", "at once"])
@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        pytest.param("gzip", gzip.compress(b"hello"), id="gzip"),
        pytest.param("x-gzip", gzip.compress(b"hello"), id="x-gzip"),
        pytest.param("GZIP", gzip.compress(b"hello"), id="upper case"),
        pytest.param("gzip", gzip.compress(b"hel") + gzip.compress(b"lo"), id="two members"),
        pytest.param("gzip", gzip.compress(b"hello") + b"\0\0\0", id="padding"),
        pytest.param("gzip", gzip.compress(b"hello") + b"\x1f", id="half a magic number"),
        pytest.param("deflate", zlib.compress(b"hello"), id="zlib"),
        pytest.param("deflate", raw_deflate(b"hello"), id="raw"),
        pytest.param("deflate", stored(b"hello"), id="raw that looks like zlib"),
        pytest.param("identity", b"hello", id="identity"),
        pytest.param("", b"hello", id="empty"),
    ],
)
def test_codings(coding: str, packed: bytes, step: int) -> None:
    assert decode(coding, packed, step) == b"hello"


@pytest.mark.parametrize(
    ("coding", "packed", "words"),
    [
        pytest.param("br", b"x", "'br' is not known", id="unknown coding"),
        pytest.param("zstd", b"x", "'zstd' is not known", id="another"),
        pytest.param("gzip, gzip", b"x", "'gzip, gzip' is not known", id="twice"),
        pytest.param("gzip", b"not gzip", "gzip coding is broken", id="broken from the start"),
        pytest.param("gzip", b"\x1f", "ends early", id="one byte"),
        pytest.param("gzip", gzip.compress(b"hello" * 100)[:-9], "ends early", id="ends early"),
        pytest.param(
            "gzip", gzip.compress(b"a") + gzip.compress(b"b")[:-5], "ends early", id="second ends"
        ),
        pytest.param(
            "gzip", gzip.compress(b"hello")[:-8] + b"\0" * 8, "is broken", id="wrong checksum"
        ),
        pytest.param("gzip", gzip.compress(b"") * 10_001, "too many parts", id="endless members"),
    ],
)
def test_what_cannot_be_undone(coding: str, packed: bytes, words: str) -> None:
    with pytest.raises(Undecodable, match=words):
        decode(coding, packed)


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_body_that_is_none_has_nothing_to_undo(coding: str) -> None:
    assert decode(coding, b"") == b""


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "zlib"])
def test_s50_a_bomb_comes_out_in_pieces(pack: Callable[[bytes], bytes]) -> None:
    decoder = ContentDecoder((("Content-Encoding", "gzip"),))
    pieces = decoder.decode(pack(b"\0" * 50_000_000))
    assert len(next(pieces)) <= PIECE  # and nobody has to ask for another


@given(data=st.binary(max_size=300), step=st.integers(1, 50), garbage=st.binary(max_size=30))
def test_any_stream_is_decoded_or_refused(data: bytes, step: int, garbage: bytes) -> None:
    assert decode("gzip", gzip.compress(data), step) == data
    with suppress(Undecodable):
        decode("deflate", garbage, step)
