"""What an operation answers on success."""

from collections.abc import Iterator, Mapping

from gateway.catalog.files import is_binary
from gateway.openapi import (
    Convert,
    Direction,
    Document,
    Node,
    Operation,
    Schema,
    Schemas,
    SchemaTooDeep,
    UnresolvedRef,
    is_json,
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
    """Media types of the successes with their Media Type Objects, lowest status first.

    Those of a range (`2XX`) come last; where no success is declared, `default` describes it.
    """
    responses = _responses(operation)
    successes = sorted(name for name in responses if name[:1] == "2") or ["DEFAULT"]
    for name in successes:
        if name in responses:
            yield from _media(responses[name], operation, schemas)


def answer_media(operation: Operation, schemas: Schemas, status: int) -> Iterator[tuple[str, Node]]:
    """Media types of the answers of one status with their Media Type Objects.

    The Response Object of the very status counts, else its range's (`2XX`), else `default`
    (OpenAPI 3.1 section 4.8.16). Raises UnresolvedRef.
    """
    found = answer_node(operation, status)
    if found is not None:
        yield from _media(found, operation, schemas)


def answer_node(operation: Operation, status: int) -> Node | None:
    """The Response Object, or its reference, that describes answers of one status."""
    responses = _responses(operation)
    for name in (str(status), f"{status // 100}XX", "DEFAULT"):
        if name in responses:
            return responses[name]
    return None


def _responses(operation: Operation) -> Mapping[str, Node]:
    """The Response Objects by their status, range or `default` in upper case."""
    given = operation.node.get("responses")
    at = join(operation.pointer, "responses")
    return {
        str(status).upper(): Node(value=value, pointer=join(at, str(status)))
        for status, value in (given.items() if isinstance(given, dict) else ())
    }


def _media(response: Node, operation: Operation, schemas: Schemas) -> Iterator[tuple[str, Node]]:
    """The media types of one Response Object, in the order of the alphabet."""
    document = schemas.document
    node = document.follow(response)
    if "swagger" in document.root:
        # In Swagger 2.0 the Response Object itself has the schema.
        yield from ((media, node) for media in _produced(operation, node, document))
        return
    content = node.value.get("content") if isinstance(node.value, dict) else None
    known: dict[str, object] = content if isinstance(content, dict) else {}
    for media_type in sorted(map(str, known)):
        if media_type in known:
            place = join(f"{node.pointer}/content", media_type)
            yield media_type, document.follow(Node(value=known[media_type], pointer=place))


def _produced(operation: Operation, response: Node, document: Document) -> list[str]:
    """What `produces` says; where nothing does, an answer that has a schema is JSON."""
    at_operation = Node(value=operation.node, pointer=operation.pointer)
    if produces := media_types(document, at_operation, "produces"):
        return sorted(produces)
    schema = response.value.get("schema") if isinstance(response.value, dict) else None
    return ["application/json"] if isinstance(schema, dict) and not is_binary(schema) else []
