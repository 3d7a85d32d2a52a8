"""What a description says, as values: operations, their parameters and bodies."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.openapi.extensions import NO_USE, ContextUse

Schema = Mapping[str, object] | bool
"""A Schema Object as the document writes it; `gateway.openapi.schemas` makes JSON Schema of it."""

METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A finding about one description. `severity` is `error` (something was left out) or `warning`.

    `pointer` is the JSON Pointer of the place in the description.
    """

    api: str
    pointer: str
    severity: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A Parameter Object, its defaults filled in (OpenAPI 3.1 section 4.8.12).

    `media_type` is set for a `content` parameter, whose value is one serialised text;
    `schema_pointer` is where its schema stands. `allow_empty`: the empty text may be sent, whatever
    the schema says. `nested` are the styles of arrays inside its array, level by level; what has
    none is JSON.
    """

    name: str
    location: str
    required: bool
    schema: Schema
    pointer: str
    schema_pointer: str
    style: str
    explode: bool
    allow_reserved: bool = False
    allow_empty: bool = False
    media_type: str | None = None
    description: str = ""
    deprecated: bool = False
    examples: tuple[object, ...] = ()
    nested: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How one member of a form is written (OpenAPI 3.1 section 4.8.15).

    `style` is None where the description names neither style nor explode nor allowReserved: then
    arrays repeat and objects are JSON. `media_type` is a multipart part's; `nested` is as in a
    parameter.
    """

    style: str | None = None
    explode: bool = True
    allow_reserved: bool = False
    media_type: str | None = None
    nested: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A Request Body Object reduced to the one media type that the gateway sends.

    `encodings` is by member, those of a form only.
    """

    media_type: str
    schema: Schema
    pointer: str
    required: bool
    description: str = ""
    encodings: Mapping[str, Encoding] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path. `node` is the Operation Object for what is read at first use.

    `servers` are the URLs of its own or its path item's servers (see `operation_servers`), None
    where the description's count.
    """

    method: str
    path: str
    operation_id: str | None
    parameters: tuple[Parameter, ...]
    body: Body | None
    node: Mapping[str, object]
    pointer: str
    servers: tuple[str, ...] | None = None
    context: ContextUse = NO_USE

    @property
    def deprecated(self) -> bool:
        return self.node.get("deprecated") is True

    def text(self, member: str) -> str:
        """The Operation Object's text member, stripped; empty where it has none."""
        value = self.node.get(member)
        return value.strip() if isinstance(value, str) else ""

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags, each once, in the order of the document."""
        return tags_of(self.node)


def tags_of(operation: object) -> tuple[str, ...]:
    """The tags of an Operation Object, each once, in the order of the document."""
    tags = operation.get("tags") if isinstance(operation, Mapping) else None
    if not isinstance(tags, list | tuple):
        return ()
    return tuple(dict.fromkeys(tag for tag in tags if isinstance(tag, str)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What an operation's name depends on: published or skipped, it takes part in clashes.

    `tags` are there where a choice among operations asked for them.
    """

    method: str
    path: str
    operation_id: str | None
    tags: tuple[str, ...] = ()
