"""One walk over all objects of a description, along the vocabulary's tables.

A node is a plain tuple and its JSON Pointer is made only for a finding: this keeps the walk of a
13 MB document at tens of milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.openapi.checking.vocabulary import CALLBACK, Rule, Shape, Subject, Table
from gateway.openapi.document import join

Node = tuple[object, Table, "Node | None", str | int]
"""Value, table, parent (None for the root) and its member name or index there."""

Reference = tuple[str, Node]
"""A reference as it is written and the object that holds it."""

_ONE, _REF = Shape.ONE, Shape.REF
_LISTS = (Shape.LIST, Shape.ONE_OR_LIST)


@dataclass(slots=True, kw_only=True)
class Walk:
    """What was met on the way. `mappings` are discriminators' values: references or bare names."""

    references: list[Reference] = field(default_factory=list)
    mappings: list[Reference] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    subjects: dict[Subject, list[Node]] = field(
        default_factory=lambda: {subject: [] for subject in Subject}
    )

    def start(self, node: Node, subject: Subject | None = None) -> None:
        """Visit `node`, which is a `subject`, and everything below it, depth first."""
        if subject is not None:
            self.subjects[subject].append(node)
        self._go([node])

    def _go(self, stack: list[Node]) -> None:  # noqa: C901  one hot loop: calls would double it
        while stack:
            node = stack.pop()
            value, table = node[0], node[1]
            # The first half spares the slow half for what every parser makes.
            if type(value) is not dict and not isinstance(value, Mapping):
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
                elif shape is not _REF:
                    self._several(rule, child, (child, table, node, key), stack)
                elif isinstance(child, str):
                    self.references.append((child, node))

    def _several(self, rule: Rule, value: object, at: Node, stack: list[Node]) -> None:
        shape, table, subject = rule
        found: list[Node] = []
        if shape is Shape.ANCHOR:
            if isinstance(value, str):
                self.anchors.add(value)
        elif isinstance(value, Mapping):
            found = self._members(rule, value, at)
        elif isinstance(value, list | tuple) and shape in _LISTS:
            found = [(part, table, at, index) for index, part in enumerate(value)]
        stack.extend(found)
        if subject is not None:
            self.subjects[subject].extend(found)

    def _members(self, rule: Rule, value: Mapping[str, object], at: Node) -> list[Node]:
        shape, table, subject = rule
        if shape is Shape.MAP:
            if subject is not None or table is CALLBACK:
                return [(part, table, at, name) for name, part in value.items()]
            # Most members are schemas without a part: one call says so and spares a visit.
            leads = table.keys()
            return [
                (part, table, at, name)
                for name, part in value.items()
                if type(part) is not dict or not leads.isdisjoint(part)
            ]
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


def pointer_of(node: Node) -> str:
    """The JSON Pointer (RFC 6901) of `node`."""
    keys: list[str] = []
    above: Node | None = node
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
