"""What an operation answers on success."""

from collections.abc import Iterator, Mapping

from gateway.catalog.media import is_json
from gateway.openapi import (
    Closed,
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


# In bytes of canonical JSON. Where models refer to each other, an answer's schema is soon all of
# them: 390 KB for each of Stripe's 452 operations, which nobody reads.
MAX_SCHEMA = 32_768


def response_schema(operation: Operation, schemas: Schemas) -> Closed:
    """The schema of the first success with a JSON body; empty for none.

    A dangling reference in an answer costs its schema, not the operation. Beyond MAX_SCHEMA the
    definitions that are furthest from the root are empty.
    """
    try:
        for media_type, node in success_media(operation, schemas):
            if is_json(media_type):
                return _closed(node, schemas)
    except (UnresolvedRef, SchemaTooDeep):
        pass
    return _NOTHING


_NOTHING = Closed(root={}, definitions={})


def _closed(node: Node, schemas: Schemas) -> Closed:
    schema = node.child("schema")
    if schema is None or not isinstance(schema.value, dict):
        return _NOTHING
    value = schema.value
    schemas.check(value, schema.pointer)

    def build(convert: Convert) -> Json:
        made = convert(value, schema.pointer)
        return made if isinstance(made, dict) else {}

    return schemas.close(build, Direction.OUTPUT, room=MAX_SCHEMA)


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
