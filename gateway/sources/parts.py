"""The other documents that a description refers to, found and read.

Files inside the description's own directory tree; for a URL, the same origin below its own
directory; nothing else. What is not read costs the operations that need it, and says why.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.errors import DescriptionError
from gateway.openapi import resolve_address
from gateway.sources.loading import MAX_BYTES, parse

MAX_PARTS = 10_000

# Their values are data: a `$ref` in there is nobody's reference (OpenAPI 3.1 section 4.8.20 allows
# one in place of an Example Object, which no tool is made of).
_DATA = frozenset({"example", "examples", "default", "enum", "const"})
# Where keys are names of the author's choosing.
_NAMES = frozenset({"properties", "patternProperties", "$defs", "definitions", "schemas"})


class PartRefused(Exception):
    """A document that is not read; `str()` goes on from "the reference 'x' ..."."""


@dataclass(slots=True, kw_only=True)
class Parts:
    """`found` are documents by path, relative to the root's directory; `refused` says why not.

    `files` are the texts as they were read, for digests and copies.
    """

    found: dict[str, object] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def collect_parts(
    root: object, read: Callable[[str], bytes], *, name: str = "", home: str = ""
) -> Parts:
    """Everything that `root` refers to, and that those refer to in turn.

    `read` gets a path and raises PartRefused; `name` and `home` as for Document.
    """
    parts = Parts()
    todo = list(_addresses(root, "", home))
    size = 0
    while todo:
        path = todo.pop()
        if path == name or path in parts.found or path in parts.refused:
            continue
        if len(parts.found) >= MAX_PARTS or size > MAX_BYTES:
            parts.refused[path] = "is one document too many"
            continue
        try:
            data = read(path)
            parts.found[path] = parse(data)
        except PartRefused as error:
            parts.refused[path] = str(error)
        except DescriptionError as error:
            parts.refused[path] = f"leads to a document that is broken: {error}"
        else:
            size += len(data)
            parts.files[path] = data
            todo.extend(_addresses(parts.found[path], path, home))
    return parts


def file_reader(root: Path) -> Callable[[str], bytes]:
    """Reads files of `root`'s directory tree; a link that leads out of it is refused."""
    directory = root.parent.resolve()

    def read(path: str) -> bytes:
        try:
            target = (directory / path).resolve()
            if not target.is_relative_to(directory):
                raise PartRefused("leads out of the description's directory")
            if target.exists() and not (target.is_file() or target.is_dir()):
                raise PartRefused("leads to what is no file")
            with target.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or "cannot be read"
            raise PartRefused(f"leads to a file that cannot be read: {reason}") from error
        if len(data) > MAX_BYTES:
            raise PartRefused("leads to a file that is too large")
        return data

    return read


def copy_reader(files: Mapping[str, bytes]) -> Callable[[str], bytes]:
    """Reads what was read before."""

    def read(path: str) -> bytes:
        if path not in files:
            raise PartRefused("leads to a document that was not read")
        return files[path]

    return read


def _addresses(document: object, base: str, home: str) -> Iterator[str]:
    """The paths of the other documents that the references in one document name."""
    todo: list[tuple[object, bool]] = [(document, False)]
    while todo:
        value, named = todo.pop()
        if isinstance(value, list):
            todo.extend((member, False) for member in value)
        if not isinstance(value, dict):
            continue
        ref = value.get("$ref")
        if isinstance(ref, str) and not ref.startswith("#"):
            address = ref.partition("#")[0]
            path = resolve_address(address, base, home=home) if address else None
            if path is not None:
                yield path
        for key, member in value.items():
            skipped = not named and (key in _DATA or str(key).startswith("x-"))
            if isinstance(member, dict | list) and not skipped:
                todo.append((member, key in _NAMES and not named))
