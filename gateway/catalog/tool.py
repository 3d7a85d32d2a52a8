"""A Tool: one operation as something callable. What a call needs is made once and kept."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property

from gateway.catalog.annotations import hints_of, read_hints, read_title
from gateway.catalog.arguments import Argument, Arguments, read_arguments
from gateway.catalog.digest import digest_of
from gateway.catalog.parameter_headers import usable_headers
from gateway.catalog.responses import response_digest, response_schema
from gateway.catalog.security import Requirements, read_security
from gateway.catalog.selection import NO_OVERRIDE, ToolOverride
from gateway.openapi import (
    MAX_ARGUMENT_TEXT,
    Build,
    ContextUse,
    Convert,
    Definition,
    Direction,
    Operation,
    Schemas,
    Signature,
    admit_empty,
    clean_data,
    clean_text,
    limit_text,
)

Json = dict[str, object]

# In characters. The longest of 24,776 descriptions in 557 public APIs has 11,852; of 27,138
# summaries 79 are longer than a title, and the description has all of them in full.
MAX_DESCRIPTION = 16_384
MAX_TITLE = 256
REQUIRES_CONTEXT = "Requires an OCP context: the call has to name one."


@dataclass(frozen=True, kw_only=True, eq=False)
class Tool:
    """`name` is its generated name inside its API, whatever `override` calls it.

    `read` gives its operation, at first use; `known_digest` is its digest where it was made before.
    Two tools are the same when they are one object.
    """

    api: str
    name: str
    signature: Signature
    read: Callable[[], Operation] = field(repr=False)
    schemas: Schemas = field(repr=False)
    override: ToolOverride = NO_OVERRIDE
    known_digest: str | None = field(default=None, repr=False)

    @cached_property
    def operation(self) -> Operation:
        return self.read()

    @property
    def method(self) -> str:
        return self.signature.method

    @property
    def path(self) -> str:
        """The path template, as the description writes it."""
        return self.signature.path

    @property
    def operation_id(self) -> str | None:
        operation_id = self.signature.operation_id
        return None if operation_id is None else clean_text(operation_id)

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(map(clean_text, self.operation.tags))

    @property
    def deprecated(self) -> bool:
        return self.operation.deprecated

    @property
    def security(self) -> Requirements | None:
        """The security requirements that hold for it; `[]`: none, None: nothing is said."""
        return read_security(self.operation, self.schemas.document)

    @property
    def context(self) -> ContextUse:
        """What it does with the context of a call."""
        return self.operation.context

    @property
    def title(self) -> str | None:
        """What people see in lists, at most MAX_TITLE characters: the summary, as a rule."""
        title = read_title(self.operation) or self.operation.text("summary")
        return limit_text(clean_text(title), MAX_TITLE) or None

    @property
    def hints(self) -> Mapping[str, bool]:
        """What the description says of its effects, by the names of MCP's annotations."""
        return read_hints(self.operation)

    @property
    def published_hints(self) -> Mapping[str, bool]:
        """What clients are told of its effects: the method's, then the description's own."""
        return {**hints_of(self.method), **self.hints}

    @cached_property
    def description(self) -> str:
        """What the operation does, never empty: summary and description, else method and path.

        The configuration's own words replace them. A tool that cannot be called without a context
        says so in the end. At most MAX_DESCRIPTION characters.
        """
        text = self.override.description or self.described
        text = clean_text(text)
        if not self.context.requires_context:
            return limit_text(text, MAX_DESCRIPTION)
        end = f"\n\n{REQUIRES_CONTEXT}"
        return limit_text(text, MAX_DESCRIPTION - len(end)) + end

    @property
    def described(self) -> str:
        """The description's own words for it, as they are and of any length."""
        summary, long = self.operation.text("summary"), self.operation.text("description")
        if summary and long and not long.startswith(summary):
            text = f"{summary}\n\n{long}"
        else:
            text = long or summary or f"{self.method} {self.path}"
        return f"Deprecated. {text}" if self.deprecated else text

    @cached_property
    def arguments(self) -> Arguments:
        """All arguments, those that the configuration fixes included."""
        whole_body = self.override.arguments == "body"
        return read_arguments(self.operation, self.schemas.document, whole_body=whole_body)

    @property
    def open_arguments(self) -> tuple[Argument, ...]:
        """The arguments that callers may give: all that nobody has fixed."""
        fixed = self.override.set
        items = self.arguments.items
        return tuple(a for a in items if a.name not in fixed) if fixed else items

    @property
    def input_schema(self) -> Json:
        """JSON Schema 2020-12 of what callers give: closed, with its own `$defs`. Made anew."""
        build = self._shape(self.open_arguments)
        return self.schemas.bundle(build, Direction.INPUT, sketch=self._sketch)

    @cached_property
    def mcp_headers(self) -> Mapping[str, str]:
        """Suffixes of the `Mcp-Param-*` headers that repeat arguments, by argument."""
        wanted = self.override.mcp_headers
        return usable_headers(wanted, self.open_properties) if wanted else {}

    @property
    def open_properties(self) -> Mapping[str, object]:
        """The published schemas of `open_arguments`, by name; what they refer to is elsewhere."""
        properties = self._sketch.members.get("properties")
        return properties if isinstance(properties, Mapping) else {}

    @property
    def whole_schema(self) -> Json:
        """`input_schema` as if nothing were fixed."""
        return self.schemas.bundle(self._shape(self.arguments.items), Direction.INPUT)

    @cached_property
    def _sketch(self) -> Definition:
        """`input_schema` without its `$defs`, which are large and only needed to publish it."""
        return self.schemas.sketch(self._shape(self.open_arguments), Direction.INPUT)

    def _shape(self, items: tuple[Argument, ...]) -> Build:
        def build(convert: Convert) -> Json:
            root: Json = {"type": "object", "additionalProperties": False}
            if items:
                root["properties"] = {a.name: _described(a, convert) for a in items}
            if required := sorted(a.name for a in items if a.required):
                root["required"] = required
            return root

        return build

    @property
    def response_schema(self) -> Json:
        """JSON Schema 2020-12 of the JSON that a success answers; `{}` where nothing is said.

        Of a schema that would be too large, only what is near to its root. Made anew.
        """
        return response_schema(self.operation, self.schemas)

    @property
    def definition(self) -> Json:
        """Everything that a caller can rely on; what the digest is taken of. Made anew.

        The definitions that its input schema refers to, and its answer, are there as digests.
        """
        sketch = self._sketch
        return {
            "name": self.name,
            "method": self.method,
            "path": self.path,
            "operation_id": self.operation_id,
            "title": self.title,
            "description": self.description,
            "tags": list(self.tags),
            "deprecated": self.deprecated,
            "security": self.security,
            "arguments": {a.name: _place(a) for a in self.open_arguments},
            "body": self._body_definition(),
            "input_schema": sketch.members,
            "definitions": self.schemas.digests_of_inputs(sketch.needs),
            "response": response_digest(self.operation, self.schemas),
        } | self._settings()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical definition, 64 hex digits."""
        return self.known_digest or digest_of(self.definition)

    def _settings(self) -> Json:
        """What only some tools have; of the configuration's, fixed values stay hidden."""
        servers = self.operation.servers
        given = {
            "servers": None if servers is None else list(servers),
            "context": _declared(self.context),
            "published_name": self.override.name,
            "annotations": self.hints or None,
            "select": self.override.select,
            "mcp_headers": dict(self.mcp_headers) or None,
            "timeout_seconds": self.override.timeout_seconds,
        }
        return {key: value for key, value in given.items() if value is not None}

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


