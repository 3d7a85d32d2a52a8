"""Schema Objects as JSON Schema 2020-12: each result closed under `$defs`, nothing inlined.

Definitions keep their references, so recursion stays recursion and a result is never larger than
the parts of the document that it reaches.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from hashlib import sha256
from typing import cast

from gateway.openapi.document import Document, Node, UnresolvedRef, base_of, join, quoted
from gateway.openapi.keywords import KEYWORDS, Kind, fits, is_pattern
from gateway.openapi.model import Schema

# orjson writes at most 254 levels and a schema level can take four (`_admit_null`); real schemas
# stay below 12.
MAX_DEPTH = 50

Json = dict[str, object]
Convert = Callable[[Schema, str], Json | bool]
"""From a schema and the place where it stands to its published form."""


class Direction(StrEnum):
    """Which way values travel: inputs have no `readOnly` properties, outputs no `writeOnly`."""

    INPUT = "readOnly"
    OUTPUT = "writeOnly"


class SchemaTooDeep(Exception):
    """A schema nested beyond MAX_DEPTH."""


_Looked = tuple[Node, ...] | UnresolvedRef | SchemaTooDeep


class Schemas:
    """The schemas of one document. Converted definitions are kept and shared."""

    def __init__(self, document: Document, *, ref_siblings: bool) -> None:
        """`ref_siblings`: whether keywords beside `$ref` count (3.1) or not (3.0)."""
        self.document = document
        self.ref_siblings = ref_siblings
        self._checked: set[str] = set()
        self._looked: dict[str, _Looked] = {}
        self._definitions: dict[tuple[str, Direction], tuple[Json | bool, tuple[str, ...]]] = {}

    def check(self, schema: Schema, pointer: str) -> tuple[str, ...]:
        """The pointers of new patterns, at any distance, that the published schema leaves out.

        Raises UnresolvedRef for a reference that leads to no schema, SchemaTooDeep for a schema
        that `bundle` could not convert.
        """
        lost: list[str] = []
        new: set[str] = set()
        found = [self._look(Node(value=schema, pointer=pointer), lost)]
        faults: list[UnresolvedRef | SchemaTooDeep] = []
        while found:
            targets = found.pop()
            if isinstance(targets, Exception):
                faults.append(targets)
                continue
            for target in targets:
                if target.pointer not in self._checked and target.pointer not in new:
                    new.add(target.pointer)
                    found.append(self._targets(target, lost))
        if faults:
            # Always the same one, in whatever order the document has them.
            raise min(faults, key=str)
        self._checked |= new
        return tuple(lost)

    def _targets(self, definition: Node, lost: list[str]) -> _Looked:
        """What a definition refers to. Its fault is kept, too: it costs everyone who gets here."""
        kept = self._looked.get(definition.pointer)
        if kept is None:
            kept = self._looked[definition.pointer] = self._look(definition, lost)
        return kept

    def _look(self, root: Node, lost: list[str]) -> _Looked:
        """The targets of all references inside one schema, none followed, or its first fault."""
        targets: dict[str, Node] = {}
        faults: list[UnresolvedRef] = []
        todo = [(root, 1)]
        while todo:
            node, depth = todo.pop()
            if depth > MAX_DEPTH:
                return SchemaTooDeep(root.pointer)
            ref = node.value.get("$ref") if isinstance(node.value, dict) else None
            if isinstance(ref, str):
                try:
                    target = self._target(ref, node.pointer)
                except UnresolvedRef as error:
                    faults.append(error)
                    continue
                targets[target.pointer] = target
                if not self.ref_siblings:
                    continue
            lost.extend(_lost_patterns(node))
            todo.extend((part, depth + 1) for part in subschemas(node))
        return min(faults, key=str) if faults else tuple(targets.values())

    def _target(self, ref: str, at: str) -> Node:
        target = self.document.lookup(ref, at)
        if not isinstance(self.document.follow(target).value, dict | bool):
            raise UnresolvedRef(at, f"the reference {quoted(ref)} points at no schema")
        return target

    def bundle(self, build: Callable[[Convert], Json], direction: Direction) -> Json:
        """What `build` makes with converted schemas, plus `$defs` for all that it refers to.

        `build` is called again when two definitions would share a name (docs/names.md).
        """
        bundle = _Bundle(self, direction, {})
        root = build(bundle.convert)
        definitions = bundle.definitions()
        if clashing := _clashes(bundle.pointers):
            bundle = _Bundle(self, direction, clashing)
            root = build(bundle.convert)
            definitions = bundle.definitions()
        return root | {"$defs": definitions} if definitions else root

    def definition(self, pointer: str, direction: Direction) -> tuple[Json | bool, tuple[str, ...]]:
        """The converted schema at `pointer` and the pointers it refers to; made once."""
        key = (pointer, direction)
        if (kept := self._definitions.get(key)) is None:
            part = _Bundle(self, direction, {})
            kept = (part.convert(self.schema_at(pointer), pointer), tuple(part.pointers))
            self._definitions[key] = kept
        return kept

    def schema_at(self, pointer: str) -> Schema:
        value = self.document.at(pointer).value
        return value if isinstance(value, dict | bool) else True


def subschemas(node: Node) -> Iterator[Node]:
    """The schemas directly inside `node`, with their pointers."""
    if not isinstance(node.value, dict):
        return
    for key, value in node.value.items():
        kind = KEYWORDS.get(key)
        at = join(node.pointer, key)
        if kind is Kind.SCHEMA and isinstance(value, dict):
            yield Node(value=value, pointer=at)
        elif (kind is Kind.SCHEMAS or key == "items") and isinstance(value, list):
            yield from (Node(value=v, pointer=f"{at}/{i}") for i, v in enumerate(value))
        elif kind is Kind.NAMED_SCHEMAS and isinstance(value, dict):
            yield from (Node(value=v, pointer=join(at, str(k))) for k, v in value.items())


def _lost_patterns(node: Node) -> Iterator[str]:
    if not isinstance(node.value, dict):
        return
    pattern, named = node.value.get("pattern"), node.value.get("patternProperties")
    if isinstance(pattern, str) and not is_pattern(pattern):
        yield join(node.pointer, "pattern")
    for key in named if isinstance(named, dict) else ():
        if not is_pattern(str(key)):
            yield join(join(node.pointer, "patternProperties"), str(key))


def definition_name(pointer: str) -> str:
    """The last token of `pointer`, its foreign characters as `_` (docs/names.md)."""
    base = base_of(pointer)
    if base and pointer == f"{base}#":  # a whole document goes by its file's name
        token = base.rsplit("/", 1)[-1].partition(".")[0]
    else:
        token = pointer.rsplit("/", 1)[-1].replace("~1", "/").replace("~0", "~")
    return re.sub(r"[^A-Za-z0-9_]", "_", token) or "_"


def _clashes(pointers: Mapping[str, None]) -> dict[str, str]:
    """Names for the pointers whose plain name another one has, too; both sides are renamed."""
    by_name: dict[str, list[str]] = {}
    for pointer in pointers:
        by_name.setdefault(definition_name(pointer), []).append(pointer)
    return {
        pointer: f"{name}_{sha256(pointer.encode()).hexdigest()[:6]}"
        for name, members in by_name.items()
        if len(members) > 1
        for pointer in members
    }


class _Bundle:
    """One conversion under way: collects the pointers that its parts refer to."""

    def __init__(self, schemas: Schemas, direction: Direction, names: Mapping[str, str]) -> None:
        self._schemas = schemas
        self._direction = direction
        self._names = names
        self._depth = 0
        self._place = ""
        self.pointers: dict[str, None] = {}

    def definitions(self) -> dict[str, object]:
        """Everything reachable, by definition name."""
        found: dict[str, object] = {}
        todo = list(self.pointers)
        while todo:
            pointer = todo.pop()
            name = self._name(pointer)
            before = len(self.pointers)
            if self._names:
                found[name] = self.convert(self._schemas.schema_at(pointer), pointer)
                todo.extend(list(self.pointers)[before:])
            else:
                found[name], needs = self._schemas.definition(pointer, self._direction)
                todo.extend(p for p in needs if p not in self.pointers)
                self.pointers.update(dict.fromkeys(needs))
        return {name: found[name] for name in sorted(found)}

    def convert(self, schema: Schema, place: str) -> Json | bool:
        outer, self._place = self._place, place
        try:
            return self._inner(schema)
        finally:
            self._place = outer

    def _inner(self, schema: object) -> Json | bool:
        if not isinstance(schema, dict):
            return schema is not False
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise SchemaTooDeep
        try:
            return self._convert(schema)
        finally:
            self._depth -= 1

    def _convert(self, schema: Mapping[str, object]) -> Json:
        out: Json = {}
        ref = schema.get("$ref")
        if isinstance(ref, str):
            out["$ref"] = self._refer(ref)
            if not self._schemas.ref_siblings:
                return out
        for key, value in schema.items():
            if kind := KEYWORDS.get(key):
                self._put(out, key, kind, value)
        return _modernise(out, schema)

    def _put(self, out: Json, key: str, kind: Kind, value: object) -> None:
        if kind is Kind.SCHEMA:
            self._put_schema(out, key, value)
        elif kind is Kind.NAMED_SCHEMAS:
            self._put_named(out, key, value)
        elif kind is Kind.SCHEMAS:
            if isinstance(value, list) and value:
                out[key] = [self._inner(v) for v in value]
        elif fits(kind, value):
            # Both are sets, but authors repeat themselves.
            words = kind in (Kind.NAMES, Kind.TYPE) and isinstance(value, list)
            out[key] = list(dict.fromkeys(cast("list[str]", value))) if words else value

    def _put_schema(self, out: Json, key: str, value: object) -> None:
        if isinstance(value, dict | bool):
            out[key] = self._inner(value)
        elif key == "items" and isinstance(value, list) and value:
            # The tuple form of older drafts.
            out["prefixItems"] = [self._inner(v) for v in value]

    def _put_named(self, out: Json, key: str, value: object) -> None:
        if not isinstance(value, dict):
            return
        hidden = self._direction.value
        out[key] = {
            str(name): self._inner(part)
            for name, part in value.items()
            if not (key == "properties" and isinstance(part, dict) and part.get(hidden) is True)
            and not (key == "patternProperties" and not is_pattern(str(name)))
        }

    def _refer(self, ref: str) -> str:
        pointer = self._schemas.document.lookup(ref, self._place).pointer
        self.pointers[pointer] = None
        return f"#/$defs/{self._name(pointer)}"

    def _name(self, pointer: str) -> str:
        return self._names.get(pointer) or definition_name(pointer)


def _modernise(out: Json, schema: Mapping[str, object]) -> Json:
    """What OpenAPI 3.0 says in its own words, in those of JSON Schema 2020-12."""
    for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(bound) is True and limit in out:
            out[bound] = out.pop(limit)
    if "example" in schema and "examples" not in out and fits(Kind.DATA, schema["example"]):
        out["examples"] = [schema["example"]]
    if "required" in out and isinstance(declared := schema.get("properties"), dict):
        _drop_hidden_required(out, declared)
    if isinstance(discriminator := schema.get("discriminator"), dict):
        _put_discriminator(out, discriminator)
    # Swagger 2.0 has no word for it, but a usual extension.
    nullable = schema.get("nullable") is True or schema.get("x-nullable") is True
    return _admit_null(out) if nullable else out


def _drop_hidden_required(out: Json, declared: Mapping[str, object]) -> None:
    shown, required = out.get("properties"), out["required"]
    hidden = declared.keys() - shown.keys() if isinstance(shown, dict) else frozenset()
    names = [n for n in required if n not in hidden] if isinstance(required, list) else []
    if names:
        out["required"] = names
    else:
        del out["required"]


def _put_discriminator(out: Json, discriminator: Mapping[str, object]) -> None:
    """Keep the annotation; a mapping's references become plain names, so that none can dangle."""
    if not isinstance(name := discriminator.get("propertyName"), str):
        return
    kept: Json = {"propertyName": name}
    if isinstance(mapping := discriminator.get("mapping"), dict):
        kept["mapping"] = {
            str(k): definition_name(v) for k, v in mapping.items() if isinstance(v, str)
        }
    out["discriminator"] = kept


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
