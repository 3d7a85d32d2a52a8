"""docs/cli.md holds every command's own help.

`python tests/docs/test_cli.py` writes it anew.
"""

from collections.abc import Iterator
from pathlib import Path

import click

from gateway.cli.app import PROGRAM, cli

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
START, END = "<!-- commands -->\n", "<!-- /commands -->"


def commands(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[str]:
    """A section for each command that does something, in alphabetical order."""
    made = command.make_context(name, [], parent=parent, resilient_parsing=True, terminal_width=78)
    with made as context:
        if isinstance(command, click.Group):
            for child in sorted(command.commands):
                yield from commands(command.commands[child], child, context)
        else:
            path = context.command_path
            yield f"## {path}\n\n```text\n{command.get_help(context)}\n```\n"


def sections() -> str:
    return "\n".join(commands(cli, PROGRAM))


def test_the_page_has_each_command_as_it_is() -> None:
    page = PAGE.read_text()
    assert page[page.index(START) + len(START) : page.index(END)].strip() == sections().strip()


def write() -> None:
    page = PAGE.read_text()
    head, tail = page[: page.index(START) + len(START)], page[page.index(END) :]
    PAGE.write_text(f"{head}\n{sections()}\n{tail}")


if __name__ == "__main__":
    write()
