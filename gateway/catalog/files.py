"""The members of a multipart form that are files: which they are, and what their arguments take.

OpenAPI describes a file as a string of bytes, which no argument can be. The published schema says
what is taken instead: base64 text, or an object that also names and types the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.catalog.media import is_bytes
from gateway.openapi import Document, Encoding, Node, Schema, base_of, essence_of, join

Json = dict[str, object]

# A file deeper in compositions, references and lists than this is no description of a form.
MAX_LEVELS = 8
MAX_PARTS = 200
FILE_MEMBERS = frozenset({"filename", "content_type", "data", "text"})
_BASE64 = {"type": "string", "contentEncoding": "base64"}
_FILE: Json = {
    "anyOf": [
        _BASE64,
        {
            "type": "object",
            "properties": {
                "filename": {"type": "string"},
                "content_type": {"type": "string"},
                "data": _BASE64,
                "text": {"type": "string"},
            },
            "oneOf": [{"required": ["data"]}, {"required": ["text"]}],
            "additionalProperties": False,
        },
    ]
}
_HINT = "A file: its bytes in base64, or an object with `data` (base64) or `text`."
_KEPT = ("title", "description", "deprecated", "nullable", "readOnly", "writeOnly")
_COMPOSED = ("allOf", "anyOf", "oneOf")
_NO_STRING = frozenset({"$ref", "properties", "items", "additionalProperties", "enum", *_COMPOSED})
_NO_ENCODING = Encoding()


class FileUse(StrEnum):
    """What a bare text means for a member that may be a file."""

    BASE64 = "base64"
    TEXT = "text"  # the description admits a text there that is no file


Uses = frozenset[FileUse]
_NONE: Uses = frozenset()
_TEXT: Uses = frozenset({FileUse.TEXT})
_BASE64_USE: Uses = frozenset({FileUse.BASE64})

Files = Mapping[str | None, FileUse]
"""The members that may be files; under None, those that have no name of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A multipart body's schema as it is published, and its files."""

    root: Node
    files: Files


def is_binary(schema: object, media_type: str | None = None) -> bool:
    """Whether a Schema Object means bytes: OpenAPI 3.0's `format: binary`, 3.1's media type.

    What has an encoding of its own (`format: byte`, `contentEncoding`) is text on the wire.
    `media_type` is the one that an Encoding Object gives.
    """
    if not isinstance(schema, Mapping) or any(key in schema for key in _NO_STRING):
        return False
    kind = schema.get("type", "string")
    kinds = {str(k) for k in (kind if isinstance(kind, list | tuple) else [kind])} - {"null"}
    if kinds == {"file"}:  # Swagger 2.0
        return True
    if kinds != {"string"} or "contentEncoding" in schema:
        return False
    if "format" in schema:
        return bool(schema["format"] == "binary")
    content = schema.get("contentMediaType", media_type)
    return isinstance(content, str) and is_bytes(essence_of(content))


def read_form(root: Node, document: Document, encodings: Mapping[str, Encoding]) -> Form:
    """The schema of a multipart body with its files told apart; `root` is no plain reference."""
    reader = _Reader(document, encodings)
    return Form(root=reader.body(root, MAX_LEVELS), files=reader.files)


