"""YAML as JSON values (YAML 1.2 core schema): no dates, no `yes`, text as keys, nothing built.

`yaml_everyday` reads what it is sure of. For everything else, faults included, PyYAML's C parser
makes the node graph; the values are made of it here, so that no tag can name a class, an alias bomb
is counted before it expands, and every fault has a line.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import ClassVar, NamedTuple

import yaml

from gateway.errors import DescriptionError
from gateway.sources.yaml_everyday import Unusual, read_everyday

MAX_DEPTH = 200
# Aliases may repeat parts of a document; beyond this many nodes they are a bomb.
MAX_NODES = 5_000_000
# Members that `<<` copies, in all: unlike an alias, each of them takes memory of its own.
MAX_MERGED = 1_000_000

_INTEGER = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TAG = "tag:yaml.org,2002:"
# A scalar without quotes and tag. PyYAML would decide by YAML 1.1; `_plain` does by 1.2.
_PLAIN = "plain"
# Explicit tags that leave the decision to the scalar's form.
_TAGGED = frozenset({f"{_TAG}{name}" for name in ("int", "float", "bool", "null", "timestamp")})


class _Loader(yaml.CSafeLoader):
    """Composes nodes; its recursion, which is C's, ends long before the stack does."""

    yaml_implicit_resolvers: ClassVar = {  # type: ignore[misc] # the stubs call it an instance's
        None: [(_PLAIN, re.compile(""))]
    }
    _depth = 0

    def descend_resolver(self, *_: object) -> None:
        """Called by the composer on its way into every node."""
        self._depth += 1
        if self._depth > 2 * MAX_DEPTH:
            raise DescriptionError(f"nested deeper than {MAX_DEPTH} levels")

    def ascend_resolver(self) -> None:
        self._depth -= 1


def parse_yaml(data: bytes) -> object:
    """The one document in `data`. Raises DescriptionError with line and column."""
    with suppress(Unusual):
        return read_everyday(data, max_depth=MAX_DEPTH)
    return parse_carefully(data)


def parse_carefully(data: bytes) -> object:
    """`parse_yaml` without the short cut. Raises DescriptionError with line and column."""
    try:
        root = yaml.compose(data, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark or error.context_mark)
        raise DescriptionError(f"not valid YAML: {error.problem}{place}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DescriptionError(f"not valid YAML: {str(error).splitlines()[0][:200]}") from error
    return None if root is None else _Builder().build(root).value


def _place(mark: yaml.Mark | None) -> str:
    return f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def _fault(node: yaml.Node, message: str) -> DescriptionError:
    return DescriptionError(f"{message}{_place(node.start_mark)}")


class _Built(NamedTuple):
    """A value, how many nodes it would have written out, and how many levels it has."""

    value: object
    size: int
    levels: int


class _Builder:
    """Values of nodes; a node that aliases repeat is built once and shared."""

    def __init__(self) -> None:
        self._built: dict[int, _Built] = {}
        self._open: set[int] = set()
        self._merges = 0

    def build(self, node: yaml.Node) -> _Built:
        if isinstance(node, yaml.ScalarNode):
            return _Built(_scalar(node), 1, 0)
        key = id(node)
        if (built := self._built.get(key)) is not None:
            return built
        if key in self._open:
            raise _fault(node, "the value contains itself")
        if len(self._open) >= MAX_DEPTH:
            raise _fault(node, f"nested deeper than {MAX_DEPTH} levels")
        self._open.add(key)
        made = self._mapping(node) if isinstance(node, yaml.MappingNode) else self._list(node)
        self._open.discard(key)
        if made.size > MAX_NODES:
            raise _fault(node, "aliases repeat too much")
        if made.levels > MAX_DEPTH:  # through aliases, which were built before
            raise _fault(node, f"nested deeper than {MAX_DEPTH} levels")
        self._built[key] = made
        return made

    def _list(self, node: yaml.Node) -> _Built:
        if node.tag != f"{_TAG}seq":
            raise _fault(node, f"the tag {node.tag[:40]} is not JSON")
        parts = [self.build(member) for member in node.value]
        levels = max((part.levels for part in parts), default=0)
        size = sum(part.size for part in parts)
        return _Built([part.value for part in parts], 1 + size, 1 + levels)

    def _mapping(self, node: yaml.MappingNode) -> _Built:
        if node.tag != f"{_TAG}map":
            raise _fault(node, f"the tag {node.tag[:40]} is not JSON")
        own: dict[str, object] = {}
        merged: dict[str, object] = {}
        total, levels = 1, 0
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _fault(key_node, "a key is text")
            part = self.build(value_node)
            total += part.size
            key = key_node.value
            merges = key == "<<" and not key_node.style
            # What is merged brings its members, not its own level.
            levels = max(levels, part.levels - merges)
            if merges:
                self._merge(merged, part.value, key_node)
            elif key in own:
                raise _fault(key_node, f"the key {key[:80]!r} stands twice")
            else:
                own[key] = part.value
        return _Built({**merged, **own}, total, 1 + levels)

    def _merge(self, into: dict[str, object], value: object, node: yaml.Node) -> None:
        """YAML 1.1 merge keys, which many descriptions still use: earlier sources win."""
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, Mapping):
                raise _fault(node, "`<<` merges objects only")
            self._merges += len(source)
            if self._merges > MAX_MERGED:
                raise _fault(node, "`<<` repeats too much")
            for key, member in source.items():
                into.setdefault(key, member)


def _scalar(node: yaml.ScalarNode) -> object:
    text: str = node.value
    if node.tag == _PLAIN or (node.tag in _TAGGED and not node.style):
        return _plain(text)
    if node.tag == f"{_TAG}str":
        return text
    raise _fault(node, f"the tag {node.tag[:40]} is not JSON")


def _plain(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        # Infinity has no JSON; such a number stays text.
        return number if abs(number) != float("inf") else text
    return text


def _integer(text: str) -> int | float | str:
    """An integer as orjson reads it: a float beyond 64 bits, so that YAML and JSON agree."""
    # Infinity has no JSON: such a number stays text, and so does one of many hexadecimal digits.
    if len(text) > (300 if text[1:2] not in ("x", "o") else 250):
        return text
    # Base 0 would refuse the leading zeros that base 10 allows.
    number = int(text, 0 if text[1:2] in ("x", "o") else 10)
    return number if -(2**63) <= number < 2**64 else float(number)
