"""The table fits its terminal."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.table import format_table

ROW = (
    "getRepository",
    "GET /repos/{owner}/{repo}",
    "owner repo +3",
    "1234",
    "Reads one repository",
)

cells = st.text(st.characters(categories=["L", "N", "P"]), max_size=60)
rows = st.lists(st.tuples(cells, cells, cells, st.integers(0, 10**6).map(str), cells), max_size=5)


def test_without_a_width_nothing_is_cut() -> None:
    _, line = format_table([ROW], None)
    assert [cell.strip() for cell in line.split("  ") if cell.strip()] == list(ROW)


def test_a_narrow_terminal_cuts_and_says_so() -> None:
    head, line = format_table([ROW], 60)
    assert max(len(head), len(line)) <= 60
    assert line.startswith("getReposito")
    assert "…" in line
    assert "1234" in line


def test_a_wide_terminal_cuts_nothing() -> None:
    assert format_table([ROW], 200) == format_table([ROW], None)


@given(rows, st.integers(1, 200))
def test_no_line_is_longer_than_the_terminal(
    table: list[tuple[str, str, str, str, str]], width: int
) -> None:
    lines = format_table(table, width)
    assert len(lines) == len(table) + 1
    assert max(map(len, lines)) <= width
