"""Values in pieces: the same to everyone who asks, parsed only where somebody does."""

import json
from collections.abc import Callable, Mapping
from io import BytesIO

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.sources import pieces
from gateway.sources.pieces import Cutter, Pieces, assemble

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"))
)
KEYS = st.sampled_from(["paths", "components", "$ref", "x"]) | st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20
)
DOCUMENTS = st.dictionaries(KEYS, VALUES)

SHOP = {
    "openapi": "3.1.0",
    "info": {"title": "shop"},
    "paths": {"/a": {"get": {"tags": ["a", "b"]}}, "/b": {}},
    "components": {"schemas": {"A": {"type": "object"}, "B": True}, "x-y": None},
    "tags": [{"name": "a"}],
}


def again(document: Mapping[str, object]) -> Pieces:
    cutter = Cutter()
    layout = cutter.cut_document(document)
    return assemble(json.loads(json.dumps(layout)), BytesIO(b"".join(cutter.pieces)))


@given(document=DOCUMENTS)
@settings(max_examples=60)
def test_what_was_cut_is_equal_and_in_order_again(document: dict[str, object]) -> None:
    assert json.dumps(again(document)) == json.dumps(document)
    assert again(document) == document


@given(members=DOCUMENTS)
@settings(max_examples=30)
def test_other_documents_are_one_piece_each(members: dict[str, object]) -> None:
    cutter = Cutter()
    layout = cutter.cut_members(members)
    assert len(cutter.pieces) == len(members)
    assert assemble(layout, BytesIO(b"".join(cutter.pieces))) == members


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(dict, id="a copy"),
        pytest.param(lambda it: {**it}, id="unpacked"),
        pytest.param(lambda it: it | {}, id="united"),
        pytest.param(lambda it: {} | it, id="united from the right"),
        pytest.param(lambda it: it.copy(), id="its own copy"),
        pytest.param(lambda it: dict(it.items()), id="items"),
        pytest.param(lambda it: dict(zip(it.keys(), it.values(), strict=True)), id="values"),
        pytest.param(lambda it: {key: it[key] for key in it}, id="by key"),
        pytest.param(lambda it: {key: it.get(key) for key in it}, id="by get"),
    ],
)
def test_every_way_to_ask_gives_values(ask: Callable[[Pieces], object]) -> None:
    paths = again(SHOP)["paths"]
    assert isinstance(paths, Pieces)
    assert ask(paths) == SHOP["paths"]
    assert paths != {"/a": {}}
    assert (paths.get("/c"), paths.get("/c", 1), "/a" in paths, len(paths)) == (None, 1, True, 2)


def test_a_member_is_parsed_once_when_somebody_asks() -> None:
    paths = again(SHOP)["paths"]
    assert isinstance(paths, Pieces)
    assert paths["/a"] is paths["/a"]
    assert {type(entry) for entry in dict.values(paths)} == {dict, bytes}


def test_what_reads_past_the_methods_fails_instead_of_finding_less() -> None:
    with pytest.raises(TypeError):
        orjson.dumps(again(SHOP))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(float("nan"), id="no number"),
        pytest.param({"x": float("inf")}, id="infinity"),
        pytest.param({"x": {1: "a"}}, id="key that is no text"),
        pytest.param(2**64, id="integer too large"),
        pytest.param("\ud800", id="half a surrogate pair"),
        pytest.param(b"x", id="bytes"),
        pytest.param(("a",), id="another type for a list"),
    ],
)
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON"):
        Cutter().cut_document({"x": [value]})


def test_what_aliases_unfold_to_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "MAX_TEXT", 100)
    with pytest.raises(ValueError, match="too large"):
        Cutter().cut_document({"x": ["a" * 50], "y": ["b" * 50]})
