"""Schema Objects as JSON Schema 2020-12: each result closed under `$defs`, nothing inlined.

Definitions keep their references, so recursion stays recursion and a result is never larger than
the parts of the document that it reaches.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import orjson

from gateway.openapi.canonical import canonical
from gateway.openapi.conversion import Conversion, Direction, Json, definition_name
from gateway.openapi.document import Document
from gateway.openapi.model import Schema
from gateway.openapi.one_way import OneWay
from gateway.openapi.reach import Reach

Convert = Callable[[Schema, str], Json | bool]
"""From a schema and the place where it stands to its published form."""

LEFT_OUT: Json = {"$comment": "left out: the whole would be too large"}

_NOBODY: frozenset[str] = frozenset()


class Definition:
    """A converted schema that others refer to; `needs` are the pointers that it refers to."""

    __slots__ = ("_text", "needs", "schema")

    def __init__(self, *, schema: Json | bool, needs: tuple[str, ...]) -> None:
        self.schema = schema
        self.needs = needs
        self._text: bytes | None = None

    @property
    def text(self) -> bytes:
        """Its canonical JSON, made once."""
        if self._text is None:
            self._text = canonical(self.schema)
        return self._text


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A published schema: its root and all definitions that it refers to, by name."""

    root: Json
    definitions: Mapping[str, Definition]

    def as_json(self) -> Json:
        """The schema as a value. Definitions are shared with other schemas: not to be changed."""
        if not self.definitions:
            return self.root
        found = sorted(self.definitions.items())
        return self.root | {"$defs": {name: each.schema for name, each in found}}

    def as_fragments(self) -> Json:
        """The same for `canonical`, for which each definition is written once in all."""
        if not self.definitions:
            return self.root
        found = self.definitions.items()
        return self.root | {"$defs": {name: orjson.Fragment(each.text) for name, each in found}}


class Schemas:
    """The schemas of one document. Converted definitions are kept and shared."""

    def __init__(self, document: Document, *, ref_siblings: bool) -> None:
        """`ref_siblings`: whether keywords beside `$ref` count (3.1) or not (3.0)."""
        self.document = document
        self.ref_siblings = ref_siblings
        self._one_way = OneWay(document)
        self._reach = Reach(document, ref_siblings=ref_siblings)
        self._definitions: dict[tuple[str, Direction, frozenset[str]], Definition] = {}

    def check(self, schema: Schema, pointer: str) -> tuple[str, ...]:
        """The pointers of new patterns, at any distance, that the published schema leaves out.

        To be called before a schema is converted. Raises UnresolvedRef for a reference that leads
        to no schema and for what must stay exact and cannot be seen, SchemaTooDeep for a schema
        that could not be converted.
        """
        return self._reach.check(schema, pointer)

    def close(
        self, build: Callable[[Convert], Json], direction: Direction, *, room: int | None = None
    ) -> Closed:
        """What `build` makes with converted schemas, and all definitions that it refers to.

        Where that takes more than `room` bytes of canonical JSON, those nearest to the root stay.
        `build` is called again when two definitions would share a name (docs/names.md).
        """
        conversion = self._conversion(direction, _NOBODY)
        root = build(conversion.convert)
        if room is None:
            found = self._all(conversion.pointers, direction)
        elif (left := room - len(canonical(root))) >= 0:
            found = self._nearest(conversion.pointers, direction, left)
        else:
            return Closed(root=LEFT_OUT, definitions={})
        renamed = _clashing(found)
        if renamed:
            root = build(self._conversion(direction, renamed).convert)
            found = {
                pointer: self._renamed(pointer, known, direction, renamed)
                for pointer, known in found.items()
            }
        names = {pointer: definition_name(pointer, clashes=pointer in renamed) for pointer in found}
        return Closed(root=root, definitions={names[p]: found[p] for p in found})

    def _all(self, pointers: Iterable[str], direction: Direction) -> dict[str, Definition]:
        """All definitions that `pointers` lead to, by pointer."""
        found: dict[str, Definition] = {}
        todo = list(pointers)
        while todo:
            pointer = todo.pop()
            if pointer not in found:
                found[pointer] = known = self._definition(pointer, direction)
                todo.extend(known.needs)
        return found

    def _nearest(
        self, pointers: Iterable[str], direction: Direction, room: int
    ) -> dict[str, Definition]:
        """Those that there is room for, the nearest first; beyond them, empty ones."""
        found: dict[str, Definition] = {}
        level = sorted(pointers)
        while level:
            following: set[str] = set()
            for pointer in level:
                known = self._definition(pointer, direction)
                if len(known.text) > room:
                    known = _EMPTY
                found[pointer] = known
                room -= len(known.text)
                following.update(known.needs)
            level = sorted(pointer for pointer in following if pointer not in found)
        return found

    def _definition(
        self, pointer: str, direction: Direction, renamed: frozenset[str] = _NOBODY
    ) -> Definition:
        """The converted schema at `pointer`, made once for everyone who refers to it."""
        kept = self._definitions.get((pointer, direction, renamed))
        if kept is None:
            part = self._conversion(direction, renamed)
            value = self.document.at(pointer).value
            schema = part.convert(value if isinstance(value, dict | bool) else True, pointer)
            kept = Definition(schema=schema, needs=tuple(part.pointers))
            for each in (direction,) if part.is_directed else Direction:
                self._definitions[pointer, each, renamed] = kept
        return kept

    def _renamed(
        self, pointer: str, known: Definition, direction: Direction, renamed: frozenset[str]
    ) -> Definition:
        """The definition with the longer names of those `renamed` that it refers to."""
        concerned = renamed.intersection(known.needs)
        return self._definition(pointer, direction, concerned) if concerned else known

    def _conversion(self, direction: Direction, renamed: frozenset[str]) -> Conversion:
        return Conversion(
            self.document,
            self._one_way,
            direction,
            renamed=renamed,
            ref_siblings=self.ref_siblings,
        )


_EMPTY = Definition(schema=LEFT_OUT, needs=())


def _clashing(pointers: Iterable[str]) -> frozenset[str]:
    """Those whose plain name another one has, too."""
    names = {pointer: definition_name(pointer) for pointer in pointers}
    if len(set(names.values())) == len(names):
        return _NOBODY
    counts = Counter(names.values())
    return frozenset(pointer for pointer, name in names.items() if counts[name] > 1)
