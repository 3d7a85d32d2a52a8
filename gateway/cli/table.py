"""The catalog as a table: cut to a terminal's width, whole on a pipe."""

import shutil
import sys
from collections.abc import Sequence

import click

HEAD = ("NAME", "METHOD PATH", "ARGS", "TOKENS", "DESCRIPTION")
_GAP = "  "
# Shares of the width that the name, the path and the arguments may take where room is short; the
# description has the rest.
_SHARES = (0.30, 0.28, 0.16)


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """One line for each row under a head, on stdout."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    click.echo("\n".join(format_table(rows, width)))


def format_table(rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """The lines; with `width`, none is longer."""
    table = [HEAD, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEAD))]
    if width is not None and sum(widths) + len(_GAP) * (len(HEAD) - 1) > width:
        widths = _fit(widths, width)
    return [_line(row, widths, width) for row in table]


def _fit(widths: list[int], width: int) -> list[int]:
    caps = [max(int(width * share), 8) for share in _SHARES]
    fitted = [min(own, cap) for own, cap in zip(widths, caps, strict=False)]
    fitted.append(widths[3])
    rest = width - sum(fitted) - len(_GAP) * (len(HEAD) - 1)
    return [*fitted, max(min(rest, widths[4]), 0)]


def _line(row: Sequence[str], widths: Sequence[int], width: int | None) -> str:
    cells = [_cut(cell, size).ljust(size) for cell, size in zip(row, widths, strict=True)]
    cells[3] = row[3].rjust(widths[3])
    line = _GAP.join(cells).rstrip()
    return line if width is None else line[:width]


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[: max(size - 1, 0)] + "…"
