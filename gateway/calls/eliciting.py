"""A form for arguments that a call lacks, where a form can hold them."""

from collections.abc import Iterable, Mapping

from gateway.calls.validation import REQUIRED
from gateway.catalog import Tool
from gateway.errors import Fault, InputRequest

Json = Mapping[str, object]

ARGUMENTS = "arguments"
MAX_FIELDS = 20
MAX_GIVEN = 2_048
"""Bytes of compact JSON that the answers may be: they travel with the call from round to round."""

# MCP 2025-11-25, PrimitiveSchemaDefinition.
_FORMATS = frozenset({"email", "uri", "date", "date-time"})
_SAID = ("title", "description", "default")
_KEPT: Mapping[str, tuple[str, ...]] = {
    "string": ("minLength", "maxLength"),
    "number": ("minimum", "maximum"),
    "integer": ("minimum", "maximum"),
    "boolean": (),
}
# What a form cannot say and a person could not follow.
_COMPOSED = frozenset({"anyOf", "oneOf", "allOf", "not", "if", "const", "$dynamicRef"})
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
}
_MAX_REFS = 8


def missing_arguments(faults: Iterable[Fault]) -> tuple[str, ...]:
    """The names of arguments that are missing, where nothing else is wrong; else none."""
    found = tuple(faults)
    names = [fault.pointer[1:] for fault in found if fault.message == REQUIRED]
    if len(names) < len(found) or any("/" in name for name in names):
        return ()
    return tuple(names)


def arguments_request(tool: Tool, names: tuple[str, ...]) -> InputRequest | None:
    """The question for these arguments; None where no form can hold one of them."""
    if not 0 < len(names) <= MAX_FIELDS:
        return None
    schema = tool.input_schema
    properties, definitions = schema.get("properties"), schema.get("$defs")
    if not isinstance(properties, dict):
        return None
    known = definitions if isinstance(definitions, dict) else {}
    fields = {name: _field(properties.get(name), known) for name in names}
    if not all(fields.values()):
        return None
    form = {"type": "object", "properties": fields, "required": list(names)}
    plural = "s" if len(names) > 1 else ""
    message = f"{tool.name} ({tool.method} {tool.path[:500]} of {tool.api}) needs {len(names)} more"
    params = {"message": f"{message} argument{plural}.", "requestedSchema": form}
    return InputRequest(method="elicitation/create", params=params)


def _field(schema: object, definitions: Json) -> dict[str, object] | None:
    """A flat primitive's schema as a form has it, None for anything else and for secrets."""
    resolved = _resolved(schema, definitions)
    if resolved is None or not _COMPOSED.isdisjoint(resolved):
        return None
    kind = _kind(resolved.get("type"))
    # MCP: no secrets by form.
    if kind is None or resolved.get("format") == "password" or resolved.get("writeOnly") is True:
        return None
    field: dict[str, object] = {"type": kind}
    field |= {key: resolved[key] for key in (*_SAID, *_KEPT[kind]) if key in resolved}
    if not _is_of(kind, field.get("default")):
        field.pop("default", None)
    if kind == "string" and resolved.get("format") in _FORMATS:
        field["format"] = resolved["format"]
    return field if "enum" not in resolved else _chosen(field, resolved["enum"])


def _chosen(field: dict[str, object], choices: object) -> dict[str, object] | None:
    """Forms have choices among texts only; an absent value is no choice."""
    named = [c for c in choices if c is not None] if isinstance(choices, list) else []
    if field["type"] != "string" or not named or not all(isinstance(c, str) for c in named):
        return None
    kept = {key: value for key, value in field.items() if key in ("type", *_SAID)}
    return {**kept, "enum": named}


def _is_of(kind: str, value: object) -> bool:
    return isinstance(value, _TYPES[kind]) and isinstance(value, bool) == (kind == "boolean")


def _kind(given: object) -> str | None:
    kinds = [kind for kind in given if kind != "null"] if isinstance(given, list) else [given]
    (kind,) = kinds if len(kinds) == 1 else (None,)
    return kind if isinstance(kind, str) and kind in _KEPT else None


def _resolved(schema: object, definitions: Json) -> dict[str, object] | None:
    """What stands beside a reference comes before what it leads to."""
    if not isinstance(schema, dict):
        return None
    for _ in range(_MAX_REFS):
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        target = definitions.get(reference.removeprefix("#/$defs/"))
        if not isinstance(target, dict):
            return None
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**target, **beside}
    return None


def given_values(names: tuple[str, ...], content: object) -> dict[str, object]:
    """Of a filled-in form, what was asked for."""
    if not isinstance(content, Mapping):
        return {}
    return {name: content[name] for name in names if name in content}
