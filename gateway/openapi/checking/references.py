"""References that lead nowhere, and components that nothing leads to."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from gateway.openapi.checking.walking import Reference, Spot, pointer_of
from gateway.openapi.document import Document, UnresolvedRef, join
from gateway.openapi.findings import Code, Finding, finding

_SCHEMAS = ("/components/schemas", "/definitions")


@dataclass(slots=True, kw_only=True)
class Links:
    """The references of one document and what each component refers to, by pointer.

    `""` among the owners stands for all that is no component: paths and webhooks.
    """

    document: Document
    targets: dict[str, set[str]] = field(default_factory=dict)
    _known: dict[str, str | None] = field(default_factory=dict)

    def check(self, owner: str, references: Iterable[Reference]) -> Iterator[Finding]:
        """Take in the references below `owner`; the findings are those that lead nowhere."""
        targets = self.targets.setdefault(owner, set())
        known = self._known
        for ref, node in references:
            if ref in known:
                target = known[ref]
            else:
                target, found = self._resolve(ref, node)
                if found is None:
                    known[ref] = target
                else:
                    yield found
            if target is not None:
                targets.add(target)

    def check_mappings(self, owner: str, mappings: Iterable[Reference]) -> Iterator[Finding]:
        """The same for discriminators' values: a schema's name before a reference."""
        references: list[Reference] = []
        for text, node in mappings:
            if text.startswith("#"):
                references.append((text, node))
            else:
                named = (join(prefix, text) for prefix in _SCHEMAS)
                self.targets.setdefault(owner, set()).update(named)
        yield from self.check(owner, references)

    def unused(self, components: Mapping[str, object]) -> Iterator[str]:
        """Pointers of `components` (by pointer) that no path and no webhook leads to."""
        reached = {""}
        todo = [""]
        heirs = _heirs(components)
        while todo:
            owner = todo.pop()
            next_ones = {_component_of(target) for target in self.targets.get(owner, ())}
            if isinstance(value := components.get(owner), Mapping) and "discriminator" in value:
                next_ones.update(heirs.get(owner, ()))
            todo.extend(next_ones - reached)
            reached |= next_ones
        return (pointer for pointer in components if pointer not in reached)

    def _resolve(self, ref: str, node: Spot) -> tuple[str | None, Finding | None]:
        if ref == "#":
            return "", None
        try:
            target = self.document.lookup(ref, "")
        except UnresolvedRef as error:
            code = Code.REF_UNRESOLVED if ref.startswith("#") else Code.REF_EXTERNAL
            return None, finding(code, _at(node), error.reason)
        # As it is written, for it may pass through another component on its way.
        pointer = unquote(ref[1:]) if ref.startswith("#/") else target.pointer
        try:
            self.document.follow(target)
        except UnresolvedRef as error:
            if "never ends" in error.reason:
                return pointer, finding(Code.REF_ENDLESS, _at(node), error.reason)
        return pointer, None


def _at(node: Spot) -> str:
    pointer = pointer_of(node)
    # A discriminator's mapping holds references without being one.
    return f"{pointer}/$ref" if isinstance(node[0], Mapping) and "$ref" in node[0] else pointer


def _component_of(pointer: str) -> str:
    """The component in which `pointer` stands, itself if it is one."""
    depth = 4 if pointer.startswith("/components/") else 3
    return "/".join(pointer.split("/")[:depth])


def _heirs(components: Mapping[str, object]) -> dict[str, set[str]]:
    """Schemas by what they extend with `allOf`: a discriminator reaches them unnamed."""
    found: dict[str, set[str]] = {}
    for pointer, value in components.items():
        parts = value.get("allOf") if isinstance(value, Mapping) else None
        for part in parts if isinstance(parts, list | tuple) else ():
            if isinstance(part, Mapping) and isinstance(ref := part.get("$ref"), str):
                found.setdefault(ref.removeprefix("#"), set()).add(pointer)
    return found
