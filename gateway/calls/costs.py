"""What explaining a refusal may cost, and a schema that is cheap to explain by.

Each alternative of an `anyOf` is explained by itself, below it every alternative of its parts: the
explanation of a small value by a recursive schema can be larger than memory.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from math import inf
from urllib.parse import unquote

from gateway.openapi import circles

MAX_PLAIN_ENUM = 50

_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_MAPS = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
_UNEVALUATED = frozenset({"unevaluatedItems", "unevaluatedProperties"})
_FORMS = frozenset({"anyOf", "oneOf", "not", "if", "then", "else", "contains"}) | _UNEVALUATED
_SINGLE = (_FORMS - _LISTS) | {"items", "additionalProperties", "propertyNames"}
# The patterns of several `patternProperties` may match one name, so that all are applied to it.
_TOGETHER = frozenset({"allOf", "dependentSchemas", "patternProperties"})
_NOT_PLAIN = _FORMS | {"dependentSchemas", "uniqueItems", "minContains", "maxContains"}
_DEFS = "#/$defs/"

# How often each value is looked at, and how many ways lead from it back into the present circle.
_Cost = tuple[float, int]


def count_nodes(value: object, limit: int) -> int:
    """The values within `value`, itself included; some number above `limit` when they are more."""
    count, waiting = 1, [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping | list | tuple):
            count += len(node)
            if count > limit:
                break
            waiting.extend(node.values() if isinstance(node, Mapping) else node)
    return count


def weigh(schema: Mapping[str, object]) -> float:
    """How many subschemas one value can meet; infinite where that grows with the value's depth."""
    defs = schema.get("$defs")
    weights = _Weights(defs if isinstance(defs, Mapping) else {})
    for circle in circles(weights.needs(schema), lambda name: weights.needs(weights.defs[name])):
        weights.settle(frozenset(circle))
    return weights.of(schema)[0]


def plain(schema: Mapping[str, object]) -> dict[str, object]:
    """`schema` without what has alternatives: whatever it refuses, `schema` refuses too."""
    kept: dict[str, object] = {}
    for keyword, value in schema.items():
        if keyword in _NOT_PLAIN:
            continue
        if keyword in _MAPS and isinstance(value, Mapping):
            kept[keyword] = {name: _plain(part) for name, part in value.items()}
        elif keyword in _LISTS and isinstance(value, list | tuple):
            kept[keyword] = [_plain(part) for part in value]
        elif keyword in _SINGLE:
            kept[keyword] = _plain(value)
        elif keyword != "enum" or not _is_long(value):
            kept[keyword] = value
    return kept


def outline(schema: Mapping[str, object]) -> dict[str, object]:
    """The names that `schema` knows and requires, whatever their values."""
    kept: dict[str, object] = {k: v for k, v in schema.items() if k in ("type", "required")}
    properties = schema.get("properties")
    kept["properties"] = dict.fromkeys(properties, True) if isinstance(properties, Mapping) else {}
    if schema.get("additionalProperties") is False and "patternProperties" not in schema:
        kept["additionalProperties"] = False
    return kept


def _plain(schema: object) -> object:
    return plain(schema) if isinstance(schema, Mapping) else schema


def _is_long(enum: object) -> bool:
    return isinstance(enum, list | tuple) and len(enum) > MAX_PLAIN_ENUM


def _parts(schema: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Each subschema with the keyword that applies it."""
    for keyword, value in schema.items():
        if keyword in _SINGLE:
            yield keyword, value
        elif keyword in _LISTS and isinstance(value, list | tuple):
            yield from ((keyword, part) for part in value)
        elif keyword in _MAPS and keyword != "$defs" and isinstance(value, Mapping):
            yield from ((keyword, part) for part in value.values())


def _target(ref: object) -> str:
    """The name in `$defs`; for any other reference, one that is not there."""
    if not isinstance(ref, str) or not ref.startswith(_DEFS):
        return str(ref)
    name = unquote(ref.removeprefix(_DEFS))
    return ref if "/" in name else name.replace("~1", "/").replace("~0", "~")


def _references(schema: object) -> Iterator[str]:
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            if "$ref" in node:
                yield _target(node["$ref"])
            waiting.extend(part for _, part in _parts(node))


class _Weights:
    """The weights of `defs`, settled circle by circle, what is referred to first."""

    def __init__(self, defs: Mapping[str, object]) -> None:
        self.defs = defs
        self._settled: dict[str, float] = {}
        self._open: frozenset[str] = frozenset()

    def needs(self, schema: object) -> Iterator[str]:
        return (name for name in _references(schema) if name in self.defs)

    def settle(self, circle: frozenset[str]) -> None:
        self._open = circle
        costs = [self.of(self.defs[name]) for name in circle]
        # Two ways back double the work at each level of the value.
        weight = max(inf if ways > 1 else weight for weight, ways in costs)
        self._settled.update(dict.fromkeys(circle, weight))
        self._open = frozenset()

    def of(self, schema: object) -> _Cost:
        if not isinstance(schema, Mapping):
            return 1, 0
        enum = schema.get("enum")
        weight: float = 1 + (len(enum) // 10 if isinstance(enum, list | tuple) else 0)
        ways, deepest, deepest_ways = 0, 0.0, 0
        for keyword, (part, back) in chain(self._reference(schema), self._costs(schema)):
            if keyword in _FORMS and back:
                weight = inf
            if keyword in _FORMS or keyword in _TOGETHER or keyword == "$ref":
                weight, ways = weight + part, ways + back
            else:
                deepest, deepest_ways = max(deepest, part), max(deepest_ways, back)
        # unevaluated* goes through its neighbours a second time.
        times = 2 if _UNEVALUATED & schema.keys() else 1
        return times * (weight + deepest), times * (ways + deepest_ways)

    def _costs(self, schema: Mapping[str, object]) -> Iterator[tuple[str, _Cost]]:
        return ((keyword, self.of(part)) for keyword, part in _parts(schema))

    def _reference(self, schema: Mapping[str, object]) -> Iterator[tuple[str, _Cost]]:
        if "$dynamicRef" in schema:
            yield "$ref", (inf, 0)
        if "$ref" in schema:
            name = _target(schema["$ref"])
            known = (self._settled.get(name, inf), 0)
            yield "$ref", (0, 1) if name in self._open else known
