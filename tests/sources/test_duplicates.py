"""Names that stand twice in a JSON object: found at any depth, by pointer."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.sources import find_duplicate_keys


def found(text: str) -> list[tuple[str, str]]:
    return [(each.pointer, each.message) for each in find_duplicate_keys(text.encode())]


TWICE = "stands 2 times; the last one counts"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"a": {"b": 1}, "c": [{"b": 1}]}', [], id="none"),
        pytest.param('{"a": 1, "a": 2}', [("/a", TWICE)], id="at the root"),
        pytest.param(
            '{"paths": {"/a": {"get": 1, "get": 2}, "/a~": [{"x": 1}, {"x": 1, "x": 1}]}}',
            [("/paths/~1a/get", TWICE), ("/paths/~1a~0/1/x", TWICE)],
            id="inside",
        ),
        pytest.param('{"a": 1, "\\u0061": 2}', [("/a", TWICE)], id="written in two ways"),
        pytest.param(
            '{"a": 1, "a": 2, "a": 3}',
            [("/a", "stands 3 times; the last one counts")],
            id="three times",
        ),
        pytest.param(
            '{"a": {"b": 1, "b": 2}, "a": {"b": 1}}', [("/a", TWICE)], id="in what does not count"
        ),
        pytest.param('\ufeff{"a": 1, "a": 2}', [("/a", TWICE)], id="behind a BOM"),
        pytest.param('{"a": ' + "9" * 5_000 + ', "a": 1}', [("/a", TWICE)], id="a long number"),
        pytest.param("{a: 1, a: 2}", [], id="no JSON"),
        pytest.param("[" * 100_000 + "]" * 100_000, [], id="too deep"),
    ],
)
def test_each_name_that_stands_twice_is_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_nothing_is_found_in_what_a_program_wrote(value: object) -> None:
    assert found(json.dumps(value)) == []
