"""docs/serialisation.md shows the tables that tests/calls/test_conformance.py holds the code to.

`python -m tests.docs.test_serialisation` writes them anew.
"""

import json
import re

import pytest

from tests.support.conformance import (
    COLLECTION_FORMATS,
    NOTHING,
    REFUSED,
    TABLES,
    Table,
)
from tests.support.pages import DOCS

PAGE = DOCS / "serialisation.md"


def cell(text: str) -> str:
    if text in (NOTHING, REFUSED):
        return text
    return f"`{text}`".replace("|", r"\|").replace("\t", "\\t")


def style_table(table: Table) -> str:
    heads = ["in", "style", "explode", *(f"`{json.dumps(value)}`" for value in table.values)]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for (place, style, explode), sent in table.rows.items():
        cells = [
            f"{cell(text)}{' *' if (style, explode, index) in table.open else ''}"
            for index, text in enumerate(sent)
        ]
        lines.append(f"| {' | '.join([place, style, json.dumps(explode), *cells])} |")
    return "\n".join(lines)


def collection_table() -> str:
    places = list(COLLECTION_FORMATS)
    lines = [f"| `collectionFormat` | {' | '.join(places)} |", f"|{'---|' * (len(places) + 1)}"]
    for given in ("", "csv", "ssv", "tsv", "pipes", "multi"):
        # A format that is none in this place is as if not given.
        cells = [cell(COLLECTION_FORMATS[place].get(given, "")).strip("`") for place in places]
        shown = [f"`{text}`" if text else "as csv" for text in cells]
        lines.append(f"| {f'`{given}`' if given else 'none'} | {' | '.join(shown)} |")
    return "\n".join(lines)


WRITTEN = {name: style_table(table) for name, table in TABLES.items()}
WRITTEN["collections"] = collection_table()


def between(page: str, name: str) -> re.Match[str]:
    found = re.search(rf"(<!-- {name}: [^\n]*-->\n)(.*?)(<!-- /{name} -->)", page, re.DOTALL)
    assert found is not None
    return found


@pytest.mark.parametrize("name", WRITTEN)
def test_the_page_shows_what_the_tests_assert(name: str) -> None:
    assert between(PAGE.read_text(), name).group(2).strip() == WRITTEN[name]


def write() -> None:
    page = PAGE.read_text()
    for name, table in WRITTEN.items():
        found = between(page, name)
        page = f"{page[: found.end(1)]}\n{table}\n\n{page[found.start(3) :]}"
    PAGE.write_text(page)


if __name__ == "__main__":
    write()
