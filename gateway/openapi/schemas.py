"""Schema Objects as JSON Schema 2020-12: each result closed under `$defs`, nothing inlined.

Definitions keep their references, so recursion stays recursion and a result is never larger than
the parts of the document that it reaches.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from hashlib import sha256

import orjson

from gateway.openapi.canonical import canonical, text_of
from gateway.openapi.conversion import Conversion, Direction, Json, Terms, definition_name
from gateway.openapi.discriminators import Discriminators
from gateway.openapi.document import Document, Node, UnresolvedRef
from gateway.openapi.fingerprints import Fingerprints
from gateway.openapi.model import Schema
from gateway.openapi.one_way import OneWay
from gateway.openapi.patterns import Patterns
from gateway.openapi.reach import Reach

Convert = Callable[[Schema, str], Json | bool]
"""From a schema and the place where it stands to its published form."""

Build = Callable[[Convert], Json]
"""Makes a schema of several parts."""

LEFT_OUT: Json = {"$comment": "left out: the whole would be too large"}

_NOBODY: frozenset[str] = frozenset()


class Definition:
    """A converted schema; `needs` are the pointers of the definitions that it refers to."""

    __slots__ = ("_size", "needs", "schema")

    def __init__(self, *, schema: Json | bool, needs: tuple[str, ...]) -> None:
        self.schema = schema
        self.needs = needs
        self._size = 0

    @property
    def members(self) -> Json:
        return self.schema if isinstance(self.schema, dict) else {}

    @property
    def size(self) -> int:
        """The bytes of its canonical JSON."""
        if not self._size:
            self._size = len(canonical(self.schema))
        return self._size


class Schemas:
    """The schemas of one document. Converted definitions are kept and shared."""

    def __init__(self, document: Document, *, ref_siblings: bool) -> None:
        """`ref_siblings`: whether keywords beside `$ref` count (3.1) or not (3.0)."""
        self.document = document
        self._published = Fingerprints()
        self._written = Fingerprints()
        patterns, self._discriminators = Patterns(document), Discriminators(document)
        self._reach = Reach(document, patterns, self._discriminators, ref_siblings=ref_siblings)
        self._terms = Terms(
            document=document,
            one_way=OneWay(document),
            patterns=patterns,
            discriminate=self._reach.discriminate,
            ref_siblings=ref_siblings,
        )
        self._definitions: dict[tuple[str, Direction, frozenset[str]], Definition] = {}
        # By the identity of a schema, which is kept beside so that it stays one.
        self._components: dict[
            tuple[int, Direction, frozenset[str]], tuple[Schema, Definition]
        ] = {}

    def check(self, schema: Schema, pointer: str) -> tuple[str, ...]:
        """The pointers of new patterns, at any distance, that the published schema leaves out.

        To be called before a schema is converted. Raises UnresolvedRef for a reference that leads
        to no schema and for what must stay exact and cannot be seen, SchemaTooDeep for a schema
        that could not be converted.
        """
        return self._reach.check(schema, pointer)

    def choices(self, node: Node) -> tuple[Node, ...]:
        """What the discriminator of a schema that has been checked chooses among."""
        schema = node.value if isinstance(node.value, dict) else {}
        found = self._reach.discriminate(schema, node)
        return tuple(found.choices.values()) if found is not None else ()

    def sketch(self, build: Build, direction: Direction) -> Definition:
        """What `build` makes with converted schemas, without the definitions that it refers to."""
        return self._sketch(build, direction, _NOBODY)

    def bundle(
        self,
        build: Build,
        direction: Direction,
        *,
        sketch: Definition | None = None,
        room: int | None = None,
    ) -> Json:
        """What `build` makes with converted schemas, plus `$defs` for all that it refers to.

        Parts are shared with other results and not to be changed. `sketch` spares making it again.
        Where the whole takes more than `room` bytes of canonical JSON, the definitions nearest to
        the root stay. `build` is called again when two of them would share a name (docs/names.md).
        """
        whole = sketch or self.sketch(build, direction)
        if room is None and not whole.needs:
            return whole.members
        if room is None:
            found = self._all(whole.needs, direction)
        elif whole.size <= room:
            found = self._nearest(whole.needs, direction, room - whole.size)
        else:
            return dict(LEFT_OUT)
        renamed = _clashing(found)
        if renamed:
            whole = self._sketch(build, direction, renamed)
            found = {
                pointer: self._renamed(pointer, known, direction, renamed)
                for pointer, known in found.items()
            }
        named = {definition_name(p, clashes=p in renamed): found[p].schema for p in found}
        definitions = {"$defs": {name: named[name] for name in sorted(named)}} if named else {}
        return {**whole.members, **definitions}

    def digests_of_inputs(self, pointers: Iterable[str]) -> Mapping[str, str]:
        """Digests of input definitions as they are published, and all that they refer to."""
        return self._published.of(pointers, self._read_published)

    def fingerprint(self, node: Node) -> str:
        """The digest of a schema as the description writes it, and all that it refers to."""
        text, needs = self._read(node)
        return sha256(text + canonical(self._written.of(needs, self._read_written))).hexdigest()

    def _read_published(self, pointer: str) -> tuple[bytes, Iterable[str]]:
        known = self._definition(pointer, Direction.INPUT)
        return canonical(known.schema), known.needs

    def _read_written(self, pointer: str) -> tuple[bytes, Iterable[str]]:
        return self._read(self.document.at(pointer))

    def _read(self, node: Node) -> tuple[bytes, Iterable[str]]:
        """The text of a schema, and the pointers of all that stands there as a reference."""
        text = text_of(node.value)
        needs: dict[str, None] = {}
        for part in text.replace(b'"$dynamicRef":', b'"$ref":').split(b'"$ref":"')[1:]:
            # Data that looks like a reference may be taken for one: then the digest covers more.
            with suppress(UnresolvedRef, orjson.JSONDecodeError):
                ref = orjson.loads(b'"' + part[: part.index(b'"') + 1])
                needs[self.document.lookup(ref, node.pointer).pointer] = None
        if b'"discriminator":' in text:
            needs |= dict.fromkeys(self._discriminators.choices_inside(node))
        return text, needs

    def _sketch(self, build: Build, direction: Direction, renamed: frozenset[str]) -> Definition:
        own = self._conversion(direction, renamed)

        def convert(schema: Schema, place: str) -> Json | bool:
            # What stands outside of the paths is a component, which many operations have.
            if place.startswith("/paths/"):
                return own.convert(schema, place)
            shared = self._component(schema, place, direction, renamed)
            for need in shared.needs:
                own.pointers[need] = None
            return shared.schema

        return Definition(schema=build(convert), needs=tuple(own.pointers))

    def _component(
        self, schema: Schema, place: str, direction: Direction, renamed: frozenset[str]
    ) -> Definition:
        key = (id(schema), direction, renamed)
        if (kept := self._components.get(key)) is not None:
            return kept[1]
        part = self._conversion(direction, renamed)
        made = Definition(schema=part.convert(schema, place), needs=tuple(part.pointers))
        self._components[key] = schema, made
        return made

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
                if known.size > room:
                    known = _EMPTY
                found[pointer] = known
                room -= known.size
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
        return Conversion(self._terms, direction, renamed=renamed)


_EMPTY = Definition(schema=LEFT_OUT, needs=())


def _clashing(pointers: Iterable[str]) -> frozenset[str]:
    """Those whose plain name another one has, too."""
    names = {pointer: definition_name(pointer) for pointer in pointers}
    if len(set(names.values())) == len(names):
        return _NOBODY
    counts = Counter(names.values())
    return frozenset(pointer for pointer, name in names.items() if counts[name] > 1)
