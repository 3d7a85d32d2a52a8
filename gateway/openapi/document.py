"""A parsed description, in one document or several, and the references inside it.

A place is a JSON Pointer (RFC 6901) into the root document, or `models/pet.yaml#` and a pointer
into another one, whose path is relative to the root's directory.
"""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from urllib.parse import unquote

from gateway.openapi.anchors import Named, read_names

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
_NOTHING = object()


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
        self.parts = parts
        self.refused = refused
        self._name = name
        self._home = home
        self._found: dict[tuple[str, str], Node] = {}
        self._named_schemas: dict[str, Mapping[str, Named]] = {}

    @property
    def values(self) -> tuple[object, ...]:
        """The values of all documents, the root's first."""
        return (self.root, *self.parts.values())

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
        return self._lookup(ref, at, 0)

    def _lookup(self, ref: str, at: str, hops: int) -> Node:
        """`hops` are the references that this one has been met behind."""
        key = base_of(at), ref
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._find(ref, at, hops)
        return found

    def at(self, place: str) -> Node:
        """The value at a place that `lookup` has given out."""
        base = base_of(place)
        pointer = place[len(base) + 1 :] if base else place
        return self.lookup(f"#{pointer.replace('%', '%25')}", f"{base}#" if base else "")

    def _find(self, ref: str, at: str, hops: int) -> Node:
        if not ref:
            raise UnresolvedRef(at, "the reference is empty")
        address, _, fragment = ref.partition("#")
        start = self._start(address, ref, at)
        # RFC 6901 section 6: the fragment is percent-decoded before it is read as a pointer.
        pointer = unquote(fragment)
        if pointer.startswith("/"):
            return self._below(start, pointer, ref, at, hops)
        if pointer:
            return self._named(f"#{pointer}", ref, base_of(start.pointer), at)
        if not start.pointer:
            raise UnresolvedRef(at, f"the reference {quoted(ref)} is no JSON Pointer to a part")
        return start

    def _start(self, address: str, ref: str, at: str) -> Node:
        """The document, or the schema with an `$id`, that a reference's address names."""
        base = base_of(at)
        try:
            base = self._target(address, ref, at) if address else base
        except UnresolvedRef:
            if address in self._names(base):
                return self._named(address, ref, base, at)
            raise
        return self._whole(base)

    def _whole(self, base: str) -> Node:
        if base:
            return Node(value=self.parts[base], pointer=f"{base}#")
        return Node(value=self.root, pointer="")

    def _below(self, start: Node, pointer: str, ref: str, at: str, hops: int) -> Node:
        tokens = pointer[1:].split("/")
        if "~" not in pointer:  # as it is in all but references to paths
            value = start.value
            for token in tokens:
                if (value := _step(value, token)) is _NOTHING:
                    break
            else:
                return Node(value=value, pointer=start.pointer + pointer)
        node = start
        for token in tokens:
            found = self._member(node, token.replace("~1", "/").replace("~0", "~"), hops)
            if found is None:
                raise UnresolvedRef(at, f"the reference {quoted(ref)} {self._why_not(at)}")
            node = found
        return node

    def _member(self, node: Node, token: str, hops: int) -> Node | None:
        """The member `token` of `node`, or of what it refers to, as authors mean it."""
        while (value := _step(node.value, token)) is _NOTHING:
            ref = node.value.get("$ref") if isinstance(node.value, dict) else None
            if not isinstance(ref, str):
                return None
            if (hops := hops + 1) > MAX_CHAIN:
                raise UnresolvedRef(node.pointer, f"the reference {quoted(ref)} never ends")
            node = self._lookup(ref, node.pointer, hops)
        return Node(value=value, pointer=join(node.pointer, token))

    def _why_not(self, at: str) -> str:
        has_ids = any(not name.startswith("#") for name in self._names(base_of(at)))
        return "points at nothing" + (" (`$id` changes no pointer here)" if has_ids else "")

    def _named(self, name: str, ref: str, base: str, at: str) -> Node:
        """The one schema of a document that calls itself `name`: an anchor with its `#`, an id."""
        if (found := self._names(base).get(name)) is None:
            raise UnresolvedRef(at, f"the reference {quoted(ref)} is the name of no schema")
        if found.is_one_of_several:
            raise UnresolvedRef(at, f"the reference {quoted(ref)} is the name of several schemas")
        pointer = reduce(join, found.tokens(), self._whole(base).pointer)
        return Node(value=found.value, pointer=pointer)

    def _names(self, base: str) -> Mapping[str, Named]:
        """Made when the first reference asks for it: it takes a walk through the document."""
        names = self._named_schemas.get(base)
        if names is None:
            names = self._named_schemas[base] = read_names(self._whole(base).value)
        return names

    def _target(self, address: str, ref: str, at: str) -> str:
        """The document that a reference's address names; empty for the root."""
        path = resolve_address(address, base_of(at), home=self._home)
        if path is None:
            raise UnresolvedRef(
                at, f"the reference {quoted(ref)} leaves the description's directory"
            )
        if path == self._name:
            return ""
        if path not in self.parts:
            reason = self.refused.get(path, "leads to a document that was not read")
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


def _step(value: object, token: str) -> object:
    if isinstance(value, dict) and token in value:
        found: object = value[token]
        return found
    if isinstance(value, list) and token.isascii() and token.isdecimal():
        index = int(token) if len(token) < 10 else len(value)
        if index < len(value):
            return value[index]
    return _NOTHING
