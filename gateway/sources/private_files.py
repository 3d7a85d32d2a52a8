"""Files of our own in a directory that nobody else may write: whole or not there."""

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path


def file_key(*names: str) -> str:
    """A file name, without suffix, for what is known by these names, which may hold secrets."""
    return sha256("\0".join(names).encode(errors="surrogateescape")).hexdigest()


def check_private(directory: Path) -> None:
    """Whoever may write there could hand us a description. Raises OSError."""
    found = directory.stat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(f"{directory} may be written by others")


def make_private(directory: Path) -> None:
    """Makes sure that there is such a directory. Raises OSError."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_private(directory)


def replace_file(path: Path, chunks: Iterable[bytes]) -> None:
    """Writes all of a file or nothing. Its owner alone may read it. Raises OSError."""
    # mkstemp makes it with mode 0600.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(chunks)
        Path(name).replace(path)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise
