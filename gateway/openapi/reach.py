"""What a schema leads to: dangling references, too many levels, patterns that cannot be matched."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple, TypeGuard

from gateway.openapi.conversion import MAX_DEPTH, SchemaTooDeep
from gateway.openapi.discriminators import Discriminator, Discriminators
from gateway.openapi.document import Document, Node, UnresolvedRef, join, quoted
from gateway.openapi.hygiene import hides_something
from gateway.openapi.keywords import KEYWORDS, Kind
from gateway.openapi.model import Schema
from gateway.openapi.patterns import Patterns

_NESTED: Mapping[str, Kind] = {
    key: kind
    for key, kind in KEYWORDS.items()
    if kind in (Kind.SCHEMA, Kind.SCHEMAS, Kind.NAMED_SCHEMAS)
}
# What answers and arguments are compared with: names of members, and values.
_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies"})
_EXACT = _NAMED | {"required", "dependentRequired", "enum", "const"}
# A schema without any of these leads nowhere, hides nothing and loses nothing.
_LEADS = frozenset(
    {*_NESTED, *_EXACT, "$ref", "$dynamicRef", "pattern", "patternProperties", "discriminator"}
)
# Members that are more than parts and a reference.
_NOTED = frozenset({"pattern", "patternProperties", "discriminator"})
HIDDEN = "a name or value that must stay exact has characters that nobody sees"

_Spot = tuple[object, "_Spot | None", str, "str | int | None", int]
"""A schema, the one around it (None for the root), where in it (a keyword, and a name or an index),
and how deep. A pointer is made of it only where something is wrong."""


class _Look(NamedTuple):
    """What one schema refers to, what its discriminators choose among, or its fault."""

    targets: tuple[Node, ...] = ()
    choices: tuple[Node, ...] = ()
    fault: UnresolvedRef | SchemaTooDeep | None = None


class Reach:
    """What the schemas of one document lead to, each definition looked at once."""

    def __init__(
        self,
        document: Document,
        patterns: Patterns,
        discriminators: Discriminators,
        *,
        ref_siblings: bool,
    ) -> None:
        self._document = document
        self._patterns = patterns
        self._discriminators = discriminators
        self._ref_siblings = ref_siblings
        self._sound: set[str] = set()
        self._looked: dict[str, _Look] = {}

    def check(self, schema: Schema, pointer: str) -> tuple[str, ...]:
        """The pointers of new patterns, at any distance, that the published schema leaves out.

        Raises UnresolvedRef for a reference that leads to no schema, SchemaTooDeep for a schema
        that could not be converted.
        """
        if not isinstance(schema, dict) or _LEADS.isdisjoint(schema):
            return ()
        lost: list[str] = []
        sound: set[str] = set()
        choices = self._follow(self._look(Node(value=schema, pointer=pointer), lost), sound, lost)
        followed: set[str] = set()
        # A discriminator asks for nothing: what is wrong with a choice costs that choice.
        while choices:
            choice = choices.pop()
            if choice.pointer in followed:
                continue
            followed.add(choice.pointer)
            with suppress(UnresolvedRef, SchemaTooDeep):
                if isinstance(self._document.follow(choice).value, dict | bool):
                    choices += self._follow(_Look((choice,)), sound, lost)
        # At once and at the end: other threads pass by what is sound, choices and all.
        self._sound |= sound
        return tuple(lost)

    def discriminate(self, schema: Mapping[str, object], root: Node) -> Discriminator | None:
        """The discriminator of a schema that `check` has come to, with the choices to publish."""
        found = self._discriminators.read(schema, root)
        if found is None:
            return None
        sound = {v: node for v, node in found.choices.items() if node.pointer in self._sound}
        return replace(found, choices=sound)

    def _follow(self, root: _Look, sound: set[str], lost: list[str]) -> list[Node]:
        """Adds to `sound` all that `root` leads to; what discriminators in there choose among."""
        new: set[str] = set()
        choices: list[Node] = []
        found = [root]
        faults: list[UnresolvedRef | SchemaTooDeep] = []
        while found:
            look = found.pop()
            if look.fault is not None:
                faults.append(look.fault)
                continue
            choices += look.choices
            for target in look.targets:
                place = target.pointer
                if place not in self._sound and place not in sound and place not in new:
                    new.add(place)
                    found.append(self._looked_at(target, lost))
        if faults:
            # Always the same one, in whatever order the document has them.
            raise min(faults, key=str)
        sound |= new
        return choices

    def _looked_at(self, definition: Node, lost: list[str]) -> _Look:
        """What a definition refers to. Its fault is kept, too: it costs everyone who gets here."""
        kept = self._looked.get(definition.pointer)
        if kept is None:
            kept = self._looked[definition.pointer] = self._look(definition, lost)
        return kept

    def _look(self, root: Node, lost: list[str]) -> _Look:
        """The targets of all references inside one schema, none followed, or its first fault."""
        targets: dict[str, Node] = {}
        choices: list[Node] = []
        faults: list[UnresolvedRef] = []
        todo: list[_Spot] = [(root.value, None, "", None, 1)]
        while todo:
            spot = todo.pop()
            if not isinstance(value := spot[0], dict):
                continue
            if spot[4] > MAX_DEPTH:
                return _Look(fault=SchemaTooDeep(root.pointer))
            try:
                target = self._read(value, root, spot)
            except UnresolvedRef as error:
                faults.append(error)
                continue
            if target is not None:
                targets[target.pointer] = target
            if target is None or self._ref_siblings:
                if not _NOTED.isdisjoint(value):
                    lost.extend(self._lost_patterns(value, root, spot))
                    choices += self._choices(value, root)
                _push_parts(todo, value, spot)
        fault = min(faults, key=str, default=None)
        return _Look(tuple(targets.values()), tuple(choices), fault)

    def _choices(self, value: Mapping[str, object], root: Node) -> Iterable[Node]:
        found = self._discriminators.read(value, root)
        return found.choices.values() if found is not None else ()

    def _read(self, value: Mapping[str, object], root: Node, spot: _Spot) -> Node | None:
        """The target of a schema's own reference. Raises UnresolvedRef."""
        if not _EXACT.isdisjoint(value) and _hides_something(value):
            raise UnresolvedRef(_place(root, spot), HIDDEN)
        ref = value.get("$ref")
        if "$dynamicRef" in value and not isinstance(ref, str):
            ref = self._dynamic(value["$dynamicRef"], root)
        return self._target(ref, root, spot) if isinstance(ref, str) else None

    def _dynamic(self, ref: object, root: Node) -> str | None:
        """A `$dynamicRef` that names one schema; it costs nobody anything where it does not."""
        if not isinstance(ref, str) or not self._ref_siblings:
            return None
        try:
            self._document.lookup(ref, root.pointer)
        except UnresolvedRef:
            return None
        return ref

    def _lost_patterns(self, value: Mapping[str, object], root: Node, spot: _Spot) -> Iterator[str]:
        pattern, named = value.get("pattern"), value.get("patternProperties")
        if isinstance(pattern, str) and not self._patterns.admits(pattern):
            yield join(_place(root, spot), "pattern")
        for key in named if isinstance(named, dict) else ():
            if not self._patterns.admits(str(key)):
                yield join(join(_place(root, spot), "patternProperties"), str(key))

    def _target(self, ref: str, root: Node, spot: _Spot) -> Node:
        try:
            target = self._document.lookup(ref, root.pointer)
        except UnresolvedRef as error:
            raise UnresolvedRef(_place(root, spot), error.reason) from error
        if not isinstance(self._document.follow(target).value, dict | bool):
            text = f"the reference {quoted(ref)} points at no schema"
            raise UnresolvedRef(_place(root, spot), text)
        return target


