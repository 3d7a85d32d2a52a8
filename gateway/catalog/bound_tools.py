"""A tool that is called with texts: the variables of a URI, the arguments of a prompt."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import orjson

from gateway.catalog.tool import Tool

Json = Mapping[str, object]

_ALL = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_KINDS: Mapping[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
}
_SAMPLES: Json = {
    "string": "...",
    "integer": 1,
    "number": 1,
    "boolean": True,
    "array": [],
    "object": {},
    "null": None,
}
_DEFS = "#/$defs/"
# Deeper compositions are no hint for anybody.
_MAX_LEVELS = 4
MAX_SUGGESTIONS = 1_000
"""Of one argument; what has more is no list to choose from."""
MAX_SUGGESTION = 256
"""In characters."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BoundTool:
    """Two are the same when they are one object; what is read of its schema is kept."""

    tool: Tool

    @cached_property
    def arguments(self) -> Mapping[str, Json]:
        """The schema of each argument that callers may give."""
        found = self._schema.get("properties")
        members = found.items() if isinstance(found, dict) else ()
        return {name: part if isinstance(part, dict) else {} for name, part in members}

    @cached_property
    def required(self) -> frozenset[str]:
        found = self._schema.get("required")
        return frozenset(map(str, found)) if isinstance(found, list) else frozenset()

    def typed(self, texts: Mapping[str, str]) -> dict[str, object]:
        """The values that these texts mean for its arguments; what is no argument is left out."""
        return {
            name: self._value(text, self.arguments[name])
            for name, text in texts.items()
            if name in self.arguments
        }

    def suggestions(self, argument: str) -> tuple[str, ...]:
        """Values that the description names: of an enum, the default, examples; each once."""
        schema = self.arguments.get(argument)
        if schema is None:
            return ()
        found: dict[str, None] = {}
        for value in self._named_values(schema):
            text = _spelled(value)
            if text is not None and len(text) <= MAX_SUGGESTION:
                found[text] = None
            if len(found) >= MAX_SUGGESTIONS:
                break
        return tuple(found)

    def kinds(self, argument: str) -> tuple[str, ...]:
        """The JSON types that an argument may have, none where its schema does not say."""
        kinds = self._kinds(self.arguments.get(argument), _MAX_LEVELS)
        # A number may always be a whole one.
        shown = kinds - {"integer"} if "number" in kinds else kinds
        return () if kinds == _ALL else tuple(sorted(shown))

    def sample(self, argument: str) -> object:
        """A value that the description names, or one of the right type."""
        named = self._named_values(self.arguments.get(argument))
        kinds = self.kinds(argument)
        kind = next((kind for kind in _SAMPLES if kind in kinds), "string")
        return next(named, _SAMPLES[kind])

    @cached_property
    def _schema(self) -> Json:
        return self.tool.input_schema

    def _value(self, text: str, schema: Json) -> object:
        kinds = self._kinds(schema, _MAX_LEVELS)
        if "string" in kinds:
            return text
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return text  # and the schema says what is wrong with it
        return value if _kind(value) in kinds or _is_whole(value, kinds) else text

    def _kinds(self, schema: object, levels: int) -> frozenset[str]:
        """The JSON types that a schema admits, as far as it says so."""
        if not isinstance(schema, dict) or not levels:
            return _ALL
        schema = self._resolved(schema)
        kinds = _ALL
        if isinstance(declared := schema.get("type"), str | list):
            kinds &= _types([declared] if isinstance(declared, str) else declared)
        if isinstance(values := schema.get("enum"), list):
            kinds &= frozenset(map(_kind, values))
        if "const" in schema:
            kinds &= {_kind(schema["const"])}
        for word in ("anyOf", "oneOf"):
            if isinstance(parts := schema.get(word), list):
                kinds &= frozenset().union(*(self._kinds(part, levels - 1) for part in parts))
        if isinstance(parts := schema.get("allOf"), list):
            kinds = kinds.intersection(*(self._kinds(part, levels - 1) for part in parts))
        return kinds

    def _named_values(self, schema: object, levels: int = _MAX_LEVELS) -> Iterator[object]:
        if not isinstance(schema, dict) or not levels:
            return
        schema = self._resolved(schema)
        if "const" in schema:
            yield schema["const"]
        for word in ("enum", "examples"):
            values = schema.get(word)
            yield from values if isinstance(values, list) else ()
        for word in ("default", "example"):
            if word in schema:
                yield schema[word]
        for word in ("anyOf", "oneOf", "allOf"):
            parts = schema.get(word)
            for part in parts if isinstance(parts, list) else ():
                yield from self._named_values(part, levels - 1)

    def _resolved(self, schema: Json) -> Json:
        """The schema with the members of the definition that it refers to."""
        ref = schema.get("$ref")
        if not isinstance(ref, str) or not ref.startswith(_DEFS):
            return schema
        definitions = self._schema.get("$defs")
        found = definitions.get(ref.removeprefix(_DEFS)) if isinstance(definitions, dict) else None
        return {**found, **schema} if isinstance(found, dict) else schema


def _types(declared: Iterable[object]) -> frozenset[str]:
    named = frozenset(map(str, declared))
    return named | {"integer"} if "number" in named else named


def _kind(value: object) -> str:
    """The JSON type of a value."""
    return _KINDS.get(type(value), "object")


def _is_whole(value: object, kinds: frozenset[str]) -> bool:
    """JSON Schema takes 1.0 for an integer."""
    return isinstance(value, float) and value.is_integer() and "integer" in kinds


def _spelled(value: object) -> str | None:
    """A value as `typed` would read it; None for what nobody types."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return str(value)
    return None
