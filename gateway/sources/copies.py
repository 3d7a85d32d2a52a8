"""The last good copy of a description, kept on disk for a start without its source."""

import os
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from gateway.sources.loading import MAX_BYTES
from gateway.sources.source import Snapshot, take_snapshot

_DIGEST_LENGTH = 64


class LastGood:
    """One description's copy: its digest on the first line, then its bytes as they came.

    What was sent to fetch them is not in it. The file is readable by its owner only.
    """

    def __init__(self, directory: Path, *, api: str, location: str) -> None:
        """`api` tells apart two APIs that fetch one location with credentials of their own."""
        self._directory = directory
        key = sha256(f"{api}\0{location}".encode(errors="surrogateescape")).hexdigest()
        self._path = directory / f"{key}.description"

    def find(self) -> Snapshot | None:
        """The copy; None where there is none that can be trusted to be whole and ours."""
        try:
            _check_private(self._directory)
            with self._path.open("rb") as file:
                digest = file.readline(_DIGEST_LENGTH + 1).rstrip(b"\n").decode("ascii")
                found = take_snapshot(file.read(MAX_BYTES + 1))
        except (OSError, UnicodeDecodeError):
            return None
        return found if found.digest == digest else None

    def keep(self, snapshot: Snapshot) -> None:
        """Replaces the copy, whole or not at all. Raises OSError."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_private(self._directory)
        kept = self.find()
        if kept is not None and kept.digest == snapshot.digest:
            return
        # mkstemp makes it with mode 0600.
        descriptor, name = tempfile.mkstemp(dir=self._directory, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(snapshot.digest.encode() + b"\n")
                file.write(snapshot.data)
            Path(name).replace(self._path)
        except OSError:
            with suppress(OSError):
                Path(name).unlink()
            raise


def _check_private(directory: Path) -> None:
    """Whoever may write there could hand us a description. Raises OSError."""
    found = directory.stat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(f"{directory} may be written by others")
