"""Lists in pages."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mcp.pages import ListPage, UnknownCursor, find_page


def page(cursor: object = None, *, of: str = "tools d1", count: int = 5, size: int = 2) -> ListPage:
    return find_page(cursor, of=of, count=count, size=size)


@given(count=st.integers(0, 60), size=st.integers(0, 20))
def test_pages_hold_every_item_once_and_in_order(count: int, size: int) -> None:
    items: list[int] = []
    found = page(count=count, size=size)
    while True:
        items += range(count)[found.start : found.end]
        if found.next_cursor is None:
            break
        found = page(found.next_cursor, count=count, size=size)
    assert items == list(range(count))


@pytest.mark.parametrize("cursor", [None, ""])
def test_the_first_page_needs_no_cursor(cursor: object) -> None:
    assert (page(cursor).start, page(cursor).end) == (0, 2)
    assert page(cursor, size=0) == ListPage(start=0, end=5, next_cursor=None)


SECOND = page().next_cursor
assert SECOND is not None


def test_a_cursor_is_always_the_same() -> None:
    assert page().next_cursor == SECOND
    assert page(SECOND).start == 2


def at(position: int) -> str:
    """The cursor of a position in the very list, given out or not."""
    found = page(count=position + 1, size=position).next_cursor
    assert found is not None
    return found


@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param(7, id="a number"),
        pytest.param("x", id="short"),
        pytest.param(f"{SECOND}=", id="padded"),
        pytest.param(f"{SECOND}-TAMPERED", id="longer"),
        pytest.param(f"{SECOND[:-1]}~", id="outside of the alphabet"),
        pytest.param(f"\n{SECOND[:-1]}", id="a character that decoding skips"),
        pytest.param("é" * 16, id="not ASCII"),
        pytest.param(urlsafe_b64encode(bytes(12)).decode(), id="another list's"),
        pytest.param(at(1), id="within a page"),
        pytest.param(at(6), id="behind the end"),
    ],
)
def test_what_was_not_given_out_is_no_cursor(cursor: object) -> None:
    with pytest.raises(UnknownCursor):
        page(cursor)


@pytest.mark.parametrize(
    ("of", "count", "size"),
    [("tools d2", 5, 2), ("prompts d1", 5, 2), ("tools d1", 2, 2), ("tools d1", 5, 0)],
)
def test_a_cursor_ends_with_its_list(of: str, count: int, size: int) -> None:
    with pytest.raises(UnknownCursor):
        page(SECOND, of=of, count=count, size=size)


@given(st.text(max_size=20))
def test_any_text_is_a_cursor_or_none(text: str) -> None:
    try:
        assert page(text).start in (0, 2, 4)
    except UnknownCursor:
        assert text
