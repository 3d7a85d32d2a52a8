"""A Tool by the OCP tool schema (OCP 1.0), which knows one type word per parameter.

The whole truth of an argument stands in its `schema`, together with `x-name`, its name on the wire
where that differs, and `x-location: cookie`, a place that the protocol has no word for.
"""

from collections.abc import Mapping

from gateway.catalog import Argument, Tool
from gateway.openapi import LEFT_OUT, canonical

Json = dict[str, object]

_PREFIX = "#/$defs/"
# Of one tool, in bytes of JSON. MCP's input schema has each definition once, and all of it.
MAX_DEFINITIONS = 131_072
_TYPES = ("object", "array", "string", "number", "integer", "boolean")
# Members that a parameter repeats from its schema, with the type that the protocol gives each.
_COPIED: Mapping[str, type | tuple[type, ...]] = {
    "enum": list,
    "format": str,
    "items": dict,
    "properties": dict,
    "minimum": (int, float),
    "maximum": (int, float),
    "minLength": int,
    "maxLength": int,
    "pattern": str,
}


def ocp_tool(tool: Tool) -> Json:
    """The tool's OCP definition, always under its generated name.

    What the configuration fixes is no parameter of it.
    """
    schema = tool.input_schema
    properties = schema.get("properties", {})
    definitions = _Definitions(schema.get("$defs"))
    found = properties if isinstance(properties, dict) else {}
    definition: Json = {
        "name": tool.name,
        "description": tool.description,
        "method": tool.method,
        "path": tool.path,
        "operation_id": tool.operation_id,
        "parameters": {
            a.name: _parameter(a, found.get(a.name, {}), definitions) for a in tool.open_arguments
        },
        "response_schema": _response(tool.response_schema),
        "tags": list(tool.tags),
        "deprecated": tool.deprecated,
    }
    if (security := tool.security) is not None:
        definition["security"] = security
    return definition


class _Definitions:
    """One tool's `$defs`, and which of them each parameter needs.

    Every parameter repeats its own, so that together they have a bound: MAX_DEFINITIONS.
    """

    def __init__(self, definitions: object) -> None:
        self._all: Json = definitions if isinstance(definitions, dict) else {}
        self._named: dict[str, frozenset[str]] = {}
        self._sizes: dict[str, int] = {}
        self._room = MAX_DEFINITIONS

    def needed_by(self, schema: object) -> Json:
        """The definitions that `schema` leads to, in the order of all.

        Where there is no room for one, it admits everything: the nearest ones come first.
        """
        reached: dict[str, object] = {}
        todo = _referred(schema)
        while todo:
            for name in sorted(todo & self._all.keys()):
                self._room -= self._size(name)
                reached[name] = self._all[name] if self._room >= 0 else LEFT_OUT
            kept = (name for name in todo if reached.get(name, LEFT_OUT) is not LEFT_OUT)
            todo = frozenset().union(*map(self._needed, kept)) - reached.keys()
        return {name: reached[name] for name in self._all if name in reached}

    def _size(self, name: str) -> int:
        if name not in self._sizes:
            self._sizes[name] = len(canonical(self._all[name]))
        return self._sizes[name]

    def resolved(self, schema: Json) -> Json:
        """The schema that a chain of references ends at."""
        for _ in range(32):
            ref = schema.get("$ref")
            if not isinstance(ref, str):
                break
            target = self._all.get(ref.removeprefix(_PREFIX))
            schema = target if isinstance(target, dict) else {}
        return schema

    def _needed(self, name: str) -> frozenset[str]:
        if name not in self._named:
            self._named[name] = _referred(self._all.get(name))
        return self._named[name]


def _referred(schema: object) -> frozenset[str]:
    """The names of the definitions that a schema's own references lead to.

    Data that looks like a reference counts, too: what is not needed does no harm.
    """
    found: set[str] = set()
    todo = [schema]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            choices = value.get("mapping")  # of a discriminator
            refs = [value.get("$ref"), *(choices.values() if isinstance(choices, dict) else ())]
            found.update(ref.removeprefix(_PREFIX) for ref in refs if isinstance(ref, str))
            todo.extend(value.values())
        elif isinstance(value, list):
            todo.extend(value)
    return frozenset(found)


def _parameter(argument: Argument, schema: Json, definitions: _Definitions) -> Json:
    whole: Json = dict(schema)
    if needed := definitions.needed_by(schema):
        whole["$defs"] = needed
    if argument.name != argument.original:
        whole["x-name"] = argument.original
    if argument.location == "cookie":
        whole["x-location"] = "cookie"
    resolved = definitions.resolved(schema)
    described = schema.get("description", resolved.get("description", ""))
    parameter: Json = {
        "type": _type(resolved, definitions) or "string",
        "required": argument.required,
        "location": "header" if argument.location == "cookie" else argument.location,
        "schema": whole,
        "description": described if isinstance(described, str) else "",
    }
    if "default" in resolved:
        parameter["default"] = resolved["default"]
    for key, kind in _COPIED.items():
        value = resolved.get(key)
        # `items` and `properties` stand beside `schema`, out of reach of its `$defs`.
        if isinstance(value, kind) and not isinstance(value, bool) and not _referred(value):
            parameter[key] = value
    return parameter


def _type(schema: Json, definitions: _Definitions, levels: int = 8) -> str | None:
    """One word for what may be a list or a composition; None where nothing is said."""
    given = schema.get("type")
    for word in given if isinstance(given, list) else [given]:
        if word in _TYPES:
            return str(word)
    for key in ("anyOf", "oneOf", "allOf"):
        parts = schema.get(key) if levels else None
        for part in parts if isinstance(parts, list) else []:
            target = definitions.resolved(part) if isinstance(part, dict) else {}
            if word := _type(target, definitions, levels - 1):
                return word
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    return "array" if "items" in schema else _type_of_value(schema)


def _type_of_value(schema: Json) -> str | None:
    values = schema.get("enum")
    sample = values[0] if isinstance(values, list) and values else schema.get("const")
    if isinstance(sample, bool):
        return "boolean"
    if isinstance(sample, int | float):
        return "number"
    return "string" if isinstance(sample, str) else None


def _response(schema: Json) -> Json:
    """The protocol wants one type word at the root, and objects for `properties` and `items`."""
    if not isinstance(schema.get("type", ""), str) or isinstance(schema.get("items", {}), bool):
        definitions = schema.get("$defs")
        wrapped: Json = {"anyOf": [{k: v for k, v in schema.items() if k != "$defs"}]}
        return wrapped | ({"$defs": definitions} if definitions else {})
    return schema
