"""The keywords of a Schema Object that a published schema keeps, and the shape each must have.

A keyword of another shape (`required: true`, `minimum: "5"`) would make the whole schema invalid;
it says nothing that could be enforced, so it is left out. Everything not listed here (`xml`,
`externalDocs`, `$id`, `x-*`) is no constraint on a value and costs readers tokens.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from functools import lru_cache

import jsonschema_rs

from gateway.openapi.hygiene import hides_something

TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})

# In bytes of a compiled pattern. The engine's own bound lets seventeen characters take 13 MB and
# 24 ms (`(a{1,1400}){1,99}`), and a description may have thousands of them. Of 3,833 different
# patterns in 2,800 public descriptions this one costs 74, most of them lengths as in `.{1,2048}`.
_BOUNDED = jsonschema_rs.FancyRegexOptions(size_limit=262_144)

# Data inside a schema deeper than this is no example anybody reads.
MAX_DATA_DEPTH = 32


class Kind(Enum):
    SCHEMA = auto()
    SCHEMAS = auto()
    NAMED_SCHEMAS = auto()
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
    " unevaluatedItems unevaluatedProperties contentSchema",
    Kind.SCHEMAS: "allOf anyOf oneOf prefixItems",
    Kind.NAMED_SCHEMAS: "properties patternProperties dependentSchemas",
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
    return isinstance(value, list | tuple) and all(admits(v) for v in value)


@lru_cache(maxsize=4096)
def is_pattern(text: str) -> bool:
    """Whether the engine that will match `text` takes it: no wrong syntax, no exploding size.

    Nor may it have characters that nobody sees, which would be published with it.
    """
    if hides_something(text):
        return False
    try:
        jsonschema_rs.Draft202012Validator(
            {"pattern": text}, pattern_options=_BOUNDED, offline=True
        )
    except ValueError:
        return False
    return True


def is_shallow(value: object, levels: int = MAX_DATA_DEPTH) -> bool:
    """Whether data inside a schema is at most `levels` deep."""
    if isinstance(value, Mapping):
        return levels > 0 and all(is_shallow(v, levels - 1) for v in value.values())
    if isinstance(value, list | tuple):
        return levels > 0 and all(is_shallow(v, levels - 1) for v in value)
    return True


def _is_type(value: object) -> bool:
    if isinstance(value, str):
        return value in TYPES
    return bool(value) and _is_list_of(value, lambda v: isinstance(v, str) and v in TYPES)


_SHAPES: Mapping[Kind, Callable[[object], bool]] = {
    Kind.DATA: is_shallow,
    Kind.DATA_LIST: lambda v: isinstance(v, list | tuple) and bool(v) and is_shallow(v),
    Kind.TEXT: lambda v: isinstance(v, str),
    Kind.PATTERN: lambda v: isinstance(v, str) and is_pattern(v),
    Kind.FLAG: lambda v: isinstance(v, bool),
    Kind.NUMBER: _is_number,
    Kind.POSITIVE: lambda v: _is_number(v) and isinstance(v, int | float) and v > 0,
    Kind.COUNT: _is_count,
    Kind.NAMES: _is_names,
    Kind.NAMES_BY_NAME: lambda v: (
        isinstance(v, Mapping)
        and all(_is_names(names) and len(set(names)) == len(names) for names in v.values())
    ),
    Kind.TYPE: _is_type,
}


def fits(kind: Kind, value: object) -> bool:
    """Whether `value` has the shape that JSON Schema 2020-12 asks of a keyword of this kind."""
    return _SHAPES[kind](value)
