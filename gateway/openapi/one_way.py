"""Which properties travel one way only, wherever a description says so.

`readOnly` and `writeOnly` stand on the property, behind its `$ref` or in its `allOf`; the object
that requires the property may be another part of the same `allOf` (OpenAPI 3.1 section 4.8.24.3,
JSON Schema Validation 2020-12 section 9.4).
"""

from collections.abc import Iterator, Mapping

from gateway.openapi.document import Document, Node, UnresolvedRef, base_of, join

# Compositions and references nested deeper than this are no description of one object.
MAX_LEVELS = 8
# `allOf` parts may refer to each other: what is looked at stays bounded.
MAX_PARTS = 64

_Json = Mapping[str, object]
_WORDS = ("readOnly", "writeOnly")
_NEITHER: frozenset[str] = frozenset()
# Beside none of these, neither word is meant.
SAYING = frozenset({*_WORDS, "$ref", "allOf"})


class OneWay:
    """Which properties of a document's objects travel one way only, by the words that say so."""

    def __init__(self, document: Document) -> None:
        self._document = document
        # By the document that a reference stands in and the reference, as it is written.
        self._behind: dict[tuple[str, str], frozenset[str]] = {}

    def words(self, schema: object, place: str) -> frozenset[str]:
        """Those of `readOnly` and `writeOnly` that hold for the property `schema` describes."""
        if not isinstance(schema, dict) or SAYING.isdisjoint(schema):
            return _NEITHER
        if len(schema) > 1 or not isinstance(ref := schema.get("$ref"), str):
            return self._found(schema, place)
        key = base_of(place), ref
        if (kept := self._behind.get(key)) is None:
            kept = self._behind[key] = self._found(schema, place)
        return kept

    def names(self, schema: _Json, place: str) -> Mapping[str, frozenset[str]]:
        """The properties of an object for which any holds, those of its `allOf` included."""
        return {
            str(name): words
            for part, at in self._parts(Node(value=schema, pointer=place))
            if isinstance(properties := part.get("properties"), dict)
            for name, value in properties.items()
            if (words := self.words(value, join(join(at, "properties"), str(name))))
        }

    def _found(self, schema: _Json, place: str) -> frozenset[str]:
        parts = [part for part, _ in self._parts(Node(value=schema, pointer=place))]
        return frozenset(w for w in _WORDS if any(part.get(w) is True for part in parts))

    def _parts(self, root: Node) -> Iterator[tuple[_Json, str]]:
        """The schema and all that its references and `allOf` add to it, each with its place."""
        todo = [(root, MAX_LEVELS)]
        seen: set[str] = set()
        while todo and len(seen) < MAX_PARTS:
            node, levels = todo.pop()
            if node.pointer in seen or not isinstance(node.value, dict):
                continue
            seen.add(node.pointer)
            yield node.value, node.pointer
            if levels:
                todo += [(part, levels - 1) for part in self._next(node)]

    def _next(self, node: Node) -> Iterator[Node]:
        value = node.value
        if not isinstance(value, dict):
            return
        if isinstance(ref := value.get("$ref"), str):
            try:
                yield self._document.lookup(ref, node.pointer)
            except UnresolvedRef:  # reported where the reference itself is read
                return
        if isinstance(parts := value.get("allOf"), list):
            at = join(node.pointer, "allOf")
            yield from (Node(value=part, pointer=f"{at}/{i}") for i, part in enumerate(parts))
