"""Rules out of a description: of one operation's requests, of its answers of one status."""

from collections.abc import Iterator, Mapping, Sequence

from gateway.catalog import Tool, answer_media, answer_node
from gateway.errors import DescriptionError
from gateway.openapi import (
    Convert,
    Direction,
    Document,
    Encoding,
    Node,
    Operation,
    Parameter,
    Schema,
    Schemas,
    SchemaTooDeep,
    UnresolvedRef,
    essence_of,
    media_types,
    read_encodings,
)
from gateway.traffic.pools import Check, Pool
from gateway.traffic.rules import (
    LOCATIONS,
    BodyRule,
    BodyRules,
    Described,
    HeadRules,
    MessageRules,
    describe,
    head_schema,
)
from gateway.traffic.shapes import read_shape

Json = dict[str, object]
_UNUSABLE = (UnresolvedRef, SchemaTooDeep, DescriptionError)
# OpenAPI 3.1 section 4.8.17.1: of a header of this name nothing is said.
_IGNORED = frozenset({"content-type"})
# RFC 9110 sections 15.3.5 and 15.3.6: whatever is described, these have no content.
_BODILESS = frozenset({204, 205})
# A part of what 200 answers; few descriptions name it (RFC 9110 section 15.3.7).
_PARTIAL, _WHOLE = 206, 200
_NOWHERE = Node(value={}, pointer="")
_MULTIPART = "multipart/form-data"
_FORMS = frozenset({"application/x-www-form-urlencoded", _MULTIPART})


def place_of_answer(tool: Tool, status: int) -> str | None:
    """What answers that are described alike have in common; None where a status is not described.

    In Swagger 2.0 their media types are the operation's.
    """
    _, found = _described(tool.operation, status)
    if found is None:
        return None
    document = tool.schemas.document
    if "swagger" in document.root:
        return found.pointer
    try:
        place = document.follow(found).pointer
    except UnresolvedRef:
        place = found.pointer
    return f"{place} {status in _BODILESS}"


def _described(operation: Operation, status: int) -> tuple[int, Node | None]:
    """The status by which an answer is described, and where."""
    found = answer_node(operation, status)
    if found is None and status == _PARTIAL:
        return _WHOLE, answer_node(operation, _WHOLE)
    return status, found


class RulesReader:
    """Reads for one direction; what cannot be compiled is noted and not judged."""

    def __init__(self, schemas: Schemas, pool: Pool, direction: Direction) -> None:
        self._schemas = schemas
        self._document = schemas.document
        self._pool = pool
        self._direction = direction
        self._unjudged: list[str] = []

    def read_request(self, tool: Tool) -> MessageRules:
        operation = tool.operation
        by_location = {
            place: tuple(p for p in operation.parameters if p.location == place)
            for place in LOCATIONS
        }
        head = self._head(by_location, f"{operation.method} {operation.path}")
        media = list(self._request_media(operation))
        bodies = BodyRules(
            by_type={essence_of(m): self._body(m, node, given) for m, node, given in media},
            required=operation.body is not None and operation.body.required,
        )
        return MessageRules(head=head, bodies=bodies, unjudged=tuple(self._unjudged))

    def read_answer(self, tool: Tool, status: int) -> MessageRules:
        """The rules of a status that is described."""
        operation = tool.operation
        status, found = _described(operation, status)
        try:
            node = self._document.follow(found or _NOWHERE)
            media = list(answer_media(operation, self._schemas, status))
            headers = tuple(_headers(node, self._document))
        except UnresolvedRef as error:
            return MessageRules(head=_NOTHING, unjudged=(str(error),))
        head = self._head({"header": headers}, node.pointer)
        by_type = {essence_of(m): self._body(m, _schema_of(at), {}) for m, at in media}
        bodies = BodyRules(by_type=by_type, required=bool(by_type) and status not in _BODILESS)
        return MessageRules(head=head, bodies=bodies, unjudged=tuple(self._unjudged))

    def _head(self, parameters: Mapping[str, Sequence[Parameter]], what: str) -> HeadRules:
        names = {place: frozenset(p.name for p in found) for place, found in parameters.items()}
        plain: Mapping[str, tuple[Described, ...]] = {
            place: tuple(Described(parameter=p) for p in found)
            for place, found in parameters.items()
        }
        if not any(parameters.values()):
            return HeadRules(parameters=plain, names=names, check=None)
        try:
            for parameter in (p for found in parameters.values() for p in found):
                self._schemas.check(parameter.schema, parameter.schema_pointer)
            bundled = self._schemas.bundle(lambda c: head_schema(parameters, c), self._direction)
            check = self._pool.add("", f"head of {what}", bundled)
        except _UNUSABLE as error:
            self._unjudged.append(f"the parameters or headers of {what}: {error}")
            return HeadRules(parameters=plain, names=names, check=None)
        return HeadRules(parameters=describe(parameters, bundled), names=names, check=check)

    def _body(self, media_type: str, node: Node, encodings: Mapping[str, Encoding]) -> BodyRule:
        schema: Schema = node.value if isinstance(node.value, dict | bool) else True

        def build(convert: Convert) -> Json:
            made = convert(schema, node.pointer)
            return made if isinstance(made, dict) else ({} if made else {"not": {}})

        essence = essence_of(media_type)
        try:
            self._schemas.check(schema, node.pointer)
            bundled = self._schemas.bundle(build, self._direction)
            check = self._add_body(node.pointer, bundled, essence)
        except _UNUSABLE as error:
            self._unjudged.append(f"bodies of type {essence[:100]} at {node.pointer}: {error}")
            return BodyRule(media_type=essence, check=None)
        found = bundled.get("$defs")
        defs = found if isinstance(found, Mapping) else {}
        root = _root(bundled, defs)
        return BodyRule(
            media_type=essence,
            check=check,
            shape=read_shape(bundled, defs),
            encodings=encodings,
            required=_names(root.get("required")),
            closed=root.get("additionalProperties") is False and "patternProperties" not in root,
        )

    def _add_body(self, place: str, bundled: Json, essence: str) -> Check:
        if essence == _MULTIPART:
            return self._pool.add("/body", f"{place} fields", _fields_alone(bundled))
        return self._pool.add("/body", place, bundled)

    def _request_media(
        self, operation: Operation
    ) -> Iterator[tuple[str, Node, Mapping[str, Encoding]]]:
        """The media types of the body, each with its schema and encodings."""
        body = operation.body
        if body is None:
            return
        schema = Node(value=body.schema, pointer=body.pointer)
        if "swagger" in self._document.root:
            yield from ((m, schema, body.encodings) for m in self._consumed(operation))
            return
        try:
            given = Node(value=operation.node, pointer=operation.pointer).child("requestBody")
            content = self._document.follow(given).child("content") if given else None
            known = content.value if content and isinstance(content.value, dict) else {}
            for key in sorted(map(str, known)):
                if content and (found := content.child(key)):
                    node = self._document.follow(found)
                    yield key, _schema_of(node), read_encodings(node, key)
        except UnresolvedRef as error:
            self._unjudged.append(str(error))

    def _consumed(self, operation: Operation) -> Sequence[str]:
        body = operation.body
        at = Node(value=operation.node, pointer=operation.pointer)
        listed = media_types(self._document, at, "consumes")
        is_form = body is not None and essence_of(body.media_type) in _FORMS
        fitting = [m for m in listed if (essence_of(m) in _FORMS) is is_form]
        return sorted({*fitting, body.media_type if body else "application/json"})


