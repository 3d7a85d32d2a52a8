"""JMESPath over results."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.calls import NotSelected, Selected, check_select, select_json

ITEMS = {"items": [{"name": "a", "n": 2, "x": None}, {"name": "é", "n": 1}], "next": 2**70}


def select(expression: str, value: object = ITEMS) -> Selected | NotSelected:
    return select_json(expression, json.dumps(value).encode(), "application/json")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("items[].name", ["a", "é"]),
        ("items[?n > `1`].{title: name}", [{"title": "a"}]),
        ("sort_by(items, &n)[0].name", "é"),
        ("next", 2**70),
        ("nothing.here", None),
        ("length(items)", 2),
        ("not_null(a, b, items[1].n)", 1),
        ("to_number('nan')", None),
    ],
)
def test_the_value_is_what_the_expression_says(expression: str, value: object) -> None:
    assert check_select(expression) is None
    made = select(expression)
    assert isinstance(made, Selected)
    assert json.loads(made.data) == value


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "ends too early"),
        ("items[", "ends too early"),
        ("items[]..name", "at character 9"),
        ("'a", "at character 1"),
        ("items[].[nope(@)]", "nope(), which JMESPath does not have"),
        ("items[].length(name, n)", "gives length() 2 arguments, not 1"),
        ("items[?contains(name)]", "gives contains() 1 arguments, not 2"),
        ("merge()", "gives merge() 0 arguments, not at least 1"),
        ("&name", "where a value is meant"),
        ("items | [&name]", "where a value is meant"),
        ("!" * 4_000 + "a", "nested too deeply"),
        ("a" * 4_097, "longer than 4,096"),
    ],
)
def test_a_bad_expression_is_known_before_any_result(expression: str, words: str) -> None:
    fault = check_select(expression)
    assert fault is not None
    assert words in fault
    assert "\n" not in fault


@pytest.mark.parametrize(
    ("expression", "value", "reason"),
    [
        ("length(items)", {}, "length() cannot take null"),
        ("sort(@)", [1, "s3cret"], "sort() cannot take string"),
        ("ceil(to_number(@))", "inf", "cannot be computed"),
        ("avg(map(&to_number(@), @))", ["1" * 400], "cannot be computed"),
        ("[to_number('nan'), @]", 2**70, "cannot be computed or written"),
    ],
)
def test_an_expression_that_fails_on_a_result_says_why(
    expression: str, value: object, reason: str
) -> None:
    assert check_select(expression) is None
    made = select(expression, value)
    assert isinstance(made, NotSelected)
    assert reason in made.reason
    assert "s3cret" not in made.reason


@pytest.mark.parametrize("body", [b"", b"{broken", b"[" * 300 + b"]" * 300])
def test_what_is_no_json_cannot_be_selected_from(body: bytes) -> None:
    made = select_json("a", body, None)
    assert made == NotSelected(reason="the answer is no usable JSON")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=12,
)
PARTS = [
    "a",
    "b[]",
    "@",
    "[0]",
    "[::2]",
    "*",
    "[?a == b]",
    "{x: a, y: @}",
    "[a, b]",
    "sum(@)",
    "keys(@)",
    "abs(c)",
    "to_number(a)",
    "join(',', @)",
    "max_by(@, &a)",
    "map(&a, @)",
    "to_string(@)",
    "reverse(@)",
    "ceil(@)",
    "merge(a, b)",
    "not_null(a, @)",
    "`1e999`",
]


@settings(max_examples=300)
@given(value=JSON, parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=4))
def test_any_expression_on_any_json_gives_json_or_a_reason(value: object, parts: list[str]) -> None:
    made = select(" | ".join(parts), value)
    if isinstance(made, Selected):
        json.loads(made.data, parse_constant=pytest.fail)


@pytest.mark.filterwarnings("ignore:deprecated string literal:PendingDeprecationWarning")
@given(expression=st.text(max_size=40) | st.text("ab[]{}().*?&@!|`'\"\\,:=01", max_size=20))
def test_any_text_is_an_expression_or_faulty(expression: str) -> None:
    if check_select(expression) is None:
        select(expression)
