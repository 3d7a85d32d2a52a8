"""Strict JSON in, one line of JSON out."""

import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mcp.errors import RpcError
from gateway.mcp.json_text import MAX_DEPTH, encode_json, parse_json

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
