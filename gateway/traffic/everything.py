"""All bodies that a description describes, in one schema: what operations share is there once."""

from collections.abc import Iterator, Mapping

from gateway.openapi import (
    METHODS,
    Convert,
    Direction,
    Document,
    Node,
    Schemas,
    SchemaTooDeep,
    UnresolvedRef,
)

Json = dict[str, object]
# Beyond, compiling them all would hold everybody up for seconds. Kubernetes has 1,665 answers.
MAX_BODIES = 8_000


def all_bodies(schemas: Schemas, direction: Direction) -> Json:
    """A member of `properties` for the place of each body that is usable; `{}` for too many."""
    found: dict[str, Node] = {}
    for node in _bodies(schemas.document, direction):
        found[node.pointer] = node
        if len(found) > MAX_BODIES:
            return {}
    usable = [node for node in found.values() if _is_usable(schemas, node)]

    def build(convert: Convert) -> Json:
        return {"properties": {n.pointer: convert(_schema(n), n.pointer) for n in usable}}

    return schemas.bundle(build, direction)


def _is_usable(schemas: Schemas, node: Node) -> bool:
    try:
        schemas.check(_schema(node), node.pointer)
    except (UnresolvedRef, SchemaTooDeep):
        return False
    return True


def _schema(node: Node) -> Json | bool:
    return node.value if isinstance(node.value, dict | bool) else True


def _bodies(document: Document, direction: Direction) -> Iterator[Node]:
    for operation in _operations(document):
        if direction is Direction.REQUEST:
            holders = [operation.child("requestBody"), *_entries(document, operation, "parameters")]
        else:
            holders = _entries(document, operation, "responses")
        for holder in holders:
            node = _followed(document, holder)
            content = node.child("content") if node else None
            for media in _members(content) if content else filter(None, [node]):
                target = _followed(document, media)
                schema = target.child("schema") if target else None
                if schema is not None:
                    yield schema


def _operations(document: Document) -> Iterator[Node]:
    paths = Node(value=document.root, pointer="").child("paths")
    for item in _members(paths):
        target = _followed(document, item)
        for method in METHODS:
            found = _followed(document, target.child(method.lower()) if target else None)
            if found is not None:
                yield found


def _entries(document: Document, operation: Node, key: str) -> list[Node | None]:
    """The Response Objects; of Swagger 2.0 also the parameters, one of which is the body."""
    listed = operation.child(key)
    if listed is not None and isinstance(listed.value, list):
        if "swagger" not in document.root:
            return []
        entries = enumerate(listed.value)
        return [Node(value=v, pointer=f"{listed.pointer}/{i}") for i, v in entries]
    return list(_members(listed))


def _members(node: Node | None) -> Iterator[Node]:
    value = node.value if node is not None else None
    for key in value if isinstance(value, Mapping) else ():
        if node is not None and (found := node.child(str(key))) is not None:
            yield found


def _followed(document: Document, node: Node | None) -> Node | None:
    try:
        return document.follow(node) if node is not None else None
    except UnresolvedRef:
        return None