_NOTHING = HeadRules(parameters={}, names={}, check=None)


def _schema_of(holder: Node) -> Node:
    found = holder.child("schema")
    return Node(value=True, pointer=holder.pointer) if found is None else found


def _headers(node: Node, document: Document) -> Iterator[Parameter]:
    """The headers of a Response Object, as parameters (OpenAPI 3.1 section 4.8.21)."""
    listed = node.child("headers")
    for name in sorted(map(str, listed.value if listed and isinstance(listed.value, dict) else ())):
        found = listed.child(name) if listed and name.lower() not in _IGNORED else None
        header = document.follow(found) if found else None
        raw = header.value if header else None
        if header is None or not isinstance(raw, dict):
            continue
        schema, media_type = _header_schema(header, document)
        yield Parameter(
            name=name,
            location="header",
            required=raw.get("required") is True,
            schema=schema.value if isinstance(schema.value, dict | bool) else True,
            pointer=header.pointer,
            schema_pointer=schema.pointer,
            style="simple",
            explode=raw.get("explode") is True,
            media_type=media_type,
        )


def _header_schema(header: Node, document: Document) -> tuple[Node, str | None]:
    if "swagger" in document.root:
        # In Swagger 2.0 the Header Object is the schema.
        return header, None
    content = header.child("content")
    if content is None or not isinstance(content.value, dict) or len(content.value) != 1:
        return _schema_of(header), None
    media_type = str(next(iter(content.value)))
    media = content.child(media_type) or content
    return _schema_of(document.follow(media)), media_type


def _root(schema: Mapping[str, object], defs: Mapping[str, object]) -> Mapping[str, object]:
    """The schema itself, as far as plain references lead to it."""
    seen = 0
    while isinstance(ref := schema.get("$ref"), str) and (seen := seen + 1) < 32:
        target = defs.get(ref.removeprefix("#/$defs/"))
        if not isinstance(target, Mapping):
            break
        schema = target
    return schema


def _fields_alone(schema: Json) -> Json:
    """For a multipart body, of which only the fields are read: what its properties say alone."""
    found = schema.get("$defs")
    root = _root(schema, found if isinstance(found, Mapping) else {})
    kept: Json = {key: root[key] for key in ("type", "properties") if key in root}
    return {**kept, "$defs": found} if found else kept


def _names(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list | tuple) else ()
    return tuple(name for name in listed if isinstance(name, str))
