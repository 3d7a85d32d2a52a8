"""Strict JSON in, one line of JSON out."""

import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.json_weight import weigh_json
from gateway.mcp.errors import RpcError
from gateway.mcp.json_text import MAX_DEPTH, MAX_PARTS, encode_json, parse_json

REFUSED = {
    "nothing": b"",
    "words": b"hello",
    "half an object": b'{"a":',
    "trailing comma": b"[1,]",
    "two values": b"1 2",
    "NaN": b"[NaN]",
    "Infinity": b"[-Infinity]",
    "float beyond double": b"[1e400]",
    "integer beyond any double": b"[" + b"9" * 5000 + b"]",
    "byte order mark": b"\xef\xbb\xbf{}",
    "latin-1": b'"\xe9"',
    "utf-16": '{"a":1}'.encode("utf-16"),
    "overlong encoding": b'"\xc0\xaf"',
    "raw surrogate": b'"\xed\xa0\x80"',
    "escaped lone surrogate": b'"\\ud800"',
    "raw control character": b'"\x00"',
    "too deep": b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    "far too deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 200 + b"1" + b"}" * 200,
    "deep after a text that ends in backslashes": b'["\\\\\\\\",' + b"[" * 100 + b"]" * 101,
    "deep across many texts": b"[" * 50 + b'"]]]",' * 30_000 + b"[" * 60 + b"]" * 110,
    "very many arrays": b"[" + b"[]," * MAX_PARTS + b"1]",
    "very many objects": b"[" + b"{}," * MAX_PARTS + b"1]",
    "very many members": b"{" + b'"":1,' * MAX_PARTS + b'"a":1}',
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_is_not_strict_json_is_a_parse_error(data: bytes) -> None:
    with pytest.raises(RpcError) as caught:
        parse_json(data)
    assert caught.value.number == -32700


def test_nesting_up_to_the_bound_is_read() -> None:
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) != []


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert parse_json(b"[" + b",".join([b"{}"] * 500) + b"]") == [{}] * 500


def test_as_many_parts_as_there_may_be_are_read() -> None:
    assert len(parse_json(b"[" + b",".join([b"[]"] * (MAX_PARTS - 1)) + b"]")) == MAX_PARTS - 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["[" * 300_000, ":" * 300_000, '\\"[' * 100_000, "\\\\" * 1_000 + '"' + "[{:" * 100_000],
    ids=["brackets", "colons", "escaped quotes", "escaped backslashes"],
)
def test_what_stands_in_texts_is_no_part(text: str) -> None:
    data = json.dumps([text, {}]).encode()
    assert parse_json(data) == [text, {}]
    assert weigh_json(data, MAX_PARTS) == (2, 2)


LEAVES: st.SearchStrategy[object] = (
    st.none() | st.integers() | st.text(alphabet='[]{}:,"\\a', max_size=8)
)
STRUCTURES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('":[\\', max_size=3), inner)
    ),
    max_leaves=40,
)


def counted(value: object) -> int:
    if isinstance(value, dict):
        return 1 + len(value) + sum(map(counted, value.values()))
    return 1 + sum(map(counted, value)) if isinstance(value, list) else 0


def nested(value: object) -> int:
    if not isinstance(value, dict | list):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(nested, inner), default=0)


@given(STRUCTURES, st.integers(0, 3), st.booleans())
def test_weighing_counts_what_reading_makes(value: object, indent: int, ascii_only: bool) -> None:
    data = json.dumps(value, indent=indent or None, ensure_ascii=ascii_only).encode()
    assert weigh_json(data, MAX_PARTS) == (counted(value), nested(value))


@given(st.binary(max_size=200) | st.text('[]{}:,"\\', max_size=200).map(str.encode))
def test_any_bytes_can_be_weighed(data: bytes) -> None:
    parts, depth = weigh_json(data, MAX_PARTS)
    assert 0 <= depth <= parts <= len(data)


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**64) - 1, 10**100 + 7])
def test_integers_keep_every_digit_both_ways(number: int) -> None:
    value = parse_json(b'{"n":%d}' % number)
    assert value == {"n": number}
    assert encode_json(value) == b'{"n":%d}' % number


def test_the_last_of_duplicate_keys_wins_in_both_readers() -> None:
    assert parse_json(b'{"a":1,"a":2}') == {"a": 2}
    assert parse_json(b'{"a":1,"a":18446744073709551616}') == {"a": 2**64}


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\u2029", "\n", "\r", "\x1c", "\v", "\f"])
def test_output_is_one_line_to_every_line_splitter(mark: str) -> None:
    data = encode_json({"text": f"a{mark}b"})
    assert len(data.decode().splitlines()) == 1
    assert json.loads(data) == {"text": f"a{mark}b"}


def test_text_that_utf8_cannot_carry_does_not_stop_the_rest() -> None:
    assert encode_json({"text": "a\udcffb"}) == b'{"text":"a?b"}'


def test_any_mapping_is_an_object_in_both_writers() -> None:
    assert encode_json(MappingProxyType({"n": 1})) == b'{"n":1}'
    assert encode_json(MappingProxyType({"n": 2**64})) == b'{"n":18446744073709551616}'


def test_what_is_no_json_is_not_written() -> None:
    with pytest.raises(TypeError):
        encode_json({"n": object()})


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON_VALUES.filter(lambda value: "e+" not in repr(value)))
def test_what_is_written_reads_back_the_same(value: object) -> None:
    assert parse_json(encode_json(value)) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_parse_error(data: bytes) -> None:
    try:
        parse_json(data)
    except RpcError as error:
        assert error.number == -32700  # noqa: PT017  either outcome is fine, a third is not
