"""What a reviewer should see of an API's texts before agents do. Nothing here changes anything.

It looks at every text once and takes longer than loading: for checks and reports, not for serving.
"""

from collections.abc import Iterable, Iterator, Mapping

from gateway.catalog.annotations import EXTENSION, annotation_faults, read_title
from gateway.catalog.bait import suspicious
from gateway.catalog.catalog import ApiCatalog
from gateway.catalog.responses import success_media
from gateway.catalog.tool import MAX_DESCRIPTION, MAX_TITLE, Tool
from gateway.openapi import (
    MAX_ARGUMENT_TEXT,
    Node,
    Parameter,
    Problem,
    Schemas,
    UnresolvedRef,
    join,
    subschemas,
)

_Note = tuple[str, str]
"""A place in the description, and what there is to say."""

_WORDS = ("title", "description")
_DATA = ("enum", "const", "default", "example", "examples")


def review(api: ApiCatalog) -> tuple[Problem, ...]:
    """Warnings about texts that are cut, may be meant for the model, or are no annotations."""
    seen: set[str] = set()
    remarks = [remark for tool in api.tools.values() for remark in _remarks(tool, seen)]
    return tuple(
        Problem(api=api.api, pointer=pointer, severity="warning", message=message)
        for pointer, message in dict.fromkeys(remarks)
    )


def _remarks(tool: Tool, seen: set[str]) -> Iterator[_Note]:
    operation = tool.operation
    yield from _of_text(operation.text("summary"), join(operation.pointer, "summary"), MAX_TITLE)
    at = join(operation.pointer, "description")
    # Summary and description are published as one.
    yield from _cut(len(tool.described), at, MAX_DESCRIPTION)
    yield from _bait(operation.text("description"), at)
    yield from _of_data(list(operation.tags), join(operation.pointer, "tags"))
    at = join(operation.pointer, EXTENSION)
    yield from ((at, message) for message in annotation_faults(operation))
    yield from _of_text(read_title(operation), at, MAX_TITLE)
    for parameter in operation.parameters:
        at = _described_at(parameter, tool)
        if (mark := f"{at} {parameter.name}") not in seen:
            seen.add(mark)
            yield from _of_text(parameter.description, at, MAX_ARGUMENT_TEXT)
            yield from _of_data(list(parameter.examples), parameter.pointer)
    if operation.body is not None:
        at = "requestBody" if "requestBody" in operation.node else "parameters"
        text = operation.body.description
        yield from _of_text(text, join(operation.pointer, at), MAX_ARGUMENT_TEXT)
    for node in _schemas(tool, seen):
        yield from _of_schema(node)


def _described_at(parameter: Parameter, tool: Tool) -> str:
    """Where its description stands: right in the parameter, or beside a reference to it."""
    own = tool.schemas.document.at(parameter.pointer).value
    text = own.get("description") if isinstance(own, Mapping) else None
    if not isinstance(text, str) or text.strip() == parameter.description:
        return join(parameter.pointer, "description")
    return join(tool.operation.pointer, "parameters")


def _of_text(text: str, at: str, limit: int) -> Iterator[_Note]:
    yield from _cut(len(text), at, limit)
    yield from _bait(text, at)


def _of_data(value: object, at: str) -> Iterator[_Note]:
    yield from _bait("\n".join(_strings(value)), at)


def _cut(length: int, at: str, limit: int) -> Iterator[_Note]:
    if length > limit:
        yield at, f"is published as its first {limit:,} of {length:,} characters"


def _bait(text: str, at: str) -> Iterator[_Note]:
    if found := suspicious(text):
        yield at, f"may be meant for the model: {', '.join(found)}"


def _of_schema(node: Node) -> Iterator[_Note]:
    schema = node.value if isinstance(node.value, Mapping) else {}
    for key in _WORDS:
        if isinstance(text := schema.get(key), str):
            yield from _of_text(text, join(node.pointer, key), MAX_ARGUMENT_TEXT)
    for key in _DATA:
        if key in schema:
            yield from _of_data(schema[key], join(node.pointer, key))


def _strings(value: object) -> Iterator[str]:
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            todo += [*item, *item.values()]
        elif isinstance(item, list | tuple):
            todo += item


def _schemas(tool: Tool, seen: set[str]) -> Iterator[Node]:
    """Every schema that the tool's definition is made of and that `seen` does not have."""
    document = tool.schemas.document
    todo = list(_roots(tool, tool.schemas))
    while todo:
        node = todo.pop()
        if node.pointer in seen:
            continue
        seen.add(node.pointer)
        yield node
        todo.extend((*subschemas(node), *tool.schemas.choices(node)))
        ref = node.value.get("$ref") if isinstance(node.value, Mapping) else None
        if isinstance(ref, str):
            try:
                todo.append(document.lookup(ref, node.pointer))
            except UnresolvedRef:  # in an answer: its schema is not published
                continue


def _roots(tool: Tool, schemas: Schemas) -> Iterable[Node]:
    operation = tool.operation
    for parameter in operation.parameters:
        yield Node(value=parameter.schema, pointer=parameter.schema_pointer)
    if operation.body is not None:
        yield Node(value=operation.body.schema, pointer=operation.body.pointer)
    try:
        answers = [node for _, node in success_media(operation, schemas)]
    except UnresolvedRef:
        answers = []
    yield from filter(None, (node.child("schema") for node in answers))
