"""A description as a client reads it."""

import json
from io import BytesIO

import pytest

from gateway.catalog import description_text
from gateway.openapi import Document
from gateway.sources.pieces import Cutter, assemble

ROOT: dict[str, object] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "paths": {"/items": {"get": {"responses": {"200": {"description": "ok"}}}}, "/empty": {}},
    "components": {"schemas": {"Item": {"type": "object"}}, "x": [1, 2.5, None, True]},
    "x-none": None,
}


def read(root: dict[str, object]) -> object:
    data, is_whole = description_text(Document(root))
    assert is_whole
    return json.loads(data)


def test_it_is_the_description_in_its_own_order() -> None:
    assert read(ROOT) == ROOT
    assert list(read(ROOT)) == list(ROOT)  # type: ignore[call-overload]


@pytest.mark.parametrize("root", [{}, {"paths": []}, {"paths": {"/a": None}}, {"components": {}}])
def test_odd_values_stay_what_they_are(root: dict[str, object]) -> None:
    assert read(root) == root


def test_large_integers_keep_their_digits() -> None:
    assert read({"info": {"x": 2**70, "y": [-(2**64)]}}) == {"info": {"x": 2**70, "y": [-(2**64)]}}


def test_what_nobody_sees_is_taken_out() -> None:
    hidden = "a\u200b\U000e0041b"
    assert read({"info": {hidden: hidden}, f"x{hidden}": 1}) == {"info": {"ab": "ab"}, "xab": 1}


def test_what_is_nested_beyond_writing_becomes_null() -> None:
    deep: object = 1
    for _ in range(300):
        deep = [deep]
    assert read({"x": deep, "y": 1}) == {"x": None, "y": 1}


def test_a_large_one_is_cut_and_the_rest_is_not_even_looked_at() -> None:
    cutter = Cutter()
    layout = cutter.cut_document(
        {"paths": {f"/p{n}": {"get": {"summary": "x" * 50}} for n in range(100)}}
    )
    pieces = assemble(layout, BytesIO(b"".join(cutter.pieces)))
    data, is_whole = description_text(Document(pieces), limit=1_000)

    assert (len(data), is_whole) == (1_000, False)
    assert data.startswith(b'{"paths":{"/p0":{"get":{"summary":"xxx')
    paths = dict.__getitem__(pieces, "paths")
    assert isinstance(paths, dict)
    raw = [isinstance(dict.__getitem__(paths, key), bytes) for key in paths]
    assert raw[-1]
    assert not raw[0]


def test_what_just_fits_is_whole() -> None:
    size = len(json.dumps(ROOT, separators=(",", ":")))
    assert description_text(Document(ROOT), limit=size)[1]
    assert not description_text(Document(ROOT), limit=size - 1)[1]
