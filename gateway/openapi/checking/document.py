"""All checks of one description, in one walk over it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from gateway.openapi.checking.extensions import check_info
from gateway.openapi.checking.operations import check_operation_ids, check_paths
from gateway.openapi.checking.references import Links
from gateway.openapi.checking.structure import check_schemas, check_structure
from gateway.openapi.checking.surroundings import (
    check_links,
    check_security,
    check_servers,
    required_schemes,
)
from gateway.openapi.checking.vocabulary import (
    COMPONENTS,
    METHODS,
    ROOT,
    SWAGGER_COMPONENTS,
    Subject,
)
from gateway.openapi.checking.walking import Spot, Walk
from gateway.openapi.document import Document, join
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
    # No version knows references to operations. Where they stand, one line says it, or each of
    # hundreds would bring two and leave no room for others.
    root, references = _without_referring_operations(document.root)
    if references:
        text = f"{references:,} x `$ref` in place of an operation, which no version knows; followed"
        yield finding(Code.STRUCTURE_UNKNOWN, "/paths", text)
    yield from check_structure(root, version)


def _without_referring_operations(
    root: Mapping[str, object],
) -> tuple[Mapping[str, object], int]:
    paths = root.get("paths")
    if not isinstance(paths, dict):
        return root, 0
    kept = {p: _own_members(item) if str(p)[:1] == "/" else None for p, item in paths.items()}
    left_out = sum(len(paths[path]) - len(item) for path, item in kept.items() if item is not None)
    if not left_out:
        return root, 0
    whole = {path: paths[path] if item is None else item for path, item in kept.items()}
    return {**root, "paths": whole}, left_out


def _own_members(item: object) -> Mapping[str, object] | None:
    """The members of a path item but the operations that are references; None: it has no such."""
    if not isinstance(item, dict):
        return None
    referring = {key for key in METHODS if isinstance(v := item.get(key), dict) and "$ref" in v}
    return {k: v for k, v in item.items() if k not in referring} if referring else None


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
    top: Spot = (root, ROOT, None, "")
    walk, links = Walk(), Links(document=document)
    components = _components(root, version)
    for owner, (node, subject) in {"": (top, None), **components}.items():
        walk.start(node, subject)
        yield from links.check(owner, walk.references)
        yield from links.check_mappings(owner, walk.mappings)
        walk.references.clear()
        walk.mappings.clear()
    yield from check_info(root)
    yield from check_paths(document)
    yield from check_operation_ids(walk.subjects[Subject.OPERATION])
    yield from _check_surroundings(root, version, walk, links)
    if version in ("3.1", "3.2"):
        yield from check_schemas(root, walk.subjects[Subject.SCHEMA])
    # Without a path it is a library for other descriptions; other documents may refer to it, too.
    if not document.parts and (root.get("paths") or root.get("webhooks")):
        unused = links.unused({pointer: node[0] for pointer, (node, _) in components.items()})
        yield from _unused(unused)


def _components(root: Mapping[str, object], version: str) -> dict[str, tuple[Spot, Subject | None]]:
    """Every component by its pointer."""
    top: Spot = (root, ROOT, None, "")
    rules, parent, prefix = COMPONENTS, top, ""
    if version == "2.0":
        rules = SWAGGER_COMPONENTS
    else:
        parent, prefix = (root.get("components"), {}, top, "components"), "/components"
    found: dict[str, tuple[Spot, Subject | None]] = {}
    for section, rule in rules.items():
        members = parent[0].get(section) if isinstance(parent[0], Mapping) else None
        at: Spot = (members, {}, parent, section)
        for name, value in members.items() if isinstance(members, Mapping) else ():
            node: Spot = (value, rule.table, at, str(name))
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
