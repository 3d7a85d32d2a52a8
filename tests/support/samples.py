"""Arguments that a tool's published schema admits, as few as each schema needs."""

import re
from collections.abc import Callable, Mapping

from gateway.catalog import Tool

_CLASS_RUN = re.compile(r"\[(.)[^\]]*\]\{(\d+)\}")
_CHOICE = re.compile(r"\((\w+)(?:\|\w+)*\)")


def sample_arguments(tool: Tool) -> dict[str, object]:
    """A value for every argument of `tool`."""
    definitions = tool.input_schema.get("$defs", {})
    properties = tool.input_schema.get("properties", {})
    assert isinstance(definitions, dict)
    assert isinstance(properties, dict)
    return {name: sample(schema, definitions) for name, schema in properties.items()}


def sample(schema: object, definitions: Mapping[str, object]) -> object:
    """A value of `schema`: first alternatives, required properties, one item."""
    known = _chosen(schema, definitions)
    if isinstance(values := known.get("enum"), list):
        return values[0]
    kind = known.get("type")
    makers: Mapping[object, Callable[[], object]] = {
        "object": lambda: _members(known, definitions),
        "array": lambda: [sample(known.get("items"), definitions)],
        "integer": lambda: known.get("minimum", 1),
        "number": lambda: known.get("minimum", 1),
        "boolean": lambda: True,
    }
    return makers.get(kind[0] if isinstance(kind, list) else kind, lambda: _text(known))()


def _chosen(schema: object, definitions: Mapping[str, object]) -> dict[str, object]:
    """The plain schema behind references and compositions."""
    known: dict[str, object] = dict(schema) if isinstance(schema, Mapping) else {}
    if isinstance(ref := known.get("$ref"), str):
        known = _chosen(definitions[ref.removeprefix("#/$defs/")], definitions) | {
            key: value for key, value in known.items() if key != "$ref"
        }
    parts = [_list(known.pop(key, None))[:1] for key in ("anyOf", "oneOf")]
    for part in [*parts[0], *parts[1], *_list(known.pop("allOf", None))]:
        more = _chosen(part, definitions)
        named = {**_dict(known.get("properties")), **_dict(more.get("properties"))}
        needed = [*_list(known.get("required")), *_list(more.get("required"))]
        known |= more | {"properties": named, "required": needed}
    return known


def _members(schema: Mapping[str, object], definitions: Mapping[str, object]) -> dict[str, object]:
    """The required members; optional ones are no end of recursive and disagreeing schemas."""
    properties = _dict(schema.get("properties"))
    return {
        str(name): sample(properties.get(str(name)), definitions)
        for name in _list(schema.get("required"))
    }


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _text(schema: Mapping[str, object]) -> str:
    if isinstance(pattern := schema.get("pattern"), str):
        one_choice = _CHOICE.sub(r"\1", pattern.strip("^$"))
        return _CLASS_RUN.sub(lambda found: found[1] * int(found[2]), one_choice)
    if "contentEncoding" in schema:
        return "eA=="
    shortest = schema.get("minLength", 1)
    return "x" * (shortest if isinstance(shortest, int) else 1)
