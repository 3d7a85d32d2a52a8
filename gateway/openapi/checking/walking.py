"""One walk over all objects of a description, along the vocabulary's tables.

A node is a plain tuple and its JSON Pointer is made only for a finding: this keeps the walk of a
13 MB document at tens of milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.openapi.checking.vocabulary import CALLBACK, Rule, Shape, Subject, Table
from gateway.openapi.document import join

Spot = tuple[object, Table, "Spot | None", str | int]
"""Value, table, parent (None for the root) and its member name or index there."""

Reference = tuple[str, Spot]
"""A reference as it is written and the object that holds it."""

_ONE, _MAP, _REF = Shape.ONE, Shape.MAP, Shape.REF
_LISTS = (Shape.LIST, Shape.ONE_OR_LIST)
_REF_RULE = "$ref"  # in all tables of objects that may be a reference


@dataclass(slots=True, kw_only=True)
class Walk:
    """What was met on the way. `mappings` are discriminators' values: references or bare names."""

    references: list[Reference] = field(default_factory=list)
    mappings: list[Reference] = field(default_factory=list)
    subjects: dict[Subject, list[Spot]] = field(
        default_factory=lambda: {subject: [] for subject in Subject}
    )

    def start(self, node: Spot, subject: Subject | None = None) -> None:
        """Visit `node`, which is a `subject`, and everything below it, depth first."""
        if subject is not None:
            self.subjects[subject].append(node)
        self._go([node])

    def _go(self, stack: list[Spot]) -> None:  # noqa: C901, PLR0912  one hot loop
        while stack:
            node = stack.pop()
            value, table = node[0], node[1]
            if not isinstance(value, dict):
                continue
            if table is CALLBACK:
                table = _callback_table(value)
            for key, child in value.items():
                rule = table.get(key)
                if rule is None:
                    continue
                shape, below, subject = rule
                if shape is _ONE:
                    found = (child, below, node, key)
                    stack.append(found)
                    if subject is not None:
                        self.subjects[subject].append(found)
                elif shape is _MAP and subject is None and below is not CALLBACK:
                    if isinstance(child, dict):
                        self._map(child, below, (child, table, node, key), stack)
                elif shape is not _REF:
                    self._several(rule, child, (child, table, node, key), stack)
                elif isinstance(child, str):
                    self.references.append((child, node))

    def _map(self, parts: Mapping[str, object], table: Table, at: Spot, stack: list[Spot]) -> None:
        """Most of what is visited: mostly schemas without a part, or references alone."""
        leads = table.keys()
        for name, part in parts.items():
            # One call says that nothing follows, and spares a visit.
            if isinstance(part, dict) and not leads.isdisjoint(part):
                if len(part) == 1 and isinstance(ref := part.get("$ref"), str):
                    self.references.append((ref, (part, table, at, name)))
                else:
                    stack.append((part, table, at, name))

    def _several(self, rule: Rule, value: object, at: Spot, stack: list[Spot]) -> None:
        shape, table, subject = rule
        found: list[Spot] = []
        if isinstance(value, dict):
            found = self._members(rule, value, at)
        elif isinstance(value, list) and shape in _LISTS:
            found = [(part, table, at, index) for index, part in enumerate(value)]
        if subject is not None:
            self.subjects[subject].extend(found)
        elif _REF_RULE in table:
            found = self._without_references(found)
        stack.extend(found)

    def _without_references(self, found: list[Spot]) -> list[Spot]:
        """Take in those that are a reference and nothing else: that spares a visit to each."""
        others: list[Spot] = []
        for node in found:
            part = node[0]
            ref = part.get("$ref") if isinstance(part, dict) and len(part) == 1 else None
            if isinstance(ref, str):
                self.references.append((ref, node))
            else:
                others.append(node)
        return others

    def _members(self, rule: Rule, value: Mapping[str, object], at: Spot) -> list[Spot]:
        shape, table, _ = rule
        if shape is _MAP:
            return [(part, table, at, name) for name, part in value.items()]
        if shape is Shape.PATTERN_MAP:
            return [
                (part, table, at, name)
                for name, part in value.items()
                if not str(name).startswith("x-")
            ]
        if shape is Shape.ONE_OR_LIST:
            return [(value, table, at[2], at[3])]
        if shape is Shape.MAPPING:
            self.mappings.extend((v, at) for v in value.values() if isinstance(v, str))
        return []


def pointer_of(node: Spot) -> str:
    """The JSON Pointer (RFC 6901) of `node`."""
    keys: list[str] = []
    above: Spot | None = node
    while above is not None and above[2] is not None:
        keys.append(str(above[3]))
        above = above[2]
    pointer = ""
    for key in reversed(keys):
        pointer = join(pointer, key)
    return pointer


def _callback_table(value: Mapping[str, object]) -> Table:
    """A table that knows the callback's own expressions."""
    members = {key: CALLBACK["*"] for key in value if not str(key).startswith("x-")}
    return {**members, "$ref": CALLBACK["$ref"]}