def subschemas(node: Node) -> Iterator[Node]:
    """The schemas directly inside `node`, with their pointers."""
    spots: list[_Spot] = []
    if isinstance(node.value, dict):
        _push_parts(spots, node.value, (node.value, None, "", None, MAX_DEPTH))
    for spot in spots:
        yield Node(value=spot[0], pointer=_place(node, spot))


def _push_parts(todo: list[_Spot], value: Mapping[str, object], spot: _Spot) -> None:
    """Put the schemas directly inside `spot` on the stack, but for those that lead nowhere."""
    depth = spot[4] + 1
    # Beyond the depth every part counts, whatever it leads to.
    leads = _LEADS if depth <= MAX_DEPTH else None
    for key, part in value.items():
        kind = _NESTED.get(key)
        if kind is None:
            continue
        if isinstance(part, dict):
            if kind is Kind.NAMED_SCHEMAS:
                todo.extend(
                    (inner, spot, key, str(name), depth)
                    for name, inner in part.items()
                    if leads is None or (isinstance(inner, dict) and not leads.isdisjoint(inner))
                )
            elif kind is Kind.SCHEMA:
                todo.append((part, spot, key, None, depth))
        elif isinstance(part, list) and (kind is Kind.SCHEMAS or key == "items"):
            todo.extend((inner, spot, key, index, depth) for index, inner in enumerate(part))


def _place(root: Node, spot: _Spot) -> str:
    """The pointer of `spot`, which stands in `root`."""
    steps: list[str] = []
    above: _Spot | None = spot
    while above is not None and above[1] is not None:
        _, outer, key, name, _ = above
        steps += [key] if name is None else [str(name), key]
        above = outer
    place = root.pointer
    for step in reversed(steps):
        place = join(place, step)
    return place


def _hides_something(schema: Mapping[str, object]) -> bool:
    """Whether a name or value right in this schema has characters that nobody sees."""
    for key in _EXACT:
        if (value := schema.get(key)) is None:
            continue
        if key in _NAMED and isinstance(value, dict):
            # Its parts are looked at on their own.
            text: object = " ".join(map(str, value))
        else:
            text = " ".join(value) if _is_texts(value) else value
        if hides_something(text):
            return True
    return False


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(type(part) is str for part in value)
