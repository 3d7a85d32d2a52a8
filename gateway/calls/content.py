"""What came of a tool call, as values."""

from dataclasses import dataclass

from gateway.messages import Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """`data` is base64."""

    data: str
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """`data` is base64."""

    data: str
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """An embedded resource: `text`, or `blob` as base64."""

    uri: str
    media_type: str | None
    text: str | None = None
    blob: str | None = None


Content = Text | Image | Audio | Resource


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
