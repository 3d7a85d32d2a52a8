"""An upstream's answer as a ToolResult (docs/results.md)."""

from base64 import b64encode

from gateway.calls.answers import content_type, may_be_json, media_type_of, shown_headers
from gateway.calls.bodies import json_bytes
from gateway.calls.content import (
    Audio,
    Content,
    Image,
    Resource,
    Structured,
    Text,
    ToolResult,
)
from gateway.calls.decoding import charset_of, decode_text, loads
from gateway.calls.envelope_lines import NativeAnswer
from gateway.calls.excerpts import Larger, excerpt
from gateway.calls.failures import broken_interaction, refused
from gateway.catalog import Tool, is_textual
from gateway.messages import ResponseHead, header

EMPTY_EXCERPT = 2_000
# What an answer without a body may be all about (RFC 9110 sections 8.7, 8.8, 10.2).
_TELLING = frozenset({"allow", "content-location", "etag", "last-modified", "location"})


def read_result(
    tool: Tool,
    head: ResponseHead,
    body: bytes,
    *,
    larger: Larger | None = None,
    note: str | None = None,
) -> ToolResult:
    """The result of a call that was answered.

    `body` has no content coding any more. With `larger` it is only the beginning of one that a
    result does not show whole. `note` goes in front, where the body is not what was configured to
    be shown; there is no structured content then.
    """
    if head.status >= 400:
        return refused(tool, head, body)
    headers = shown_headers(head)
    if 300 <= head.status < 400 and (location := header(head.headers, "location")):
        text = Text(text=f"HTTP {head.status}, Location: {location}")
        return ToolResult(status=head.status, headers=headers, content=(text,))
    if not body and larger is None:
        return ToolResult(status=head.status, headers=headers, content=(_nothing(tool, head),))
    notes = () if note is None else (Text(text=note),)
    if larger is not None:
        shown, rest = excerpt(tool, head, body, larger)
        return ToolResult(status=head.status, headers=headers, content=(*notes, shown), rest=rest)
    content, structured = _content(tool, head, body)
    return ToolResult(
        status=head.status,
        headers=headers,
        content=(*notes, content),
        structured=None if notes else structured,
    )


def _nothing(tool: Tool, head: ResponseHead) -> Text:
    """An answer without a body, and what its head has to say instead."""
    is_head = tool.method == "HEAD"
    fields = shown_headers(head, bodiless=is_head)
    lines = [f"{name}: {value}" for name, value in fields if is_head or name.lower() in _TELLING]
    return Text(text="\n".join([f"HTTP {head.status}, no content", *lines])[:EMPTY_EXCERPT])


def _content(tool: Tool, head: ResponseHead, body: bytes) -> tuple[Content, Structured | None]:
    media_type, declared = media_type_of(head), content_type(head)
    if may_be_json(tool, head):
        text = decode_text(body, charset_of(body, declared, is_json=True))
        if (value := loads(text)) is not None:
            return Text(text=text), Structured(value=value.value)
    if is_textual(media_type):
        return Text(text=decode_text(body, charset_of(body, declared))), None
    data = b64encode(body).decode()
    if media_type.startswith("image/"):
        return Image(data=data, media_type=media_type), None
    if media_type.startswith("audio/"):
        return Audio(data=data, media_type=media_type.replace("audio/x-wav", "audio/wav")), None
    uri = f"gateway://{tool.api}/{tool.name}/result"
    # RFC 9110 section 8.3 lets a receiver guess where there is no type.
    return Resource(uri=uri, media_type=media_type or "application/octet-stream", blob=data), None


def native_result(
    tool: Tool, head: ResponseHead, answer: NativeAnswer, *, limit: int
) -> ToolResult:
    """The result of an interaction that ends in MCP content. `limit`: bytes that may be shown."""
    if answer.size > limit:
        reason = f"its content of {answer.size:,} bytes is larger than a result may be"
        return broken_interaction(tool, head, reason)
    content = answer.content
    if not content and answer.structured is not None:
        content = (Text(text=json_bytes(answer.structured.value).decode()),)
    if not any(isinstance(block, Text) and block.text.strip() for block in content):
        # No model can act upon an error that says nothing.
        content = (*content, _said(head, answer)) if answer.is_error or not content else content
    return ToolResult(
        status=head.status,
        headers=shown_headers(head),
        content=content,
        structured=answer.structured,
        is_error=answer.is_error,
    )


def _said(head: ResponseHead, answer: NativeAnswer) -> Text:
    what = "the API reports an error and does not say which" if answer.is_error else "no content"
    return Text(text=f"HTTP {head.status}, {what}")
