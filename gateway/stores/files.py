"""What a database file needs of the file system: privacy, identity, one opener at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SIDE_FILES = ("-wal", "-shm")


def beginning(path: Path, size: int) -> bytes | None:
    """The file's first bytes; None where there is no regular file.

    For a database that this process has not opened: closing any descriptor of a file lets go of
    all locks that the process holds on it (POSIX fcntl).
    """
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(size)


def make_private(path: Path) -> None:
    """Makes the file if need be and takes everybody else's rights to it (mode 0600).

    Before SQLite opens it: the files that SQLite puts beside it take over its mode.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def inode(path: Path) -> int | None:
    """Which file stands at the path, None if none does."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def set_aside(path: Path, expected: int | None) -> Path | None:
    """Renames the file with inode `expected` to `NAME.corrupt-N`, its side files alike.

    None where another file stands there: another process was faster. Hold the lock.
    """
    if inode(path) != expected:
        return None
    number = 1
    while (kept := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    for suffix in (*_SIDE_FILES, ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))
    return kept


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Holds the directory against other processes that ask for it in the same way."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