def _declared(use: ContextUse) -> Json | None:
    """What is declared of contexts; None where it is nothing."""
    declared: Json = {}
    if use.enhances_with is not None:
        declared["enhances_with"] = sorted(use.enhances_with)
    if use.updates:
        declared["updates"] = sorted(use.updates)
    if use.requires_context:
        declared["required"] = True
    return declared or None


def _described(argument: Argument, convert: Convert) -> Json:
    """The published schema of one argument, with what its Parameter Object says about it."""
    converted = convert(argument.schema, argument.schema_pointer)
    schema: Json = {} if converted is True else {"not": {}}
    if isinstance(converted, dict):
        schema = converted.copy()
    parameter = argument.parameter
    if parameter is not None and parameter.allow_empty:
        schema = admit_empty(schema)
    if argument.description:  # what is said of the argument is nearer than what its schema says
        schema["description"] = limit_text(clean_text(argument.description), MAX_ARGUMENT_TEXT)
    if parameter is not None and parameter.deprecated:
        schema["deprecated"] = True
    if parameter is not None and parameter.examples:
        # OpenAPI 3.1 section 4.8.12.2.2: they override the schema's own.
        schema["examples"] = [clean_data(example) for example in parameter.examples]
    return schema


def _place(argument: Argument) -> list[object]:
    """Where a value goes and how it is written, beside what the input schema says."""
    parameter = argument.parameter
    if parameter is None:
        return [argument.location, argument.original]
    place: list[object] = [
        argument.location,
        argument.original,
        parameter.style,
        parameter.explode,
    ]
    if parameter.allow_reserved:
        place.append("allow_reserved")
    if parameter.allow_empty:
        place.append("allow_empty")
    if parameter.nested:
        place.append(list(parameter.nested))
    if parameter.media_type is not None:
        place.append(parameter.media_type)
    return place
