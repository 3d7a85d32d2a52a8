"""Other rooms come in by the door: what a room of many modules gives."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

GATEWAY = Path(__file__).parents[2] / "gateway"
ROOMS = {
    # Its checks are a package of their own, which only checking loads.
    "openapi": {"gateway.openapi", "gateway.openapi.checking"},
    "context": {"gateway.context"},
}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("room", ROOMS)
def test_nobody_else_imports_a_module_of_this_room(room: str) -> None:
    others = [p for p in GATEWAY.rglob("*.py") if not p.is_relative_to(GATEWAY / room)]
    used = {
        name
        for path in others
        for name in imported(path)
        if name == f"gateway.{room}" or name.startswith(f"gateway.{room}.")
    }
    assert used == ROOMS[room]
