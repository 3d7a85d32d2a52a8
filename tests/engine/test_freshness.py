"""How long what is published stays as it is."""

import pytest

from gateway.engine.freshness import milliseconds_left
from gateway.engine.values import Freshness

NOW = 100.0
WATCHED, SOON, LATER, PAST = (Freshness(due=due) for due in (None, 101.5, 160.0, 99.0))


@pytest.mark.parametrize(
    ("freshness", "api", "expected"),
    [
        pytest.param({}, None, 0, id="nobody keeps anything current"),
        pytest.param({"a": LATER}, None, 60_000, id="one"),
        pytest.param({"a": LATER, "b": SOON}, None, 1_500, id="the first of several"),
        pytest.param({"a": LATER, "b": WATCHED}, None, 0, id="one that is watched"),
        pytest.param({"a": LATER, "b": PAST}, None, 0, id="one that is being read"),
        pytest.param({"a": LATER, "b": SOON}, "a", 60_000, id="only the view's own counts"),
        pytest.param({"a": LATER, "b": WATCHED}, "b", 0, id="a view of what is watched"),
        pytest.param({"a": LATER}, "b", 0, id="one of which nothing is known"),
    ],
)
def test_until_the_next_source_is_read(
    freshness: dict[str, Freshness], api: str | None, expected: int
) -> None:
    assert milliseconds_left(freshness, api, NOW) == expected
