"""One Schema Object as JSON Schema 2020-12: its keywords sorted out, older dialects modernised."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import cast

from gateway.openapi.discriminators import Discriminate
from gateway.openapi.document import Document, Node, UnresolvedRef, base_of
from gateway.openapi.hygiene import (
    MAX_ARGUMENT_TEXT,
    clean_data,
    clean_text,
    hides_something,
    limit_text,
)
from gateway.openapi.keywords import KEYWORDS, Kind, fits, is_shallow
from gateway.openapi.model import Schema
from gateway.openapi.older_drafts import OLDER, replace_older
from gateway.openapi.one_way import SAYING, OneWay
from gateway.openapi.patterns import Patterns

# orjson writes at most 254 levels and a schema level can take four (`_admit_null`); real schemas
# stay below 12.
MAX_DEPTH = 50

Json = dict[str, object]

_FOREIGN = re.compile(r"[^A-Za-z0-9_]")
_TEXTS = frozenset(key for key, kind in KEYWORDS.items() if kind is Kind.TEXT)
_SCHEMA = (dict, bool)
_BOUNDS = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))
# Members that say something to `_modernise`.
_OLD_WORDS = frozenset(
    {"exclusiveMinimum", "exclusiveMaximum", "example", "required", "discriminator", *OLDER}
    # Swagger 2.0 has no word for it, but a usual extension.
    | {"nullable", "x-nullable"}
)


_NOTHING: frozenset[str] = frozenset()


class Direction(StrEnum):
    """Which way values travel: inputs have no `readOnly` properties, outputs no `writeOnly`.

    In what others send, requests and responses, such properties may be, but need not.
    """

    INPUT = "readOnly"
    OUTPUT = "writeOnly"
    REQUEST = "readOnly, tolerated"
    RESPONSE = "writeOnly, tolerated"

    @property
    def word(self) -> str:
        """What properties say that do not travel this way."""
        return self.value.partition(",")[0]

    @property
    def tolerates(self) -> bool:
        return self in (Direction.REQUEST, Direction.RESPONSE)


class SchemaTooDeep(Exception):
    """A schema nested beyond MAX_DEPTH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What all conversions of one document share.

    `ref_siblings`: whether keywords beside `$ref` count (3.1) or not (3.0).
    """

    document: Document
    one_way: OneWay
    patterns: Patterns
    discriminate: Discriminate
    ref_siblings: bool


class Conversion:
    """Schemas of one document and one direction under way; `pointers` collects their references.

    `is_directed` says whether the other direction would have given something else.
    """

    def __init__(self, terms: Terms, direction: Direction, *, renamed: frozenset[str]) -> None:
        """`renamed` are the pointers of definitions that do not go by their plain name."""
        self._document = terms.document
        self._one_way = terms.one_way
        self._patterns = terms.patterns
        self._discriminate = terms.discriminate
        self._ref_siblings = terms.ref_siblings
        self._word = direction.word
        self._tolerates = direction.tolerates
        self._renamed = renamed
        self._root: Schema = True
        self._place = ""
        self.is_directed = False
        self.pointers: dict[str, None] = {}

    def convert(self, schema: Schema, place: str) -> Json | bool:
        """The published form of the schema that stands at `place`. Raises SchemaTooDeep."""
        self._root, self._place = schema, place
        return self._inner(schema, 1)

    def _inner(
        self, schema: object, depth: int, left_out: frozenset[str] = _NOTHING
    ) -> Json | bool:
        """`left_out` are properties that other parts of the same `allOf` leave out."""
        if not isinstance(schema, dict):
            return schema is not False
        if depth > MAX_DEPTH:
            raise SchemaTooDeep
        out: Json = {}
        ref = schema.get("$ref")
        if isinstance(ref, str):
            out["$ref"] = self._refer(ref)
            if not self._ref_siblings:
                return out
        return self._members(out, schema, depth + 1, left_out)

    def _members(
        self, out: Json, schema: Mapping[str, object], depth: int, left_out: frozenset[str]
    ) -> Json:
        if "allOf" in schema or (self._tolerates and "required" in schema):
            left_out |= self._left_out_of(schema)
        for key, value in schema.items():
            # Texts and flags are most of what a description has.
            if key in _TEXTS:
                if isinstance(value, str):
                    out[key] = _published(value)
            elif kind := KEYWORDS.get(key):
                if kind is Kind.SCHEMAS:
                    self._put_several(out, key, value, depth, left_out)
                else:
                    self._put(out, key, kind, value, depth)
        return out if _OLD_WORDS.isdisjoint(schema) else self._modernised(out, schema, left_out)

    def _modernised(
        self, out: Json, schema: Mapping[str, object], left_out: frozenset[str]
    ) -> Json:
        if "discriminator" in schema:
            self._put_discriminator(out, schema)
        return _modernise(out, schema, left_out)

    def _put_discriminator(self, out: Json, schema: Mapping[str, object]) -> None:
        """Keep the annotation, with the definitions of all that it chooses among."""
        found = self._discriminate(schema, Node(value=self._root, pointer=self._place))
        if found is None or hides_something([schema["discriminator"], *found.choices]):
            return
        kept: Json = {"propertyName": found.property_name}
        if found.choices:
            names = {value: self._defined(node.pointer) for value, node in found.choices.items()}
            kept["mapping"] = names
        out["discriminator"] = kept

    def _put(self, out: Json, key: str, kind: Kind, value: object, depth: int) -> None:
        if kind is Kind.SCHEMA:
            self._put_schema(out, key, value, depth)
        elif kind is Kind.NAMED_SCHEMAS:
            if isinstance(value, dict):
                out[key] = self._named(key, value, depth)
        elif kind in (Kind.PATTERN, Kind.REFERENCE):
            if isinstance(value, str):
                self._put_string(out, key, value)
        elif fits(key, value) and not (key == "default" and hides_something(value)):
            # Both are sets, but authors repeat themselves.
            if kind in (Kind.NAMES, Kind.TYPE) and isinstance(value, list):
                value = list(dict.fromkeys(cast("list[str]", value)))
            out[key] = clean_data(value) if key == "examples" else value

    def _put_string(self, out: Json, key: str, value: str) -> None:
        if key == "pattern":
            if self._patterns.admits(value):
                out[key] = value
        elif self._ref_siblings and "$ref" not in out:
            # `$dynamicRef`, as the one schema of that name: there is no other document whose schema
            # could take its place. Where it names none or several, it says nothing.
            with suppress(UnresolvedRef):
                out["$ref"] = self._refer(value)

    def _put_schema(self, out: Json, key: str, value: object, depth: int) -> None:
        if isinstance(value, _SCHEMA):
            out[key] = self._inner(value, depth)
        elif key == "items" and isinstance(value, list) and value:
            # The tuple form of older drafts.
            out["prefixItems"] = [self._inner(v, depth) for v in value]

    def _put_several(
        self, out: Json, key: str, value: object, depth: int, left_out: frozenset[str]
    ) -> None:
        if isinstance(value, list) and value:
            beside = left_out if key == "allOf" else _NOTHING
            out[key] = [self._inner(part, depth, beside) for part in value]

    def _named(self, key: str, parts: Mapping[object, object], depth: int) -> Json:
        if key == "properties":
            return {
                str(name): self._inner(part, depth)
                for name, part in parts.items()
                if not isinstance(part, dict) or SAYING.isdisjoint(part) or self._travels(part)
            }
        if key == "patternProperties":
            takes = self._patterns.admits
            parts = {name: part for name, part in parts.items() if takes(str(name))}
        return {str(name): self._inner(part, depth) for name, part in parts.items()}

    def _travels(self, part: object) -> bool:
        words = self._one_way.words(part, self._place)
        if words:
            self.is_directed = True
        return self._tolerates or self._word not in words

    def _left_out_of(self, schema: Mapping[str, object]) -> frozenset[str]:
        found = self._one_way.names(schema, self._place)
        if found:
            self.is_directed = True
        return frozenset(name for name, words in found.items() if self._word in words)

    def _refer(self, ref: str) -> str:
        return self._defined(self._document.lookup(ref, self._place).pointer)

    def _defined(self, pointer: str) -> str:
        self.pointers[pointer] = None
        return f"#/$defs/{definition_name(pointer, clashes=pointer in self._renamed)}"


@lru_cache(maxsize=16_384)
def definition_name(pointer: str, *, clashes: bool = False) -> str:
    """The last token of `pointer`, its foreign characters as `_` (docs/names.md).

    Both sides of a clash take a hash of their pointers.
    """
    base = base_of(pointer)
    if base and pointer == f"{base}#":  # a whole document goes by its file's name
        token = base.rsplit("/", 1)[-1].partition(".")[0]
    else:
        token = pointer.rsplit("/", 1)[-1].replace("~1", "/").replace("~0", "~")
    name = _FOREIGN.sub("_", token) or "_"
    return f"{name}_{sha256(pointer.encode()).hexdigest()[:6]}" if clashes else name


def _published(text: str) -> str:
    if len(text) <= MAX_ARGUMENT_TEXT and text.isascii() and text.isprintable():
        return text
    return limit_text(clean_text(text), MAX_ARGUMENT_TEXT)


def _modernise(out: Json, schema: Mapping[str, object], left_out: frozenset[str]) -> Json:
    """What OpenAPI 3.0 and older drafts say in their own words, in those of 2020-12."""
    if "additionalItems" in schema or "dependencies" in schema:
        replace_older(out, schema)
    for bound, limit in _BOUNDS:
        if bound in schema and schema[bound] is True and limit in out:
            out[bound] = out.pop(limit)
    if "example" in schema and "examples" not in out and is_shallow(schema["example"]):
        out["examples"] = [clean_data(schema["example"])]
    if "required" in out:
        _drop_required(out, schema.get("properties"), left_out)
    nullable = schema.get("nullable") is True or schema.get("x-nullable") is True
    return _admit_null(out) if nullable else out


def _drop_required(out: Json, declared: object, left_out: frozenset[str]) -> None:
    """No longer require what is left out, here or in a part of the same `allOf`."""
    shown, required = out.get("properties"), out["required"]
    if isinstance(declared, dict) and isinstance(shown, dict) and len(declared) > len(shown):
        left_out |= {str(name) for name in declared} - shown.keys()
    if not left_out and required:
        return
    names = [n for n in required if n not in left_out] if isinstance(required, list) else []
    if names:
        out["required"] = names
    else:
        del out["required"]


def _admit_null(out: Json) -> Json:
    """`nullable: true` (OpenAPI 3.0.3 section 4.7.24.1), generously: also without a `type`."""
    kind = out.get("type")
    words = [kind] if isinstance(kind, str) else kind
    if isinstance(words, list):
        out["type"] = [*words, "null"] if "null" not in words else words
    elif any(key in out for key in ("$ref", "allOf", "anyOf", "oneOf", "enum", "const")):
        return {"anyOf": [out, {"type": "null"}]}
    if isinstance(values := out.get("enum"), list) and None not in values:
        out["enum"] = [*values, None]
    return out
