"""The keywords of a Schema Object that a published schema keeps, and the shape each must have.

A keyword of another shape (`required: true`, `minimum: "5"`) would make the whole schema invalid;
it says nothing that could be enforced, so it is left out. Everything not listed here (`xml`,
`externalDocs`, `$id`, `x-*`) is no constraint on a value and costs readers tokens.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto

TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})

# Data inside a schema deeper than this is no example anybody reads.
MAX_DATA_DEPTH = 32


class Kind(Enum):
    SCHEMA = auto()
    SCHEMAS = auto()
    NAMED_SCHEMAS = auto()
    REFERENCE = auto()
    DATA = auto()
    DATA_LIST = auto()
    TEXT = auto()
    PATTERN = auto()
    FLAG = auto()
    NUMBER = auto()
    POSITIVE = auto()
    COUNT = auto()
    NAMES = auto()
    NAMES_BY_NAME = auto()
    TYPE = auto()


_BY_KIND: Mapping[Kind, str] = {
    Kind.SCHEMA: "additionalProperties items not if then else contains propertyNames"
    " unevaluatedItems unevaluatedProperties contentSchema additionalItems",
    Kind.SCHEMAS: "allOf anyOf oneOf prefixItems",
    Kind.NAMED_SCHEMAS: "properties patternProperties dependentSchemas dependencies",
    Kind.REFERENCE: "$dynamicRef",
    Kind.DATA: "default const",
    Kind.DATA_LIST: "enum examples",
    Kind.TEXT: "title description format contentEncoding contentMediaType",
    Kind.PATTERN: "pattern",
    Kind.FLAG: "uniqueItems deprecated readOnly writeOnly",
    Kind.NUMBER: "minimum maximum exclusiveMinimum exclusiveMaximum",
    Kind.POSITIVE: "multipleOf",
    Kind.COUNT: "minLength maxLength minItems maxItems minProperties maxProperties"
    " minContains maxContains",
    Kind.NAMES: "required",
    Kind.NAMES_BY_NAME: "dependentRequired",
    Kind.TYPE: "type",
}
KEYWORDS: Mapping[str, Kind] = {
    word: kind for kind, words in _BY_KIND.items() for word in words.split()
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value >= 0 and (isinstance(value, int) or value.is_integer())


def _is_names(value: object) -> bool:
    return _is_list_of(value, lambda v: isinstance(v, str))


def _is_list_of(value: object, admits: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(admits(v) for v in value)


_CONTAINERS = (dict, list)


def is_shallow(value: object, levels: int = MAX_DATA_DEPTH) -> bool:
    """Whether data inside a schema is at most `levels` deep."""
    if not isinstance(value, _CONTAINERS):
        return True
    parts = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(is_shallow(v, levels - 1) for v in parts)


def _is_type(value: object) -> bool:
    if isinstance(value, str):
        return value in TYPES
    return bool(value) and _is_list_of(value, lambda v: isinstance(v, str) and v in TYPES)


_SHAPES: Mapping[Kind, Callable[[object], bool]] = {
    Kind.DATA: is_shallow,
    Kind.DATA_LIST: lambda v: isinstance(v, list) and bool(v) and is_shallow(v),
    Kind.TEXT: lambda v: isinstance(v, str),
    Kind.PATTERN: lambda v: isinstance(v, str),
    Kind.FLAG: lambda v: isinstance(v, bool),
    Kind.NUMBER: _is_number,
    Kind.POSITIVE: lambda v: _is_number(v) and isinstance(v, int | float) and v > 0,
    Kind.COUNT: _is_count,
    Kind.NAMES: _is_names,
    Kind.NAMES_BY_NAME: lambda v: (
        isinstance(v, dict)
        and all(_is_names(names) and len(set(names)) == len(names) for names in v.values())
    ),
    Kind.TYPE: _is_type,
}


# Looked up by keyword: an Enum member's hash is Python code.
_SHAPE_OF: Mapping[str, Callable[[object], bool]] = {
    word: _SHAPES[kind] for word, kind in KEYWORDS.items() if kind in _SHAPES
}


def fits(keyword: str, value: object) -> bool:
    """Whether `value` has the shape that JSON Schema 2020-12 asks of a keyword without schemas."""
    return _SHAPE_OF[keyword](value)
