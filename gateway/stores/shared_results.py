"""Large results of the worker processes of one gateway, each readable by all of them."""

import json
import os
import tempfile
from contextlib import suppress
from hashlib import sha256
from io import FileIO
from pathlib import Path

from gateway.interfaces import KeptResult
from gateway.policy import Principal


class SharedResults:
    """A private directory: a file for each result, and a card that says where it is and whose.

    Its methods block and raise OSError. Times are those of the machine's monotonic clock, which is
    the same for all processes.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def new_file(self) -> tuple[FileIO, Path]:
        """An empty file; its name begins with this process's id and is never used twice."""
        number, name = tempfile.mkstemp(prefix=f"{os.getpid()}-", dir=self._directory)
        return FileIO(number, "r+b"), Path(name)

    def publish(
        self, principal: Principal, handle: str, kept: KeptResult, file: Path, expires: float
    ) -> None:
        card = {
            "file": file.name,
            "media_type": kept.media_type,
            "size": kept.size,
            "whole": kept.whole,
            "expires": expires,
        }
        # A card is there whole or not at all.
        made = file.with_name(f"{file.name}.card")
        made.write_text(json.dumps(card))
        made.rename(self._card(principal, handle))

    def withdraw(self, principal: Principal, handle: str) -> None:
        with suppress(OSError):
            self._card(principal, handle).unlink()

    def find(self, principal: Principal, handle: str, now: float) -> tuple[KeptResult, Path] | None:
        """What any process has published; None for nothing, or no more."""
        try:
            card = json.loads(self._card(principal, handle).read_text())
        except FileNotFoundError:
            return None
        if card["expires"] <= now:
            return None
        kept = KeptResult(media_type=card["media_type"], size=card["size"], whole=card["whole"])
        return kept, self._directory / card["file"]

    def forget(self, process: int) -> None:
        """Removes what a process has left that did not end in order; its cards lead nowhere."""
        for file in self._directory.glob(f"{process}-*"):
            with suppress(OSError):
                file.unlink()

    def _card(self, principal: Principal, handle: str) -> Path:
        name = sha256(f"{principal.name}\0{handle}".encode()).hexdigest()
        return self._directory / f"{name}.result"


def read_part(file: Path, start: int, length: int) -> bytes | None:
    """A part of another process's file; None where it is gone. Raises OSError."""
    try:
        with file.open("rb", buffering=0) as opened:
            opened.seek(start)
            return opened.read(length)
    except FileNotFoundError:
        return None
