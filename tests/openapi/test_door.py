"""Other rooms come in by the door: what `gateway.openapi` gives, and its checks."""

import ast
from collections.abc import Iterator
from pathlib import Path

GATEWAY = Path(__file__).parents[2] / "gateway"
# A package of its own, which only checking loads.
OPEN = {"gateway.openapi", "gateway.openapi.checking"}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_nobody_else_imports_a_module_of_this_room() -> None:
    others = [p for p in GATEWAY.rglob("*.py") if not p.is_relative_to(GATEWAY / "openapi")]
    used = {
        name for path in others for name in imported(path) if name.startswith("gateway.openapi")
    }
    assert used == OPEN
