"""A parsed description and the references inside it (RFC 6901, RFC 3986 fragments)."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    """A value of the document and the JSON Pointer at which it really stands."""

    value: object
    pointer: str

    def child(self, token: str) -> "Node | None":
        """The member `token`, or None where there is none. No reference is followed."""
        if isinstance(self.value, Mapping) and token in self.value:
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


class Document:
    """The root of a description, with a memory of the references already looked up."""

    def __init__(self, root: Mapping[str, object]) -> None:
        self.root = root
        self._found: dict[str, Node] = {}

    def follow(self, node: Node) -> Node:
        """What `node` stands for: itself, or the end of its chain of references."""
        seen = 0
        while isinstance(node.value, Mapping) and isinstance(ref := node.value.get("$ref"), str):
            if (seen := seen + 1) > MAX_CHAIN:
                raise UnresolvedRef(node.pointer, f"the reference {quoted(ref)} never ends")
            node = self.lookup(ref, node.pointer)
        return node

    def lookup(self, ref: str, at: str) -> Node:
        """The value that `ref`, standing at pointer `at`, names; only local references are."""
        found = self._found.get(ref)
        if found is None:
            found = self._find(ref, at)
            self._found[ref] = found
        return found

    def _find(self, ref: str, at: str) -> Node:
        if not ref.startswith("#"):
            raise UnresolvedRef(at, f"the reference {quoted(ref)} leaves the document")
        # RFC 6901 section 6: the fragment is percent-decoded before it is read as a pointer.
        pointer = unquote(ref[1:])
        if not pointer.startswith("/"):
            raise UnresolvedRef(at, f"the reference {quoted(ref)} is no JSON Pointer to a part")
        value: object = self.root
        canonical = ""
        for raw in pointer[1:].split("/"):
            token = raw.replace("~1", "/").replace("~0", "~")
            value = _step(value, token, ref, at)
            canonical = join(canonical, token)
        return Node(value=value, pointer=canonical)


def _step(value: object, token: str, ref: str, at: str) -> object:
    if isinstance(value, Mapping) and token in value:
        found: object = value[token]
        return found
    if isinstance(value, list | tuple) and token.isascii() and token.isdecimal():
        index = int(token) if len(token) < 10 else len(value)
        if index < len(value):
            return value[index]
    raise UnresolvedRef(at, f"the reference {quoted(ref)} points at nothing")
