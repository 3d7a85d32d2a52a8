"""All checks of one description, in one walk over it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from gateway.openapi.checking.operations import check_operation_ids, check_paths
from gateway.openapi.checking.references import Links
from gateway.openapi.checking.structure import check_schemas, check_structure
from gateway.openapi.checking.surroundings import (
    check_links,
    check_security,
    check_servers,
    required_schemes,
)
from gateway.openapi.checking.vocabulary import COMPONENTS, ROOT, SWAGGER_COMPONENTS, Subject
from gateway.openapi.checking.walking import Node, Walk
from gateway.openapi.document import Document, UnresolvedRef, join
from gateway.openapi.findings import Code, Finding, finding

MAX_FINDINGS = 200
# A document that is wrong everywhere: collecting it all would cost more than reading it.
_ENOUGH = 2_000
VERSIONS = ("2.0", "3.0", "3.1", "3.2")


def check_document(document: Document, version: str) -> tuple[Finding, ...]:
    """What is wrong with a parsed description of `version` (one of VERSIONS), by pointer.

    Of its other documents only those that are not there are found.
    Never raises for anything that the parsers make (they end at about a thousand levels; the
    compiled validator's own stack ends beyond eight thousand). At most MAX_FINDINGS findings,
    invalid ones before warnings when there are more, then one that says how many were left out.
    """
    found = [
        *islice(_structure(document, version), _ENOUGH),
        *islice(_check_meaning(document, version), _ENOUGH),
    ]
    return _first(dict.fromkeys(found))


def _structure(document: Document, version: str) -> Iterator[Finding]:
    for found in check_structure(document.root, version):
        # No version knows references to operations; where one stands, that is what is wrong.
        if found.code is not Code.STRUCTURE_MISSING or not _is_reference(document, found.pointer):
            yield found


def _is_reference(document: Document, pointer: str) -> bool:
    try:
        value = document.at(pointer).value
    except UnresolvedRef:
        return False
    return isinstance(value, Mapping) and "$ref" in value


def _first(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that are shown, in the order of their pointers."""
    worst = sorted(found, key=lambda f: (f.severity, f.pointer, f.code, f.message))
    shown = sorted(worst[:MAX_FINDINGS], key=lambda f: (f.pointer, f.code, f.message))
    if cut := len(worst) - len(shown):
        text = f"{cut:,} more findings are left out"
        shown.insert(0, finding(Code.FINDINGS_CUT, "", text))
    return tuple(shown)


def _check_meaning(document: Document, version: str) -> Iterator[Finding]:
    root = document.root
    top: Node = (root, ROOT, None, "")
    walk, links = Walk(), Links(document=document)
    components = _components(root, version)
    for owner, (node, subject) in {"": (top, None), **components}.items():
        walk.start(node, subject)
        yield from links.check(owner, walk.references)
        yield from links.check_mappings(owner, walk.mappings)
        walk.references.clear()
        walk.mappings.clear()
    links.anchors = walk.anchors
    yield from links.check_anchored()
    yield from check_paths(document)
    yield from check_operation_ids(walk.subjects[Subject.OPERATION])
    yield from _check_surroundings(root, version, walk, links)
    if version in ("3.1", "3.2"):
        yield from check_schemas(root, walk.subjects[Subject.SCHEMA])
    # Without a path it is a library for other descriptions.
    if root.get("paths") or root.get("webhooks"):
        unused = links.unused({pointer: node[0] for pointer, (node, _) in components.items()})
        yield from _unused(unused)


def _components(root: Mapping[str, object], version: str) -> dict[str, tuple[Node, Subject | None]]:
    """Every component by its pointer."""
    top: Node = (root, ROOT, None, "")
    rules, parent, prefix = COMPONENTS, top, ""
    if version == "2.0":
        rules = SWAGGER_COMPONENTS
    else:
        parent, prefix = (root.get("components"), {}, top, "components"), "/components"
    found: dict[str, tuple[Node, Subject | None]] = {}
    for section, rule in rules.items():
        members = parent[0].get(section) if isinstance(parent[0], Mapping) else None
        at: Node = (members, {}, parent, section)
        for name, value in members.items() if isinstance(members, Mapping) else ():
            node: Node = (value, rule.table, at, str(name))
            found[join(f"{prefix}/{section}", str(name))] = (node, rule.subject)
    return found


def _check_surroundings(
    root: Mapping[str, object], version: str, walk: Walk, links: Links
) -> Iterator[Finding]:
    required = required_schemes(walk.subjects[Subject.SECURITY])
    holder: object = root if version == "2.0" else root.get("components")
    section = "securityDefinitions" if version == "2.0" else "securitySchemes"
    defined = holder.get(section) if isinstance(holder, Mapping) else None
    yield from check_security(required, defined if isinstance(defined, Mapping) else ())
    prefix = f"/{section}" if version == "2.0" else f"/components/{section}"
    links.targets[""].update(join(prefix, name) for name in required)
    yield from check_servers(walk.subjects[Subject.SERVER])
    operations = walk.subjects[Subject.OPERATION]
    yield from check_links(walk.subjects[Subject.LINK], operations)


def _unused(pointers: Iterable[str]) -> Iterator[Finding]:
    for pointer in pointers:
        yield finding(Code.COMPONENT_UNUSED, pointer, "is used nowhere")