class _Reader:
    """One form under way. Looks at no more than MAX_PARTS of each member: parts may repeat."""

    def __init__(self, document: Document, encodings: Mapping[str, Encoding]) -> None:
        self._document = document
        self._encodings = encodings
        self._left = 0
        self._left_of_body = MAX_PARTS
        self.files: dict[str | None, FileUse] = {}

    def body(self, given: Node, levels: int) -> Node:
        """The object that is the form, or a part of its composition; `given` if it has no file."""
        node = self._document.follow(given)
        self._left_of_body -= 1
        if not isinstance(node.value, Mapping) or not levels or self._left_of_body < 0:
            return given
        changed = self._members(node)
        for key, parts in _branches(node):
            found = [_inlined(part, self.body(part, levels - 1)) for part in parts]
            if any(new is not part.value for new, part in zip(found, parts, strict=True)):
                changed[key] = found
        return Node(value={**node.value, **changed}, pointer=node.pointer) if changed else given

    def _members(self, node: Node) -> Json:
        """`properties` and `additionalProperties` as published, those that have files."""
        changed: Json = {}
        named = node.child("properties")
        if named is not None and isinstance(named.value, Mapping):
            parts = {
                name: self._member(
                    str(name), Node(value=part, pointer=join(named.pointer, str(name)))
                )
                for name, part in named.value.items()
            }
            if any(parts[name] is not part for name, part in named.value.items()):
                changed["properties"] = parts
        others = node.child("additionalProperties")
        if others is not None and (found := self._member(None, others)) is not others.value:
            changed["additionalProperties"] = found
        return changed

    def _member(self, name: str | None, node: Node) -> object:
        """The schema of one member; what a text means for it is noted."""
        self._left = MAX_PARTS
        media_type = self._encodings.get(name or "", _NO_ENCODING).media_type
        found, uses = self._read(node, media_type, MAX_LEVELS)
        if FileUse.BASE64 not in uses:
            return node.value
        if FileUse.TEXT in uses or self.files.get(name) is FileUse.TEXT:
            self.files[name] = FileUse.TEXT
        else:
            self.files[name] = FileUse.BASE64
        return _inlined(node, found)

    def _read(self, node: Node, media_type: str | None, levels: int) -> tuple[Node, Uses]:
        """The schema with each file as published, and what a text may mean."""
        target = self._document.follow(node)
        value = target.value
        self._left -= 1
        if not isinstance(value, Mapping):
            return node, _NONE if value is False else _TEXT
        if not levels or self._left < 0:
            return node, _NONE
        if is_binary(value, media_type):
            return Node(value=_published(value), pointer=target.pointer), _BASE64_USE
        changed: Json = {}
        uses = _NONE
        for key, parts in _branches(target):
            found = [self._read(part, media_type, levels - 1) for part in parts]
            changed[key] = [
                _inlined(part, new) for part, (new, _) in zip(parts, found, strict=True)
            ]
            inside = _NONE.union(*(use for _, use in found))
            # What stands beside a file in `allOf` only says more about it.
            uses |= _BASE64_USE if key == "allOf" and inside >= _BASE64_USE else inside
        if (items := target.child("items")) is not None:
            new, inside = self._read(items, media_type, levels - 1)
            changed["items"] = _inlined(items, new)
            uses |= inside
        if not changed and _admits_text(value):
            uses = _TEXT
        if FileUse.BASE64 not in uses:
            return node, uses
        return Node(value={**value, **changed}, pointer=target.pointer), uses


def _inlined(node: Node, found: Node) -> object:
    """`found` in the place of `node`, which may be a reference to it."""
    value = found.value
    if found.pointer == node.pointer:
        return value
    # References inside another document would lead elsewhere from here.
    is_foreign = base_of(found.pointer) != base_of(node.pointer) and "'$ref'" in repr(value)
    if not isinstance(value, Mapping) or is_foreign:
        return node.value
    beside = node.value if isinstance(node.value, Mapping) else {}
    return {**value, **{key: beside[key] for key in _KEPT if key in beside}}


def _branches(node: Node) -> list[tuple[str, list[Node]]]:
    """The compositions of a schema, each with its parts."""
    value = node.value if isinstance(node.value, Mapping) else {}
    return [
        (key, [Node(value=part, pointer=f"{join(node.pointer, key)}/{i}") for i, part in found])
        for key in _COMPOSED
        if isinstance(parts := value.get(key), list | tuple)
        for found in [list(enumerate(parts))]
    ]


def _admits_text(schema: Mapping[str, object]) -> bool:
    kind = schema.get("type", "string")
    return "string" in kind if isinstance(kind, str | list | tuple) else True


def _published(schema: Mapping[str, object]) -> Schema:
    """What an argument takes for a file of this Schema Object."""
    kept = {key: schema[key] for key in _KEPT if key in schema}
    kind = schema.get("type")
    if isinstance(kind, list | tuple) and "null" in kind:
        kept["nullable"] = True
    return {"description": _HINT, **_FILE, **kept}
