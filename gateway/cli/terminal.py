"""What a terminal is shown, and a pipe is not."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def one_line(text: str) -> str:
    """`text` on one line, what a terminal would obey (controls, escapes) written out."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def pretty_json(value: object, *, indent: int | None = 2) -> bytes:
    """JSON for people: letters of every script as they are, what nobody would see escaped.

    That is controls and what hides in a line or turns it around. `indent` None is all on one line.
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    # But for line feeds these stand inside strings only, where \\u is theirs to have.
    return "".join(
        character if character.isprintable() or character == "\n" else json.dumps(character)[1:-1]
        for character in text
    ).encode()


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Shows `text` on a terminal while the work lasts, and nothing anywhere else."""
    if not sys.stderr.isatty():
        yield
        return
    sys.stderr.write(f"{text} ...")
    sys.stderr.flush()
    try:
        yield
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
