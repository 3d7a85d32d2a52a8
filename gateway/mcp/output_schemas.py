"""What a tool answers, as a schema that no answer can fail.

A client that finds `structuredContent` at odds with the published schema refuses the whole result,
though an API's answers are what they are, whatever its description says. So the schema tells a
model what to expect and admits everything; and it says nothing that a validator could stumble
over (ajv in its draft-07 mode, jsonschema): no pattern, no reference, no keyword of its own.
"""

from collections.abc import Iterator, Mapping
from itertools import chain

from gateway.mcp.json_text import encode_json

Json = dict[str, object]

MAX_SCHEMA_BYTES = 4_096
"""Of one tool's schema, about; what is furthest from the root is left open."""
MAX_DEPTH = 8
"""Levels of schemas inside schemas: jsonschema looks at a schema in a dozen calls for each."""
RESULT = "result"
"""The member that holds an answer which is no JSON object."""

_TYPES = frozenset({"null", "boolean", "object", "array", "number", "string", "integer"})
# What validators know, in every draft; others are warned of, or are a fault.
_FORMATS = frozenset(
    {"date-time", "date", "time", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"}
)
_MAX_REFERENCES = 32


def publish_output(schema: Mapping[str, object]) -> Json | None:
    """The `outputSchema` of a tool whose successes answer JSON of `schema`; None where it is empty.

    `schema` is closed under its `$defs`. The root is an object under every revision: clients take
    `structuredContent` that is null, false, 0 or empty for none at all.
    """
    if not schema:
        return None
    described = _Inlining(schema).described()
    if not described:
        return {"type": "object"}
    if "object" not in (_types(described) or ["object"]):
        described = {"type": "object", "properties": {RESULT: described}, "required": [RESULT]}
    # Whoever stops at the first form that fits has nothing to check.
    return {"type": "object", "anyOf": [{}, described]}


def wrap_output(value: object) -> Json:
    """`structuredContent` in the published form: an object as it is, everything else inside one."""
    return value if isinstance(value, dict) else {RESULT: value}


class _Inlining:
    """A schema without references, made from the root outwards until MAX_SCHEMA_BYTES are full."""

    def __init__(self, schema: Mapping[str, object]) -> None:
        definitions = schema.get("$defs")
        self._definitions = definitions if isinstance(definitions, Mapping) else {}
        self._root = schema
        self._room = MAX_SCHEMA_BYTES

    def described(self) -> Json:
        root: Json = {}
        level: list[tuple[Json, object]] = [(root, self._root)]
        for _ in range(MAX_DEPTH):
            level = [below for place, schema in level for below in self._fill(place, schema)]
        return root

    def _fill(self, place: Json, schema: object) -> list[tuple[Json, object]]:
        """Describe `schema` in `place`.

        Its subschemas are empty; what belongs there is the answer.
        """
        resolved = self._resolved(schema)
        later: list[tuple[Json, object]] = []
        made = dict(chain(_plain_members(resolved), _nested_members(resolved, later)))
        size = len(encode_json(made))
        if size > self._room:
            # What comes after it may be smaller, but the nearer ones would have gone first.
            self._room = 0
            return []
        self._room -= size
        place.update(made)
        return later

    def _resolved(self, schema: object) -> Mapping[str, object]:
        """The schema with what it refers to; what stands beside a reference wins."""
        merged: Json = {}
        for _ in range(_MAX_REFERENCES):
            if not isinstance(schema, Mapping):
                return merged
            merged = {**{k: v for k, v in schema.items() if k != "$ref"}, **merged}
            schema = self._definition(schema.get("$ref"))
        return {}

    def _definition(self, reference: object) -> object:
        prefix = "#/$defs/"
        if not isinstance(reference, str) or not reference.startswith(prefix):
            return None
        name = reference.removeprefix(prefix).replace("~1", "/").replace("~0", "~")
        return self._definitions.get(name)


def _plain_members(schema: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    if kinds := _types(schema):
        yield "type", kinds if len(kinds) > 1 else kinds[0]
    for word in ("title", "description"):
        if isinstance(schema.get(word), str):
            yield word, schema[word]
    known = schema.get("format")
    if isinstance(known, str) and known in _FORMATS:
        yield "format", known
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        yield "enum", choices
    if "const" in schema:
        yield "const", schema["const"]


def _types(schema: Mapping[str, object]) -> list[str]:
    given = schema.get("type")
    kinds = given if isinstance(given, list) else [given]
    return list(dict.fromkeys(kind for kind in kinds if isinstance(kind, str) and kind in _TYPES))


def _nested_members(
    schema: Mapping[str, object], later: list[tuple[Json, object]]
) -> Iterator[tuple[str, object]]:
    """Members that hold schemas, each an empty one for now; `later` gets what belongs there."""

    def place(subschema: object) -> Json:
        made: Json = {}
        later.append((made, subschema))
        return made

    properties = schema.get("properties")
    if isinstance(properties, Mapping) and properties:
        yield "properties", {str(name): place(each) for name, each in properties.items()}
    required = schema.get("required")
    if isinstance(required, list) and required and all(isinstance(each, str) for each in required):
        yield "required", list(dict.fromkeys(required))
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), Mapping):
            yield word, place(schema[word])
    for word in ("anyOf", "oneOf", "allOf"):
        forms = schema.get(word)
        if isinstance(forms, list) and forms:
            yield word, [place(each) for each in forms]
