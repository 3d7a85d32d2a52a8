import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.openapi.canonical import canonical, text_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("aé\n"),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text("abc"), part, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param({"b": [1, None], "a": "é"}, '{"a":"é","b":[1,null]}', id="sorted and dense"),
        pytest.param([2**64 - 1, -(2**63)], f"[{2**64 - 1},{-(2**63)}]", id="64 bits"),
        pytest.param({"a": [2**64], "b": -(2**70)}, f'{{"a":[{2**64}],"b":{-(2**70)}}}', id="more"),
        pytest.param([2**64, 1.5, True], f"[{2**64},1.5,true]", id="floats beside large ones"),
    ],
)
def test_canonical_json(value: object, text: str) -> None:
    assert canonical(value) == text.encode()


@given(JSON)
def test_the_same_value_is_the_same_text_in_any_order(value: object) -> None:
    assert canonical(_reversed(value)) == canonical(value)


def _reversed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(part) for part in value] if isinstance(value, list) else value


def test_what_cannot_be_written_is_empty() -> None:
    deep: object = 1
    for _ in range(1_000):
        deep = [deep]
    assert text_of(deep) == b""
    assert text_of([2**64, deep]) == b""
    assert text_of({"a": 1}) == orjson.dumps({"a": 1})
