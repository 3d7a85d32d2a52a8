"""The schemas that a discriminator chooses among, beside those that its composition names.

By its `mapping`, or unnamed: every component that extends the schema by `allOf` goes by its own
name (OpenAPI 3.1 section 4.8.25, Swagger 2.0 Schema Object).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from gateway.openapi.document import Document, Node, UnresolvedRef, join

# Of the 560 schemas with a discriminator in 2,639 public descriptions 12 have more. One of MS Graph
# has 653: with them a tool's schema would be nearly the whole description.
MAX_CHOICES = 24

_Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discriminator:
    """`choices` are the chosen schemas by the value that means them, in the document's order."""

    property_name: str
    choices: Mapping[str, Node]


Discriminate = Callable[[_Json, Node], Discriminator | None]
"""From a schema and the one that it is or stands in to its discriminator."""


class Discriminators:
    """The discriminators of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._swagger = "swagger" in document.root

    def read(self, schema: _Json, root: Node) -> Discriminator | None:
        """The discriminator of `schema`, which is `root` or inside it; None for what is none.

        What a `mapping` names in vain is no choice. Of more than MAX_CHOICES, only those are left
        that the schema's own `oneOf` and `anyOf` have anyway.
        """
        raw = schema.get("discriminator")
        if self._swagger and isinstance(raw, str):
            raw = {"propertyName": raw}
        if not isinstance(raw, dict) or not isinstance(name := raw.get("propertyName"), str):
            return None
        choices = dict(self._mapped(raw.get("mapping"), root.pointer))
        if schema is root.value:  # only what has a place of its own can be extended
            known = {node.pointer for node in choices.values()}
            for heir, node in self._heirs_of(root.pointer):
                if node.pointer not in known:
                    choices.setdefault(heir, node)
        there = {p for key in ("oneOf", "anyOf") for p in self._parts(schema, key, root.pointer)}
        if len({node.pointer for node in choices.values()} - there) > MAX_CHOICES:
            choices = {value: node for value, node in choices.items() if node.pointer in there}
        return Discriminator(property_name=name, choices=choices)

    def choices_inside(self, root: Node) -> Iterator[str]:
        """The pointers of all that discriminators choose among, in `root` at any distance."""
        todo = [root.value]
        for value in todo:
            if isinstance(value, dict):
                todo += value.values()
                if "discriminator" in value and (found := self.read(value, root)) is not None:
                    yield from (node.pointer for node in found.choices.values())
            elif isinstance(value, list):
                todo += value

    def _mapped(self, mapping: object, place: str) -> Iterator[tuple[str, Node]]:
        for value, target in mapping.items() if isinstance(mapping, dict) else ():
            if isinstance(target, str) and (node := self._target(target, place)) is not None:
                yield str(value), node

    def _target(self, target: str, place: str) -> Node | None:
        """What a mapping's value names: a component by its name, else by a reference."""
        if (named := self._components.get(target)) is not None:
            return named
        try:
            return self._document.lookup(target, place)
        except UnresolvedRef:
            return None

    def _heirs_of(self, pointer: str) -> Iterator[tuple[str, Node]]:
        """The components that extend the one at `pointer`, and those that extend these."""
        todo = [pointer]
        seen = {pointer}
        for base in todo:
            for name in self._heirs.get(base, ()):
                node = self._components[name]
                if node.pointer not in seen:
                    seen.add(node.pointer)
                    todo.append(node.pointer)
                    yield name, node

    @cached_property
    def _components(self) -> Mapping[str, Node]:
        """The Schema Objects that have a name."""
        steps = ("definitions",) if self._swagger else ("components", "schemas")
        node: Node | None = Node(value=self._document.root, pointer="")
        for step in steps:
            node = node.child(step) if node is not None else None
        if node is None or not isinstance(node.value, dict):
            return {}
        return {
            str(name): Node(value=value, pointer=join(node.pointer, str(name)))
            for name, value in node.value.items()
        }

    @cached_property
    def _heirs(self) -> Mapping[str, list[str]]:
        """The names of the components that extend a schema, by its pointer."""
        found: dict[str, list[str]] = {}
        for name, node in self._components.items():
            if isinstance(node.value, dict) and "allOf" in node.value:
                for base in self._parts(node.value, "allOf", node.pointer):
                    found.setdefault(base, []).append(name)
        return found

    def _parts(self, schema: _Json, key: str, place: str) -> Iterator[str]:
        """The pointers of those parts of a composition that are references."""
        parts = schema.get(key)
        for part in parts if isinstance(parts, list) else ():
            ref = part.get("$ref") if isinstance(part, dict) else None
            if isinstance(ref, str):
                with suppress(UnresolvedRef):
                    yield self._document.lookup(ref, place).pointer
