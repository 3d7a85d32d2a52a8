"""What came of a tool call, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.messages import Headers

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What an API that speaks the interaction envelope may say of every block.

    `annotations` are MCP's; `meta` is its `_meta`, without what is reserved.
    """

    annotations: Json | None = field(default=None, repr=False)
    meta: Json | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Block):
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(Block):
    """`data` is base64."""

    data: str
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio(Block):
    """`data` is base64."""

    data: str
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Block):
    """An embedded resource: `text`, or `blob` as base64. `contents_meta` is its own `_meta`."""

    uri: str
    media_type: str | None
    text: str | None = None
    blob: str | None = None
    contents_meta: Json | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Block):
    """Where a resource is; nobody here has looked at it. `size` is bytes."""

    uri: str
    name: str
    title: str | None = None
    description: str | None = None
    media_type: str | None = None
    size: int | None = None


Content = Text | Image | Audio | Resource | Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Structured:
    """A JSON value, which may be null: hence the wrapper."""

    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Where a result that is only an excerpt goes on. Sizes and positions are bytes.

    The excerpt shows what is before `start`; `size` is how much can be read, which is everything
    unless `whole` is false.
    """

    handle: str
    start: int
    size: int
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """`status` is the upstream's, None when there was no answer. `content` is never empty.

    `rest` is set where the content is an excerpt and the whole of it is kept.
    """

    status: int | None
    content: tuple[Content, ...]
    headers: Headers = ()
    structured: Structured | None = None
    is_error: bool = False
    rest: Rest | None = None


def failed(message: str, *, status: int | None = None) -> ToolResult:
    """A call that got no usable answer."""
    return ToolResult(status=status, content=(Text(text=message),), is_error=True)
