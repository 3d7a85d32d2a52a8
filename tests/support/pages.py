"""Documentation pages as data: tables under a `<!-- checked: NAME -->` mark, fenced blocks."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

Row = tuple[str, ...]


def checked_rows(page: str, name: str) -> list[Row]:
    """The body rows of every table so marked, cells without their backticks."""
    text = (DOCS / page).read_text()
    parts = text.split(f"<!-- checked: {name} -->\n")[1:]
    assert parts, f"{page} has no table marked {name}"
    rows = [row for part in parts for row in _first_table(part)[2:]]
    assert rows, f"a table marked {name} in {page} has no rows"
    return rows


def fenced(page: Path, language: str) -> list[str]:
    """The contents of the page's code blocks in `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def names_in(cell: str) -> list[str]:
    """The code spans of a cell that lists several."""
    return re.findall(r"`([^`]+)`", cell) or ([cell] if cell else [])


def _first_table(text: str) -> list[Row]:
    found = re.search(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    assert found is not None
    return [_cells(line) for line in found[0].splitlines()]


def _cells(line: str) -> Row:
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    return tuple(
        cell[1:-1] if re.fullmatch(r"`[^`]*`", cell) else cell.replace(r"\|", "|") for cell in cells
    )
