"""What declared resources and prompts have in common while they are read."""

import mimetypes
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gateway.config.files import read_file
from gateway.config.tree import Keys, Tree

MAX_OFFERED_BYTES = 4_194_304
"""Of one file; a client gets it in one message."""

# Not what the machine knows besides: the same configuration means the same everywhere.
_KNOWN_TYPES = mimetypes.MimeTypes(filenames=())
_FURTHER_TYPES = {
    ".md": "text/markdown",
    ".webp": "image/webp",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """A tree; every fault that its methods find is added to it.

    `start` gives the directory that relative paths written at a place start from.
    """

    tree: Tree
    start: Callable[[Keys], Path] = field(repr=False)

    def one_of(self, keys: Keys, words: tuple[str, ...]) -> str | None:
        """The one key of these that is there; none or more than one is a fault."""
        value = self.tree.at(*keys)
        given = [word for word in words if isinstance(value, dict) and word in value]
        if len(given) == 1:
            return given[0]
        if isinstance(value, dict):
            self.tree.fault(keys, f"needs exactly one of {', '.join(words)}")
        return None

    def check_new(self, seen: dict[str, Keys], keys: Keys) -> None:
        """A text that another entry of the list has at the same key is a fault."""
        text = self.tree.text(*keys)
        if text is not None and seen.setdefault(text, keys) != keys:
            entry, index, word = seen[text][-3:]
            self.tree.fault(keys, f"{entry}[{index}] has this {word} already")

    def file(self, keys: Keys) -> tuple[bytes | None, str]:
        """The bytes of the file named at `keys`, None for a fault, and its media type."""
        name = self.tree.text(*keys)
        data = self._read(keys, name) if name else None
        return data, _media_type(name or "", data)

    def _read(self, keys: Keys, name: str) -> bytes | None:
        try:
            data = read_file(self.start(keys) / name, MAX_OFFERED_BYTES)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            self.tree.fault(keys, f"cannot be read: {reason or 'it is no path'}")
            return None
        if len(data) > MAX_OFFERED_BYTES:
            self.tree.fault(keys, f"is larger than {MAX_OFFERED_BYTES} bytes")
            return None
        return data


def _media_type(name: str, data: bytes | None) -> str:
    """By the ending of the file's name; else whether it is UTF-8."""
    known = _FURTHER_TYPES.get(Path(name).suffix.lower()) or _KNOWN_TYPES.guess_type(name)[0]
    if known is not None:
        return known
    try:
        (data or b"").decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain"
