"""The other documents that a description refers to, found and read.

Files inside the description's own directory tree; for a URL, the same origin below its own
directory; nothing else. What is not read costs the operations that need it, and says why.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.openapi import DATA_MEMBERS, NAME_MEMBERS, resolve_address
from gateway.sources.loading import MAX_BYTES
from gateway.sources.texts import Place, parse_part

MAX_PARTS = 10_000

# A reference, in JSON or YAML, that is not seen to stay inside its document.
_LEADS_OUT = re.compile(rb"""\$ref["']?\s*:\s*(?:["'](?!#)|[^\s"'#])""")


class PartRefused(Exception):
    """A document that is not read; `str()` goes on from "the reference 'x' ..."."""


ReadParts = Callable[[Sequence[str]], Sequence["bytes | PartRefused"]]
"""Reads documents by path, each for itself."""


@dataclass(slots=True, kw_only=True)
class Parts:
    """`found` are documents by path, relative to the root's directory; `refused` says why not.

    `texts` are those documents as they were read.
    """

    found: dict[str, object] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)


def may_have_parts(data: bytes) -> bool:
    """Whether a text may refer to other documents. It costs no parsing to say no.

    A reference whose key or `#` is written with escapes escapes it: it is not followed then.
    """
    return _LEADS_OUT.search(data) is not None


def collect_parts(root: object, read: ReadParts, place: Place) -> Parts:
    """Everything that `root` refers to, and that those refer to in turn, level by level."""
    parts = Parts()
    size = 0
    todo = list(_addresses(root, "", place.home))
    while todo:
        new = [
            path
            for path in dict.fromkeys(todo)
            if path != place.name and path not in parts.found and path not in parts.refused
        ]
        room = MAX_PARTS - len(parts.found) if size <= MAX_BYTES else 0
        parts.refused |= dict.fromkeys(new[room:], "is one document too many")
        todo = []
        for path, data in zip(new[:room], read(new[:room]), strict=True):
            if isinstance(data, PartRefused):
                parts.refused[path] = str(data)
            elif (size := size + len(data)) > MAX_BYTES:
                parts.refused[path] = "is one document too many"
            else:
                parts.texts[path] = data
                value = parse_part(path, data, parts.found, parts.refused)
                todo.extend(_addresses(value, path, place.home))
    return parts


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
            skipped = not named and (key in DATA_MEMBERS or str(key).startswith("x-"))
            if isinstance(member, dict | list) and not skipped:
                todo.append((member, key in NAME_MEMBERS and not named))
