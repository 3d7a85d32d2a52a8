"""Swagger 2.0 operations in the words of OpenAPI 3: parameters, form data, bodies."""

from collections.abc import Mapping, Sequence

from gateway.openapi.document import Document, Node, join, quoted
from gateway.openapi.emptiness import admit_empty
from gateway.openapi.model import Body, Encoding, Parameter
from gateway.openapi.parameters import (
    Skip,
    Warnings,
    entries,
    is_settable,
    leave_out,
    preference,
    settle_path,
)

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
# How a list is written: OpenAPI 3's style and explode for each `collectionFormat`.
_FORMATS: Mapping[str, tuple[str, bool]] = {
    "csv": ("form", False),
    "ssv": ("spaceDelimited", False),
    "tsv": ("tabDelimited", False),
    "pipes": ("pipeDelimited", False),
    "multi": ("form", True),
}
_PLACES = frozenset({"path", "query", "header", "formData", "body"})
# Members of a Parameter Object that are no part of its value's schema.
_NOT_SCHEMA = frozenset(
    {"name", "in", "required", "description", "collectionFormat", "allowEmptyValue"}
)
_REPEATING = frozenset({"query", "formData"})


def read_inputs(
    document: Document, path: str, shared: Node | None, node: Node
) -> tuple[tuple[Parameter, ...], Body | None, Warnings]:
    """Parameters and body of one operation; `shared` are its path item's parameters.

    Raises Skip or UnresolvedRef.
    """
    warnings: Warnings = []
    found = _collect(document, shared, node.child("parameters"), warnings)
    parameters: dict[tuple[str, str], Parameter] = {}
    form: list[Node] = []
    body: Node | None = None
    for (location, name), entry in found.items():
        if location == "body":
            body = entry
        elif location == "formData":
            form.append(entry)
        elif location != "header" or is_settable(name, entry.pointer, warnings):
            parameters[location, name] = _parameter(entry, name, location)
    settle_path(path, parameters, node.pointer, warnings)
    consumes = media_types(document, node, "consumes")
    made = _body(body, consumes) if body else _form_body(form, consumes, node.pointer)
    return tuple(parameters.values()), made, warnings


def media_types(document: Document, node: Node, member: str) -> list[str]:
    """`consumes` or `produces` of an operation, else of the whole description."""
    own = node.value.get(member) if isinstance(node.value, dict) else None
    given = own if isinstance(own, list) else document.root.get(member)
    return [m for m in given if isinstance(m, str)] if isinstance(given, list) else []


def _collect(
    document: Document, shared: Node | None, own: Node | None, warnings: Warnings
) -> dict[tuple[str, str], Node]:
    """The parameters by place and name, an operation's own over its path item's."""
    found: dict[tuple[str, str], Node] = {}
    for nodes in (shared, own):
        for entry in entries(nodes):
            target = document.follow(entry)
            raw = target.value
            if not isinstance(raw, dict):
                raise Skip(target.pointer, "a parameter is an object")
            name, location = raw.get("name"), raw.get("in")
            if not isinstance(name, str) or not name:
                leave_out(target, "the parameter has no name", warnings)
                continue
            if not isinstance(location, str) or location not in _PLACES:
                raise Skip(target.pointer, f"the parameter {quoted(name)} has no usable `in`")
            # There is one body only, whatever it is called (Swagger 2.0, Parameter Object).
            found[location, "" if location == "body" else name] = target
    return found


def _parameter(node: Node, name: str, location: str) -> Parameter:
    raw = _members(node)
    style, explode = _format(raw, location)
    return Parameter(
        name=name,
        location=location,
        required=raw.get("required") is True or location == "path",
        schema=_schema(raw),
        pointer=node.pointer,
        schema_pointer=node.pointer,
        style=style,
        explode=explode,
        allow_empty=location == "query" and raw.get("allowEmptyValue") is True,
        description=_description(raw),
        nested=_nested(raw),
    )


def _body(node: Node, consumes: Sequence[str]) -> Body:
    raw = _members(node)
    schema, pointer = raw.get("schema"), join(node.pointer, "schema")
    if schema is None:
        schema = True
    if not isinstance(schema, dict | bool):
        raise Skip(pointer, "the body's schema is no schema")
    usable = [m for m in consumes if m not in (_FORM, _MULTIPART)]
    return Body(
        media_type=min(usable, key=preference, default="application/json"),
        schema=schema,
        pointer=pointer,
        required=raw.get("required") is True,
        description=_description(raw),
    )


def _form_body(form: Sequence[Node], consumes: Sequence[str], pointer: str) -> Body | None:
    """Form parameters as the object that OpenAPI 3 makes of them."""
    if not form:
        return None
    fields = {str(_members(node)["name"]): _members(node) for node in form}
    required = [name for name, raw in fields.items() if raw.get("required") is True]
    has_file = any(raw.get("type") == "file" for raw in fields.values())
    multipart = has_file or (_MULTIPART in consumes and _FORM not in consumes)
    styles = {
        name: _format(raw, "formData") for name, raw in fields.items() if raw.get("type") == "array"
    }
    return Body(
        media_type=_MULTIPART if multipart else _FORM,
        schema={
            "type": "object",
            "properties": {name: _field(raw) for name, raw in fields.items()},
            "required": required,
        },
        pointer=join(pointer, "parameters"),
        required=bool(required),
        encodings={
            name: Encoding(style=style, explode=explode, nested=_nested(fields[name]))
            for name, (style, explode) in styles.items()
        },
    )


def _field(raw: Mapping[str, object]) -> dict[str, object]:
    schema = _schema(raw) | ({"description": text} if (text := _description(raw)) else {})
    if raw.get("type") == "file":
        return schema | {"type": "string", "format": "binary"}
    return admit_empty(schema) if raw.get("allowEmptyValue") is True else schema


def _format(raw: Mapping[str, object], location: str) -> tuple[str, bool]:
    """Style and explode of a list: csv by default, `multi` in queries and forms only."""
    style, explode = _declared(raw)
    if location in _REPEATING:
        return style, explode
    return "simple" if style == "form" else style, False


def _nested(raw: Mapping[str, object]) -> tuple[str, ...]:
    """The styles of lists in lists; `multi` is for whole parameters only (Items Object)."""
    found: list[str] = []
    items = raw.get("items")
    while isinstance(items, dict) and items.get("type") == "array":
        found.append(_declared(items)[0])
        items = items.get("items")
    return tuple(found)


def _declared(raw: Mapping[str, object]) -> tuple[str, bool]:
    given = raw.get("collectionFormat")
    return _FORMATS.get(given if isinstance(given, str) else "csv", _FORMATS["csv"])


def _schema(raw: Mapping[str, object]) -> dict[str, object]:
    """A Swagger parameter is its own schema."""
    return {key: value for key, value in raw.items() if key not in _NOT_SCHEMA}


def _members(node: Node) -> Mapping[str, object]:
    return node.value if isinstance(node.value, dict) else {}


def _description(raw: Mapping[str, object]) -> str:
    text = raw.get("description")
    return text.strip() if isinstance(text, str) else ""
