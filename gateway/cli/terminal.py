"""What a terminal is shown, and a pipe is not."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


def one_line(text: str) -> str:
    """`text` on one line, what a terminal would obey (controls, escapes) written out."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


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
