"""What an operation answers on success."""

from collections.abc import Iterator, Mapping

from gateway.catalog.media import is_json
from gateway.openapi import (
    Convert,
    Direction,
    Node,
    Operation,
    Schema,
    Schemas,
    SchemaTooDeep,
    UnresolvedRef,
    join,
    media_types,
)

Json = dict[str, object]


# In bytes of canonical JSON. Where models refer to each other, an answer's schema is soon all of
# them: 390 KB for each of Stripe's 452 operations, which nobody reads.
MAX_SCHEMA = 32_768


def response_schema(operation: Operation, schemas: Schemas) -> Json:
    """The schema of the first success with a JSON body, closed under `$defs`; `{}` for none.

    A dangling reference in an answer costs its schema, not the operation. Beyond MAX_SCHEMA the
    definitions that are furthest from the root are empty.
    """
    try:
        node = _first_json(operation, schemas)
        return _closed(node, schemas) if node else {}
    except (UnresolvedRef, SchemaTooDeep):
        return {}


def response_digest(operation: Operation, schemas: Schemas) -> str | None:
    """The digest of the same schema as the description writes it, whole; None for none."""
    try:
        node = _first_json(operation, schemas)
    except UnresolvedRef:
        return None
    return schemas.fingerprint(node) if node else None


def _first_json(operation: Operation, schemas: Schemas) -> Node | None:
    """The Schema Object of the first success with a JSON body. Raises UnresolvedRef."""
    for media_type, node in success_media(operation, schemas):
        if is_json(media_type):
            schema = node.child("schema")
            return schema if schema and isinstance(schema.value, dict) else None
    return None


def _closed(node: Node, schemas: Schemas) -> Json:
    value: Schema = node.value if isinstance(node.value, dict) else True
    schemas.check(value, node.pointer)

    def build(convert: Convert) -> Json:
        made = convert(value, node.pointer)
        return made if isinstance(made, dict) else {}

    return schemas.bundle(build, Direction.OUTPUT, room=MAX_SCHEMA)


def success_media(operation: Operation, schemas: Schemas) -> Iterator[tuple[str, Node]]:
    """Media types of the 2xx answers with their Media Type Objects, lowest status first."""
    responses = operation.node.get("responses")
    if not isinstance(responses, Mapping):
        return
    at = join(operation.pointer, "responses")
    for status in sorted(str(key) for key in responses if str(key)[:1] == "2"):
        found = responses.get(status)
        node = schemas.document.follow(Node(value=found, pointer=join(at, status)))
        if "swagger" in schemas.document.root:
            at_operation = Node(value=operation.node, pointer=operation.pointer)
            produces = media_types(schemas.document, at_operation, "produces")
            # In Swagger 2.0 the Response Object itself has the schema.
            yield from ((media, node) for media in sorted(produces) or ["application/json"])
            continue
        content = node.child("content")
        if content is None or not isinstance(content.value, Mapping):
            continue
        for media_type in sorted(str(key) for key in content.value):
            if (media := content.child(media_type)) is not None:
                yield media_type, schemas.document.follow(media)
