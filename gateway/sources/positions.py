"""From JSON Pointers to lines: only made when a finding is shown, in one pass over the text."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson
import yaml

_BOM = b"\xef\xbb\xbf"
# What structures JSON, whole strings first so that nothing inside one counts.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],]', re.DOTALL)
_COLON = re.compile(rb"\s*:")


class Position(NamedTuple):
    """Both count from 1; `column` in characters."""

    line: int
    column: int


def locate(data: bytes, pointers: Iterable[str]) -> dict[str, Position]:
    """Where each JSON Pointer (RFC 6901) stands in a JSON or YAML text: a member's name, an item.

    A pointer that leads nowhere gets the position of its nearest ancestor. A text that is neither
    JSON nor YAML gives nothing.
    """
    text = data.removeprefix(_BOM)
    wanted = list(dict.fromkeys(pointers))
    if not wanted:
        return {}
    if text.lstrip()[:1] in (b"{", b"[") and _is_json(text):
        return _in_json(text, wanted)
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return {}
    return {} if root is None else {p: _in_yaml(root, _tokens(p)) for p in wanted}


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _tokens(pointer: str) -> list[str]:
    return [raw.replace("~1", "/").replace("~0", "~") for raw in pointer.split("/")[1:]]


def _in_yaml(node: yaml.Node, tokens: list[str]) -> Position:
    place = node.start_mark
    for token in tokens:
        found = _step(node, token, set())
        if found is None:
            break
        at, node = found
        place = at.start_mark
    return Position(place.line + 1, place.column + 1)


def _step(node: yaml.Node, token: str, seen: set[int]) -> tuple[yaml.Node, yaml.Node] | None:
    """The node that shows the member (its key, or the item itself) and the member's value."""
    if isinstance(node, yaml.SequenceNode):
        if not token.isdecimal() or len(token) > 9 or int(token) >= len(node.value):
            return None
        item = node.value[int(token)]
        return item, item
    if not isinstance(node, yaml.MappingNode) or id(node) in seen:
        return None
    seen.add(id(node))
    merged: list[yaml.Node] = []
    for key, value in node.value:
        if key.value == token:
            return key, value
        if key.value == "<<":
            merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
    return next((found for m in merged if (found := _step(m, token, seen))), None)


@dataclass(slots=True)
class _Wanted:
    """A place that pointers lead to or through; `inner` by raw UTF-8 name or by index."""

    pointers: list[str] = field(default_factory=list)
    inner: dict[bytes, "_Wanted"] = field(default_factory=dict)


def _in_json(text: bytes, pointers: list[str]) -> dict[str, Position]:
    offsets = _Scanner(text, _tree(pointers)).offsets()
    lines = _Lines(text)
    positions = {offset: lines.position(offset) for offset in sorted(set(offsets.values()))}
    return {pointer: positions[_nearest(pointer, offsets)] for pointer in pointers}


def _tree(pointers: Iterable[str]) -> _Wanted:
    """All pointers and their ancestors, which stand in for what is not there."""
    root = _Wanted(pointers=[""])
    for pointer in pointers:
        at, so_far = root, ""
        for raw, token in zip(pointer.split("/")[1:], _tokens(pointer), strict=True):
            so_far = f"{so_far}/{raw}"
            at = at.inner.setdefault(token.encode(errors="surrogatepass"), _Wanted())
            if so_far not in at.pointers:
                at.pointers.append(so_far)
    return root


def _nearest(pointer: str, offsets: Mapping[str, int]) -> int:
    while pointer not in offsets:
        pointer = pointer.rpartition("/")[0]
    return offsets[pointer]


class _Scanner:
    """One pass over valid JSON: where the wanted places start."""

    def __init__(self, text: bytes, tree: _Wanted) -> None:
        self._text = text
        self._tree = tree
        self._found: dict[str, int] = {}

    def offsets(self) -> dict[str, int]:
        """Byte offsets by pointer. A key that stands twice counts where it stands last."""
        # One entry for each open container: what is wanted in it, its index or -1 for objects.
        stack: list[tuple[_Wanted | None, int]] = []
        value: _Wanted | None = self._tree
        self._note(value, self._skip_space(0))
        for match in _TOKEN.finditer(self._text):
            first = self._text[match.start()]
            if first in b"{[":
                stack.append((value, -1 if first in b"{" else 0))
                value = self._item(stack, match.end())
            elif first in b"}]":
                stack.pop()
                value = None
            elif first in b",":
                inside, index = stack[-1]
                if index >= 0:
                    stack[-1] = (inside, index + 1)
                    value = self._item(stack, match.end())
            elif stack and stack[-1][0] is not None:
                inside, index = stack[-1]
                if index < 0 and _COLON.match(self._text, match.end()):
                    value = self._member(inside, match)
        return self._found

    def _member(self, inside: _Wanted | None, match: re.Match[bytes]) -> _Wanted | None:
        """What is wanted of the member whose name has just been read."""
        wanted = inside.inner.get(_name(match[0])) if inside else None
        self._note(wanted, match.start())
        return wanted

    def _item(self, stack: list[tuple[_Wanted | None, int]], end: int) -> _Wanted | None:
        """What is wanted of the item that starts after `end`, if this is an array."""
        inside, index = stack[-1]
        if inside is None or index < 0:
            return None
        wanted = inside.inner.get(b"%d" % index)
        start = self._skip_space(end)
        # The end of an empty array is no item.
        if wanted is not None and self._text[start] not in b"]":
            self._note(wanted, start)
        return wanted

    def _note(self, wanted: _Wanted | None, offset: int) -> None:
        for pointer in wanted.pointers if wanted else ():
            self._found[pointer] = offset

    def _skip_space(self, offset: int) -> int:
        while offset < len(self._text) and self._text[offset] in b" \t\r\n":
            offset += 1
        return offset


def _name(token: bytes) -> bytes:
    """The name in a string token, as UTF-8."""
    if b"\\" not in token:
        return token[1:-1]
    return str(orjson.loads(token)).encode(errors="surrogatepass")


class _Lines:
    """Lines and columns of rising offsets."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._line = 1
        self._start = 0

    def position(self, offset: int) -> Position:
        self._line += self._text.count(b"\n", self._start, offset)
        self._start = max(self._start, self._text.rfind(b"\n", self._start, offset) + 1)
        before = self._text[self._start : offset].decode(errors="replace")
        return Position(self._line, len(before) + 1)
