"""A parsed description, in one document or several, and the references inside it.

A place is a JSON Pointer (RFC 6901) into the root document, or `models/pet.yaml#` and a pointer
into another one, whose path is relative to the root's directory.
"""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import unquote

# A chain longer than this is a loop or an attack; no real description has three hops.
MAX_CHAIN = 32


class UnresolvedRef(Exception):
    """A `$ref` that leads nowhere we go. `pointer` is where it stands, `reason` says why not."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer}: {reason}")
        self.pointer = pointer
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value of the description and the place at which it really stands."""

    value: object
    pointer: str

    def child(self, token: str) -> "Node | None":
        """The member `token`, or None where there is none. No reference is followed."""
        if isinstance(self.value, dict) and token in self.value:
            return Node(value=self.value[token], pointer=join(self.pointer, token))
        return None


def join(pointer: str, token: str) -> str:
    """`pointer` extended by one reference token, escaped (RFC 6901 section 3)."""
    if "~" in token or "/" in token:
        token = token.replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{token}"


def quoted(text: str) -> str:
    """`text` as a message shows it: on one line and of bounded length."""
    return repr(text if len(text) <= 120 else f"{text[:117]}...")


def base_of(place: str) -> str:
    """The document that a place is in, by its path; empty for the root."""
    return "" if place[:1] in ("", "/") else place.partition("#")[0]


_NONE: Mapping[str, object] = MappingProxyType({})


class Document:
    """A description with a memory of the references already looked up."""

    def __init__(
        self,
        root: Mapping[str, object],
        *,
        parts: Mapping[str, object] = _NONE,
        refused: Mapping[str, object] = _NONE,
        name: str = "",
        home: str = "",
    ) -> None:
        """`parts` are the other documents by path, `refused` says why one was not read.

        Paths are relative to the root's directory. `name` is the root's own file name, `home` the
        URL of its directory with its last `/`: references may use either.
        """
        self.root = root
        self._parts = parts
        self._refused = refused
        self._name = name
        self._home = home
        self._found: dict[tuple[str, str], Node] = {}

    @property
    def values(self) -> tuple[object, ...]:
        """The values of all documents, the root's first."""
        return (self.root, *self._parts.values())

    def follow(self, node: Node) -> Node:
        """What `node` stands for: itself, or the end of its chain of references."""
        seen = 0
        while isinstance(node.value, dict) and isinstance(ref := node.value.get("$ref"), str):
            if (seen := seen + 1) > MAX_CHAIN:
                raise UnresolvedRef(node.pointer, f"the reference {quoted(ref)} never ends")
            node = self.lookup(ref, node.pointer)
        return node

    def lookup(self, ref: str, at: str) -> Node:
        """The value that `ref`, standing at the place `at`, names."""
        key = base_of(at), ref
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._find(ref, at)
        return found

    def at(self, place: str) -> Node:
        """The value at a place that `lookup` has given out."""
        base = base_of(place)
        pointer = place[len(base) + 1 :] if base else place
        return self.lookup(f"#{pointer.replace('%', '%25')}", f"{base}#" if base else "")

    def _find(self, ref: str, at: str) -> Node:
        if not ref:
            raise UnresolvedRef(at, "the reference is empty")
        address, _, fragment = ref.partition("#")
        base = self._target(address, ref, at) if address else base_of(at)
        value: object = self._parts[base] if base else self.root
        # RFC 6901 section 6: the fragment is percent-decoded before it is read as a pointer.
        pointer = unquote(fragment)
        place = f"{base}#" if base else ""
        if base and not pointer:
            return Node(value=value, pointer=place)
        if not pointer.startswith("/"):
            raise UnresolvedRef(at, f"the reference {quoted(ref)} is no JSON Pointer to a part")
        for raw in pointer[1:].split("/"):
            token = raw.replace("~1", "/").replace("~0", "~")
            value = _step(value, token, ref, at)
            place = join(place, token)
        return Node(value=value, pointer=place)

    def _target(self, address: str, ref: str, at: str) -> str:
        """The document that a reference's address names; empty for the root."""
        path = resolve_address(address, base_of(at), home=self._home)
        if path is None:
            raise UnresolvedRef(
                at, f"the reference {quoted(ref)} leaves the description's directory"
            )
        if path == self._name:
            return ""
        if path not in self._parts:
            reason = self._refused.get(path, "leads to a document that was not read")
            raise UnresolvedRef(at, f"the reference {quoted(ref)} {reason}")
        return path


def resolve_address(address: str, base: str, *, home: str = "") -> str | None:
    """A reference's address as a path relative to the root's directory; None if it leads out.

    `base` is the path of the document that the reference stands in, empty for the root.
    """
    if home and address.startswith(home):
        path = unquote(address[len(home) :])
    elif ":" in address.partition("/")[0] or address[0] in "/\\~":
        return None
    else:
        path = posixpath.join(posixpath.dirname(base), unquote(address))
    path = posixpath.normpath(path)
    if path in (".", "..") or path.startswith(("../", "/")) or set(path) & set("\\#\0"):
        return None
    return path


def _step(value: object, token: str, ref: str, at: str) -> object:
    if isinstance(value, dict) and token in value:
        found: object = value[token]
        return found
    if isinstance(value, list) and token.isascii() and token.isdecimal():
        index = int(token) if len(token) < 10 else len(value)
        if index < len(value):
            return value[index]
    raise UnresolvedRef(at, f"the reference {quoted(ref)} points at nothing")
