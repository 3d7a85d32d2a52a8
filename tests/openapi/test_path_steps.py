"""Paths: the library's own answers, in a bounded number of steps."""

import jsonpath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.openapi.jsonpath import PathError, Paths
from gateway.openapi.path_steps import Steps, TooManySteps

LEAVES = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=12,
)
ROOTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)
EXPRESSIONS = [
    "$",
    "$.a",
    "$['a', 'b'].*",
    "$..a",
    "$..*",
    "$..[0, -1]",
    "$..['a', 1]..*",
    "$..[?@.a]",
    "$..[?@.a == $.a]",
    "$.*[?@ == 'a' || @ < 2]",
    "$..[?count(@.*) > 1]",
    "$..[?length(@) == 2 && !@.b]",
    "$..[?match(@, 'a|b')]",
    "$..[?@..[?@ == $.b]]",
]
MANY = 100_000


@pytest.mark.parametrize("expression", EXPRESSIONS)
@settings(max_examples=40)
@given(root=ROOTS)
def test_what_is_found_is_what_the_library_finds(expression: str, root: dict[str, object]) -> None:
    plain = jsonpath.JSONPathEnvironment(strict=True).finditer(expression, root)
    expected = list(dict.fromkeys(match.parts for match in plain))
    assert Paths(MANY).find(root, expression, at_most=MANY) == expected


@pytest.mark.parametrize("expression", ["$.a[0:1]", "$..[::2]", "$.a[0]", "$.a.*"])
def test_a_text_has_no_members(expression: str) -> None:
    assert Paths(MANY).find({"a": "text"}, expression, at_most=MANY) == []


def nested(depth: int) -> object:
    return {"x": nested(depth - 1), "y": nested(depth - 1)} if depth else {}


WIDE = {"a": [list(range(300))] * 99, "b": list(range(300))}
WORK = {
    "queries in filters": ({"a": [[0]] * 150}, "$..[?count($..*) > 0]"),
    "descents one after the other": (nested(6), "$..*..*..*..zzz"),
    "values that are compared": (WIDE, "$.a[?@ == $.b]"),
    "texts that are compared": ({"a": ["x" * 9_999] * 99}, "$.a[?@ == $.a[0]]"),
    "texts that are matched": ({"a": ["x" * 9_999] * 99}, "$.a[?match(@, 'x*y')]"),
    "patterns": ({"a": [f"x{i}" for i in range(20)]}, "$.a[?match(@, @)]"),
    "a long filter": ({"a": [1] * 99}, f"$.a[?{' || '.join(['1 == 2'] * 199)}]"),
}


@pytest.mark.parametrize("root, expression", WORK.values(), ids=WORK)  # noqa: PT006
def test_work_that_multiplies_is_refused(root: object, expression: str) -> None:
    with pytest.raises(PathError, match="take more than 10,000 steps"):
        Paths(10_000).find(root, expression, at_most=MANY)
    Paths(400_000).find(root, expression, at_most=MANY)


def test_all_expressions_share_the_steps() -> None:
    paths = Paths(1_000)
    root = {"a": [1] * 300}
    assert len(paths.find(root, "$.a[*]", at_most=MANY)) == 300
    assert len(paths.find(root, "$.a[*]", at_most=MANY)) == 300
    paths.find(root, "$.a[*]", at_most=MANY)
    with pytest.raises(PathError, match="the expressions so far"):
        paths.find(root, "$.a[*]", at_most=MANY)


def test_patterns_beyond_those_that_are_kept_are_read_again() -> None:
    root = {"a": [f"x{i}" for i in range(100)] * 2}
    assert len(Paths(1_000_000).find(root, "$.a[?match(@, @)]", at_most=MANY)) == 200


def test_steps_are_used_up() -> None:
    steps = Steps(2)
    steps.spend(2)
    with pytest.raises(TooManySteps):
        steps.spend(1)
