"""An upstream's answer as a ToolResult (docs/results.md)."""

from base64 import b64encode
from dataclasses import dataclass

from gateway.calls.decoding import Undecodable, decode_content, decode_text, loads
from gateway.catalog import Tool, is_json, is_textual
from gateway.messages import Headers, ResponseHead, end_to_end, header

EXCERPT_BYTES = 65_536
ERROR_EXCERPT = 2_000

# Answers that a later, identical request may turn out better (RFC 9110 15.5.9, 15.6; RFC 6585 4).
_RETRY_HELPS = frozenset({408, 425, 429, 500, 502, 503, 504})
# Of these, the ones that say nothing about how far the request came.
_HALF_WAY = frozenset({500, 502, 504})
# RFC 9110 section 9.2.2: not idempotent.
UNSAFE_TO_REPEAT = frozenset({"POST", "PATCH"})
MAY_HAVE_HAPPENED = "It may have been carried out all the same: check before trying again."


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
class ToolResult:
    """`status` is the upstream's, None when there was no answer. `content` is never empty."""

    status: int | None
    content: tuple[Content, ...]
    headers: Headers = ()
    structured: Structured | None = None
    is_error: bool = False


def read_result(
    tool: Tool, head: ResponseHead, body: bytes, *, complete: bool, limit: int
) -> ToolResult:
    """The result of a call.

    `complete` is false when `body` was cut at the size limit, which is `limit` bytes and holds for
    a decompressed body as well.
    """
    headers = _shown_headers(head)
    if head.status >= 400:
        return _error(tool, head, body, complete=complete)
    if 300 <= head.status < 400 and (location := header(head.headers, "location")):
        text = Text(text=f"HTTP {head.status}, Location: {location}")
        return ToolResult(status=head.status, headers=headers, content=(text,))
    try:
        body, complete = decode_content(head.headers, body, complete=complete, limit=limit)
    except Undecodable as error:
        return failed(f"{tool.method} {tool.path}: {error}", status=head.status)
    if not body:
        text = Text(text=f"HTTP {head.status}, no content")
        return ToolResult(status=head.status, headers=headers, content=(text,))
    content, structured = _content(tool, head, body, complete=complete)
    return ToolResult(status=head.status, headers=headers, content=content, structured=structured)


def failed(message: str, *, status: int | None = None) -> ToolResult:
    """A call that got no usable answer."""
    return ToolResult(status=status, content=(Text(text=message),), is_error=True)


def _shown_headers(head: ResponseHead) -> Headers:
    """The end-to-end headers, without cookies and without what the body's decoding made untrue."""
    hidden = {"set-cookie", "set-cookie2", "content-encoding", "content-length"}
    return tuple(
        (name, value)
        for name, value in end_to_end(head.headers)
        if name.lower() not in hidden and not name.lower().startswith(("ocp-", "ocp_"))
    )


def _content(
    tool: Tool, head: ResponseHead, body: bytes, *, complete: bool
) -> tuple[tuple[Content, ...], Structured | None]:
    media_type = _essence(head)
    if is_textual(media_type):
        text = decode_text(body, header(head.headers, "content-type"))
        if not complete:
            return (Text(text=_excerpt(text, len(body))),), None
        value = loads(text) if is_json(media_type) else None
        return (Text(text=text),), value if value is None else Structured(value=value.value)
    if not complete:
        note = f"[The {media_type} answer is larger than the limit and was left out.]"
        return (Text(text=note),), None
    data = b64encode(body).decode()
    if media_type.startswith("image/"):
        return (Image(data=data, media_type=media_type),), None
    if media_type.startswith("audio/"):
        return (Audio(data=data, media_type=media_type.replace("audio/x-wav", "audio/wav")),), None
    uri = f"gateway://{tool.api}/{tool.name}/result"
    return (Resource(uri=uri, media_type=media_type, blob=data),), None


def _essence(head: ResponseHead) -> str:
    """The media type without parameters; RFC 9110 section 8.3 lets a receiver guess for none."""
    given = header(head.headers, "content-type") or ""
    return given.partition(";")[0].strip().lower() or "application/octet-stream"


def _excerpt(text: str, size: int) -> str:
    shown = text[:EXCERPT_BYTES]
    return (
        f"[Excerpt: the first {len(shown)} characters of more than {size} bytes.]\n{shown}\n[Cut.]"
    )


def _error(tool: Tool, head: ResponseHead, body: bytes, *, complete: bool) -> ToolResult:
    """An upstream's refusal, with what a model needs to go on."""
    try:
        body, _ = decode_content(head.headers, body, complete=complete, limit=EXCERPT_BYTES)
        textual = is_textual(_essence(head)) or not body
        text = decode_text(body, header(head.headers, "content-type")) if textual else "[binary]"
    except Undecodable as error:
        text = f"[{error}]"
    excerpt = text.strip()[:ERROR_EXCERPT]
    lines = [f"HTTP {head.status} from {tool.method} {tool.path}", excerpt, _advice(tool, head)]
    content = Text(text="\n".join(line for line in lines if line))
    return ToolResult(
        status=head.status, headers=_shown_headers(head), content=(content,), is_error=True
    )


def _advice(tool: Tool, head: ResponseHead) -> str:
    after = header(head.headers, "retry-after")
    if head.status not in _RETRY_HELPS:
        return "Retrying the same call will not help."
    if tool.method in UNSAFE_TO_REPEAT and head.status in _HALF_WAY:
        return MAY_HAVE_HAPPENED
    return f"Retrying may help{f' (Retry-After: {after[:40]})' if after else ''}."
