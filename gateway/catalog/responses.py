"""What an operation answers on success."""

from collections.abc import Iterator, Mapping

from gateway.catalog.media import is_json
from gateway.openapi import (
    Convert,
    Direction,
    Node,
    Operation,
    Schemas,
    SchemaTooDeep,
    UnresolvedRef,
    join,
    media_types,
)

Json = dict[str, object]


def response_schema(operation: Operation, schemas: Schemas) -> Json:
    """The schema of the first success with a JSON body, closed under `$defs`; `{}` for none.

    A dangling reference in an answer costs its schema, not the operation.
    """
    try:
        for media_type, node in success_media(operation, schemas):
            if is_json(media_type):
                return _closed(node, schemas)
    except (UnresolvedRef, SchemaTooDeep):
        pass
    return {}


def _closed(node: Node, schemas: Schemas) -> Json:
    schema = node.child("schema")
    if schema is None or not isinstance(schema.value, Mapping):
        return {}
    value = schema.value
    schemas.check(value, schema.pointer)

    def build(convert: Convert) -> Json:
        made = convert(value, schema.pointer)
        return made if isinstance(made, dict) else {}

    return schemas.bundle(build, Direction.OUTPUT)


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
