"""What a schema says of the kinds of its values: enough to read them out of text.

`5` in a query is a number where a number is meant and a text where a text is. Nothing is judged
here: a value of no fitting kind stays the text that it is, and the schema refuses it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from math import isfinite

from gateway.calls import loads, type_name

# A schema whose parts are more, or deeper, is read as if it said nothing more.
MAX_PARTS = 500
MAX_LEVELS = 8
_DEFS = "#/$defs/"
_ALL = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_CONTAINERS = frozenset({"array", "object"})
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# More digits than any server takes for a number, and fewer than Python refuses to convert.
_MAX_DIGITS = 1_000

Kinds = frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """`kinds` are JSON types. `items` and `others` are None where nothing is said of them.

    `others` are members that `members` does not name.
    """

    kinds: Kinds = _ALL
    items: "Shape | None" = None
    members: Mapping[str, "Shape"] = field(default_factory=dict)
    others: "Shape | None" = None

    @property
    def is_scalar(self) -> bool:
        return _CONTAINERS.isdisjoint(self.kinds)

    def admits(self, kind: str) -> bool:
        return kind in self.kinds

    def item(self) -> "Shape":
        return self.items or ANY

    def member(self, name: str) -> "Shape":
        return self.members.get(name) or self.others or ANY


ANY = Shape()
TEXT = Shape(kinds=frozenset({"string"}))
_NONE = Shape(kinds=frozenset())


def read_shape(schema: object, defs: Mapping[str, object]) -> Shape:
    """The shape of a converted schema whose references lead to `defs`."""
    return _Reader(defs).read(schema, MAX_LEVELS)


class _Reader:
    def __init__(self, defs: Mapping[str, object]) -> None:
        self._defs = defs
        self._left = MAX_PARTS

    def read(self, schema: object, levels: int) -> Shape:
        self._left -= 1
        if not isinstance(schema, Mapping) or not levels or self._left < 0:
            return _NONE if schema is False else ANY
        found = [self._own(schema, levels), *self._parts(schema.get("allOf"), levels)]
        if isinstance(ref := schema.get("$ref"), str):
            found.append(self.read(self._defs.get(ref.removeprefix(_DEFS), True), levels - 1))
        forms = (self._parts(schema.get(key), levels) for key in ("anyOf", "oneOf"))
        found.extend(reduce(_either, parts) for parts in forms if parts)
        return reduce(_both, found)

    def _parts(self, parts: object, levels: int) -> list[Shape]:
        given = parts if isinstance(parts, list | tuple) else []
        return [self.read(part, levels - 1) for part in given]

    def _own(self, schema: Mapping[str, object], levels: int) -> Shape:
        items, others = schema.get("items"), schema.get("additionalProperties")
        properties = schema.get("properties")
        named = properties if isinstance(properties, Mapping) else {}
        return Shape(
            kinds=_kinds(schema),
            items=self.read(items, levels - 1) if isinstance(items, Mapping) else None,
            members={str(name): self.read(part, levels - 1) for name, part in named.items()},
            others=self.read(others, levels - 1) if isinstance(others, Mapping) else None,
        )


def _kinds(schema: Mapping[str, object]) -> Kinds:
    kinds = _ALL
    if (given := schema.get("type")) is not None:
        kinds &= _widened(given if isinstance(given, list | tuple) else [given])
    if isinstance(values := schema.get("enum"), list | tuple):
        kinds &= _widened(type_name(value) for value in values)
    if "const" in schema:
        kinds &= _widened([type_name(schema["const"])])
    return kinds


def _widened(names: Iterable[object]) -> Kinds:
    found = {name for name in names if isinstance(name, str)}
    # An integer is a number, and 1.0 an integer (JSON Schema 2020-12 core section 4.2.3).
    return frozenset(found | ({"integer", "number"} if found & {"integer", "number"} else set()))


def _both(one: Shape, other: Shape) -> Shape:
    names = one.members.keys() | other.members.keys()
    return Shape(
        kinds=one.kinds & other.kinds,
        items=one.items or other.items,
        members={
            name: one.members.get(name) or other.members.get(name) or ANY for name in sorted(names)
        },
        others=one.others or other.others,
    )


def _either(one: Shape, other: Shape) -> Shape:
    names = one.members.keys() | other.members.keys()
    return Shape(
        kinds=one.kinds | other.kinds,
        items=_joined(one.items, other.items),
        members={
            name: _joined(one.members.get(name), other.members.get(name)) or ANY
            for name in sorted(names)
        },
        others=_joined(one.others, other.others),
    )


def _joined(one: Shape | None, other: Shape | None) -> Shape | None:
    if one is None or other is None:
        return one or other
    return _either(one, other)


def typed(text: str, shape: Shape, *, loose: bool = False) -> object:
    """The value that a text is, by the kinds that are meant; itself where it is none of them.

    Where a text is meant, too, what looks like a number or a word of JSON is one, unless `loose`.
    """
    if shape.kinds == TEXT.kinds or (loose and shape.admits("string")):
        return text
    if text in ("true", "false") and shape.admits("boolean"):
        return text == "true"
    if text == "null" and shape.admits("null"):
        return None
    if shape.admits("number") and _NUMBER.fullmatch(text) and len(text) <= _MAX_DIGITS:
        return _number(text)
    if text[:1] in ("[", "{") and not shape.is_scalar:
        loaded = loads(text)
        return text if loaded is None else loaded.value
    return text


def _number(text: str) -> object:
    if text.removeprefix("-").isdecimal():
        return int(text)
    value = float(text)
    return value if isfinite(value) else text
