"""The search for as much history as fits."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.context.trimming import longest_history

LIMIT = 8_192


def search(
    sizes: list[int], ratio: float, *, head: int = 100, grow: float = 1.0
) -> tuple[int | None, int]:
    """How many entries were chosen, and how many looks it took; text is `ratio` of the JSON."""
    looks = 0

    def write(count: int) -> str:
        nonlocal looks
        looks += 1
        newest = sizes[len(sizes) - count :]
        return "x" * int((head + sum(newest) + count) ** grow * ratio)

    text = longest_history([b"x" * size for size in sizes], write, head=head, limit=LIMIT)
    if text is None:
        return None, looks
    lengths = [int(total**grow * ratio) for total in accumulate(
        (size + 1 for size in reversed(sizes)), initial=head
    )]  # fmt: skip
    return max(n for n, length in enumerate(lengths) if length == len(text)), looks


@pytest.mark.parametrize("ratio", [1.4, 0.5, 0.25, 0.18, 0.1])
@pytest.mark.parametrize("entries", [150, 290, 700])
def test_small_entries_take_three_looks_and_fill_the_limit(ratio: float, entries: int) -> None:
    chosen, looks = search([220] * entries, ratio)
    assert chosen is not None
    assert looks <= 3
    used = (100 + 221 * chosen) * ratio
    assert used <= LIMIT
    assert chosen == entries or used > 0.95 * LIMIT


def test_everything_is_taken_where_everything_fits() -> None:
    assert search([100] * 50, 0.2) == (50, 1)


def test_nothing_may_fit() -> None:
    chosen, _ = search([100] * 50, 1.0, head=9_000)
    assert chosen is None


def test_the_newest_may_be_too_large_by_itself() -> None:
    assert search([10, 10, 9_000], 1.0)[0] == 0


def test_a_sudden_end_is_found_in_steps_that_halve() -> None:
    counts: list[int] = []

    def write(count: int) -> str:
        counts.append(count)
        return "x" * (7_000 if count < 634 else 60_000)

    text = longest_history([b"x" * 220] * 700, write, head=100, limit=LIMIT)
    assert text == "x" * 7_000
    assert {633, 634} <= set(counts)
    assert len(counts) <= 4 + 10


@given(
    st.lists(st.integers(60, 30_000), max_size=60),
    st.floats(0.05, 1.4),
    st.floats(0.8, 1.0),
)
def test_one_more_is_too_much_or_the_limit_is_nearly_reached(
    sizes: list[int], ratio: float, grow: float
) -> None:
    chosen, looks = search(sizes, ratio, grow=grow)
    assert chosen is not None
    totals = list(accumulate((size + 1 for size in reversed(sizes)), initial=100))
    lengths = [int(total**grow * ratio) for total in totals]
    assert lengths[chosen] <= LIMIT
    assert chosen == len(sizes) or lengths[chosen + 1] > LIMIT or lengths[chosen] >= 0.95 * LIMIT
    assert looks <= 4 + 8
