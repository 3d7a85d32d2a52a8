"""An operation's parameters and body as one flat set of named arguments (docs/names.md)."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

from gateway.catalog.files import Files, is_binary, read_form
from gateway.catalog.media import BodyForm, body_form
from gateway.openapi import (
    MAX_CHAIN,
    Body,
    Direction,
    Document,
    Node,
    OneWay,
    Operation,
    Parameter,
    Schema,
    join,
)

_USABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,63}")
_FOREIGN = re.compile(r"[^a-zA-Z0-9_]")
_RANK = {"path": 0, "query": 1, "header": 2, "cookie": 3, "body": 4}
# Beside these, a keyword at the root of a body's schema says something about the object as a whole
# that separate arguments could not keep.
_FLAT_KEYWORDS = frozenset(
    {"type", "properties", "required", "additionalProperties", "title", "description"}
    | {"example", "examples", "default", "deprecated", "externalDocs", "xml", "readOnly"}
    | {"writeOnly"}
)
_FLAT_FORMS = frozenset({BodyForm.JSON, BodyForm.FORM, BodyForm.MULTIPART})
_SCHEMA = (dict, bool)
# A reference with nothing but words beside it.
_NAMED = frozenset({"$ref", "title", "summary", "description"})


class BodyMode(StrEnum):
    """How the arguments make the body."""

    NONE = "none"
    EMPTY = "empty"  # an object without members
    FLAT = "flat"  # one argument per property
    WHOLE = "whole"  # the one argument `body`


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """`name` is the key in the published schema, `original` the name on the wire.

    `schema_pointer` is the place of its schema. `parameter` says how the value is written; None
    for what goes into the body.
    """

    name: str
    original: str
    location: str
    required: bool
    schema: Schema
    schema_pointer: str
    description: str = ""
    parameter: Parameter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """All arguments of one operation, in the order path, query, header, cookie, body, by name.

    `body_form` is how they make the body. `files` are the members of a multipart body that may be
    files, those without a name of their own under None.
    """

    items: tuple[Argument, ...]
    body_mode: BodyMode
    body_form: BodyForm = BodyForm.JSON
    files: Files = field(default_factory=dict)


def read_arguments(
    operation: Operation, document: Document, *, whole_body: bool = False
) -> Arguments:
    """The arguments of `operation`, under names that are unique among them.

    `whole_body`: any body is the one argument `body`, also where separate ones could make it.
    """
    parts = [
        Argument(
            name=argument_name(p.name, p.location),
            original=p.name,
            location=p.location,
            required=p.required,
            schema=p.schema,
            schema_pointer=p.schema_pointer,
            description=p.description,
            parameter=p,
        )
        for p in operation.parameters
    ]
    if operation.body is None:
        return Arguments(items=_told_apart(parts), body_mode=BodyMode.NONE)
    found = _read_body(operation.body, document, whole=whole_body)
    return Arguments(
        items=_told_apart([*parts, *found.items]),
        body_mode=found.body_mode,
        body_form=found.body_form,
        files=found.files,
    )


@lru_cache(maxsize=4_096)
def argument_name(original: str, location: str) -> str:
    """`original` where it is usable as it is, else its nearest usable form."""
    if _USABLE.fullmatch(original):
        return original
    name = _FOREIGN.sub("_", original).lstrip("_") or "p"
    if name[0].isdigit():
        name = f"p_{name}"
    return name if len(name) <= 64 else name[:58] + _hash(original, location)


def _hash(original: str, location: str, digits: int = 6) -> str:
    subject = f"{location} {original}".encode(errors="surrogatepass")
    return sha256(subject).hexdigest()[:digits]


def _told_apart(parts: list[Argument]) -> tuple[Argument, ...]:
    """The first place keeps a name, later places say where they are, the rest take a hash."""
    if len({part.name for part in parts}) < len(parts):
        parts = _renamed(parts)
    return tuple(sorted(parts, key=lambda a: (_RANK[a.location], a.name)))


def _renamed(parts: list[Argument]) -> list[Argument]:
    first: dict[str, int] = {}
    for part in parts:
        rank = _RANK[part.location]
        first[part.name] = min(rank, first.get(part.name, rank))
    moved = [
        part
        if first[part.name] == _RANK[part.location]
        else replace(part, name=_cut(f"{part.name}_{part.location}", part))
        for part in parts
    ]
    for digits in (6, 12, 24):  # more only where a parameter is called what a hash made
        counts = Counter(part.name for part in moved)
        moved = [
            part if counts[part.name] == 1 or part.name == part.original else _hashed(part, digits)
            for part in moved
        ]
    return moved


def _hashed(part: Argument, digits: int) -> Argument:
    name = part.name[: 64 - digits] + _hash(part.original, part.location, digits)
    return replace(part, name=name)


def _cut(name: str, part: Argument) -> str:
    return name if len(name) <= 64 else name[:58] + _hash(part.original, part.location)


def _read_body(body: Body, document: Document, *, whole: bool) -> Arguments:
    """The arguments that make the body, under the names that they would have alone."""
    root = _root(body, document)
    form = body_form(body.media_type, is_binary=is_binary(root.value))
    files: Files = {}
    if form is BodyForm.MULTIPART:
        read = read_form(root, document, body.encodings)
        root, files = read.root, read.files
    mode, items = BodyMode.WHOLE, [_whole(body, form, root)]
    may_be_flat = form in _FLAT_FORMS and not whole
    if may_be_flat and isinstance(root.value, dict) and _is_flat(root.value, body):
        if parts := _properties(root.value, root.pointer, OneWay(document)):
            mode, items = BodyMode.FLAT, parts
        elif root.value.get("additionalProperties") is False:
            mode, items = BodyMode.EMPTY, []
    return Arguments(items=tuple(items), body_mode=mode, body_form=form, files=files)


def _whole(body: Body, form: BodyForm, root: Node) -> Argument:
    """The argument `body`, with a schema that only admits what can be sent."""
    schema, pointer = body.schema, body.pointer
    description = body.description
    value = root.value if isinstance(root.value, dict) else {}
    if form in (BodyForm.FORM, BodyForm.MULTIPART):
        schema, pointer = {**value, "type": "object", "nullable": False}, root.pointer
    elif form is BodyForm.BINARY:
        schema = {"type": "string", "contentEncoding": "base64"}
        description = description or f"The bytes of the body ({body.media_type}) in base64."
    elif form is BodyForm.TEXT and value.get("type") != "string":
        schema = {"type": "string"}
        description = description or f"The text of the body ({body.media_type})."
    return Argument(
        name="body",
        original="body",
        location="body",
        required=body.required,
        schema=schema,
        schema_pointer=pointer,
        description=description,
    )


def _root(body: Body, document: Document) -> Node:
    """The body's schema itself, as far as plain references lead to it."""
    node = Node(value=body.schema, pointer=body.pointer)
    for _ in range(MAX_CHAIN):
        value = node.value
        ref = value.get("$ref") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(ref, str) or value.keys() - _NAMED:
            break
        node = document.lookup(ref, node.pointer)
    return node


def _is_flat(schema: Mapping[str, object], body: Body) -> bool:
    """Whether arguments can say all that the object says."""
    properties = schema.get("properties", {})
    kind = schema.get("type", "object" if properties else None)
    required = schema.get("required") or ()
    return (
        kind == "object"
        and isinstance(properties, dict)
        and all(key in _FLAT_KEYWORDS or key.startswith("x-") for key in schema)
        and schema.get("additionalProperties", False) is False
        and isinstance(required, list | tuple)
        # A required property that is not declared could never be given.
        and all(isinstance(name, str) and name in properties for name in required)
        and (body.required or not required)
    )


def _properties(schema: Mapping[str, object], pointer: str, one_way: OneWay) -> list[Argument]:
    properties, required = schema.get("properties", {}), schema.get("required") or ()
    if not isinstance(properties, dict) or not isinstance(required, list | tuple):
        return []
    at = join(pointer, "properties")
    return [
        Argument(
            name=argument_name(str(name), "body"),
            original=str(name),
            location="body",
            required=name in required,
            schema=part if isinstance(part, _SCHEMA) else True,
            schema_pointer=join(at, str(name)),
        )
        for name, part in properties.items()
        if Direction.INPUT.value not in one_way.words(part, pointer)
    ]
