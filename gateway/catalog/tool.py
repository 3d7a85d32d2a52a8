"""A Tool: one operation as something callable. What a call needs is made once and kept."""

from dataclasses import asdict, dataclass, field
from functools import cached_property

from gateway.catalog.arguments import Argument, Arguments, read_arguments
from gateway.catalog.digest import digest_of
from gateway.catalog.responses import response_schema
from gateway.openapi import Direction, Operation, Schemas
from gateway.openapi.schemas import Convert

Json = dict[str, object]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tool:
    """`name` is its name inside its API. Two tools are the same when they are one object."""

    api: str
    name: str
    operation: Operation
    schemas: Schemas = field(repr=False)

    @property
    def method(self) -> str:
        return self.operation.method

    @property
    def path(self) -> str:
        """The path template, as the description writes it."""
        return self.operation.path

    @property
    def operation_id(self) -> str | None:
        return self.operation.operation_id

    @property
    def tags(self) -> tuple[str, ...]:
        return self.operation.tags

    @property
    def deprecated(self) -> bool:
        return self.operation.deprecated

    @property
    def title(self) -> str | None:
        """The operation's summary."""
        return self.operation.text("summary") or None

    @cached_property
    def description(self) -> str:
        """What the operation does, never empty: summary and description, else method and path."""
        summary, long = self.operation.text("summary"), self.operation.text("description")
        if summary and long and not long.startswith(summary):
            text = f"{summary}\n\n{long}"
        else:
            text = long or summary or f"{self.method} {self.path}"
        return f"Deprecated. {text}" if self.deprecated else text

    @cached_property
    def arguments(self) -> Arguments:
        return read_arguments(self.operation, self.schemas.document)

    @cached_property
    def input_schema(self) -> Json:
        """JSON Schema 2020-12 of the arguments object: closed, with its own `$defs`."""
        items = self.arguments.items

        def build(convert: Convert) -> Json:
            root: Json = {"type": "object", "additionalProperties": False}
            if items:
                root["properties"] = {a.name: _described(a, convert) for a in items}
            if required := sorted(a.name for a in items if a.required):
                root["required"] = required
            return root

        return self.schemas.bundle(build, Direction.INPUT)

    @cached_property
    def response_schema(self) -> Json:
        """JSON Schema 2020-12 of the JSON that a success answers; `{}` where nothing is said."""
        return response_schema(self.operation, self.schemas)

    @cached_property
    def definition(self) -> Json:
        """Everything that a caller can rely on; what the digest is taken of."""
        return {
            "name": self.name,
            "method": self.method,
            "path": self.path,
            "operation_id": self.operation_id,
            "title": self.title,
            "description": self.description,
            "tags": list(self.tags),
            "deprecated": self.deprecated,
            "arguments": [_place(a) for a in self.arguments.items],
            "body": self._body_definition(),
            "input_schema": self.input_schema,
            "response_schema": self.response_schema,
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical definition, 64 hex digits."""
        return digest_of(self.definition)

    def _body_definition(self) -> Json | None:
        body = self.operation.body
        if body is None:
            return None
        made: Json = {
            "mode": self.arguments.body_mode.value,
            "media_type": body.media_type,
            "required": body.required,
        }
        if body.encodings:
            made["encodings"] = {name: asdict(e) for name, e in body.encodings.items()}
        return made


def _described(argument: Argument, convert: Convert) -> Json:
    """The published schema of one argument, with what its Parameter Object says about it."""
    converted = convert(argument.schema, argument.schema_pointer)
    schema: Json = converted if isinstance(converted, dict) else {}
    if converted is False:
        schema = {"not": {}}
    extra: Json = {}
    if argument.description and "description" not in schema:
        extra["description"] = argument.description
    parameter = argument.parameter
    if parameter is not None and parameter.deprecated:
        extra["deprecated"] = True
    if parameter is not None and parameter.examples and "examples" not in schema:
        extra["examples"] = list(parameter.examples)
    return {**schema, **extra}


def _place(argument: Argument) -> Json:
    place: Json = {
        "name": argument.name,
        "original": argument.original,
        "in": argument.location,
        "required": argument.required,
    }
    if (parameter := argument.parameter) is not None:
        place |= {"style": parameter.style, "explode": parameter.explode}
        if parameter.allow_reserved:
            place["allow_reserved"] = True
        if parameter.media_type is not None:
            place["media_type"] = parameter.media_type
    return place
