"""Encoded lists of tools on disk, so that the first caller after a start waits for no encoding."""

import os
from hashlib import sha256
from pathlib import Path

from gateway.sources.private_files import check_private, file_key, make_private, replace_file

# GitHub's 1,223 tools take 1.9 MB as MCP has them and 8.9 MB as OCP does.
MAX_BYTES = 33_554_432
MAX_FILES = 16


class ListFiles:
    """One file for each list: a line with the SHA-256 of the rest, then the bytes.

    There are few: who comes last pushes out what has not been asked for the longest.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find(self, name: str) -> bytes | None:
        """The list of that name, None where there is none that is whole and ours."""
        path = self._path(name)
        try:
            check_private(self._directory)
            with path.open("rb") as file:
                digest = file.readline(65)
                data = file.read()
            os.utime(path)
        except OSError:
            return None
        return data if _line(data) == digest else None

    def keep(self, name: str, data: bytes) -> None:
        """Keeps a list, unless it is large. Raises OSError."""
        if len(data) > MAX_BYTES:
            return
        make_private(self._directory)
        replace_file(self._path(name), (_line(data), data))
        found = sorted(self._directory.glob("*.list"), key=lambda path: -path.stat().st_mtime_ns)
        for path in found[MAX_FILES:]:
            path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._directory / f"{file_key(name)}.list"


def _line(data: bytes) -> bytes:
    return sha256(data).hexdigest().encode() + b"\n"
