"""What schemas call themselves: `$anchor`, `$dynamicAnchor`, `$id` (JSON Schema 2020-12 8.2)."""

from collections.abc import Mapping
from dataclasses import dataclass

# Their values are data: a `$ref` or an `$anchor` in there is nobody's (OpenAPI 3.1 section 4.8.20
# allows a reference in place of an Example Object, which no tool is made of).
DATA_MEMBERS = frozenset({"example", "examples", "default", "enum", "const"})
# Where keys are names of the author's choosing, or statuses, of which `default` is one.
NAME_MEMBERS = frozenset(
    {"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"}
    | {"schemas", "responses", "parameters", "requestBodies", "headers", "callbacks", "links"}
    | {"pathItems", "webhooks", "encoding"}
)
_ANCHORS = ("$anchor", "$dynamicAnchor")

_Way = tuple["_Way", str] | None
"""The steps from the top, the last one first to hand."""


@dataclass(slots=True)
class Named:
    """A schema with a name, which may be another one's as well. `way` leads to it."""

    value: object
    way: _Way
    is_one_of_several: bool = False

    def tokens(self) -> list[str]:
        """The tokens of its JSON Pointer, unescaped; only made where one is wanted."""
        tokens: list[str] = []
        way = self.way
        while way is not None:
            way, token = way
            tokens.append(token)
        return tokens[::-1]


def read_names(root: object) -> Mapping[str, Named]:
    """The schemas of one document by their names: `#anchor`, or an `$id` without a last `#`."""
    found: dict[str, Named] = {}
    todo: list[tuple[object, bool, _Way]] = [(root, False, None)]
    while todo:
        value, named, way = todo.pop()
        if isinstance(value, list):
            todo += [(part, False, (way, str(index))) for index, part in enumerate(value)]
        if not isinstance(value, dict):
            continue
        for name in () if named else _names_of(value):
            if name in found:
                found[name].is_one_of_several = True
            else:
                found[name] = Named(value, way)
        for key, part in value.items():
            is_data = not named and (key in DATA_MEMBERS or str(key).startswith("x-"))
            if isinstance(part, dict | list) and not is_data:
                todo.append((part, key in NAME_MEMBERS and not named, (way, str(key))))
    return found


def _names_of(schema: Mapping[str, object]) -> set[str]:
    found = {f"#{name}" for key in _ANCHORS if isinstance(name := schema.get(key), str)}
    if isinstance(uri := schema.get("$id"), str):
        found.add(uri.removesuffix("#"))
    return found
