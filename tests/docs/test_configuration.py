"""docs/configuration.md says what the schema says.

`python tests/docs/test_configuration.py` writes the tables anew.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gateway.config import SCHEMA

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def leaves(
    schema: Mapping[str, object], prefix: str = ""
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Every key with its schema, in the order of the vocabulary."""
    properties = schema.get("properties")
    assert isinstance(properties, Mapping)
    for name, inner in properties.items():
        items, members = inner.get("items", {}), inner.get("additionalProperties")
        if "default" in inner and "properties" in items:
            yield f"{prefix}{name}", inner
            yield from leaves(items, f"{prefix}{name}[].")
        elif "default" in inner and isinstance(members, Mapping) and "properties" in members:
            yield f"{prefix}{name}", inner
            yield from leaves(members, f"{prefix}{name}.NAME.")
        elif "items" in inner and "default" not in inner:
            yield from leaves(inner["items"], f"{prefix}{name}[].")
        elif "properties" in inner:
            yield from leaves(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", inner


def code(value: object) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def supported_table() -> str:
    lines = ["| key | default | meaning |", "|---|---|---|"]
    for key, schema in leaves(SCHEMA):
        if "x-later" in schema:
            continue
        default = code(schema["default"]) if "default" in schema else "-"
        choices = schema.get("enum")
        one_of = f" One of {', '.join(map(code, choices))}." if isinstance(choices, list) else ""
        lines.append(f"| `{key}` | {default} | {schema['description']}{one_of} |")
    return "\n".join(lines)


def later_table() -> str:
    lines = ["| key | default | what is missing |", "|---|---|---|"]
    lines += [
        f"| `{key}` | {code(schema['default'])} | {schema['x-later']} |"
        for key, schema in leaves(SCHEMA)
        if "x-later" in schema
    ]
    return "\n".join(lines)


TABLES = {"keys": supported_table, "later": later_table}


def between(page: str, name: str) -> re.Match[str]:
    found = re.search(rf"(<!-- {name}: [^\n]*-->\n)(.*?)(<!-- /{name} -->)", page, re.DOTALL)
    assert found is not None
    return found


@pytest.mark.parametrize("name", TABLES)
def test_the_table_is_the_schema_s(name: str) -> None:
    assert between(PAGE.read_text(), name).group(2).strip() == TABLES[name]()


def write() -> None:
    page = PAGE.read_text()
    for name, table in TABLES.items():
        found = between(page, name)
        page = f"{page[: found.end(1)]}\n{table()}\n\n{page[found.start(3) :]}"
    PAGE.write_text(page)


if __name__ == "__main__":
    write()
