"""An upstream's refusal as a result: with what a model needs to go on."""

from collections.abc import Iterable

from gateway.calls.answers import content_type, media_type_of, shown_headers
from gateway.calls.content import Text, ToolResult
from gateway.calls.decoding import charset_of, decode_beginning
from gateway.catalog import Tool, is_textual
from gateway.messages import ResponseHead, header

ERROR_EXCERPT = 2_000

# Answers that a later, identical request may turn out better (RFC 9110 15.5.9, 15.6; RFC 6585 4).
_RETRY_HELPS = frozenset({408, 425, 429, 500, 502, 503, 504})
# Of these, the ones that say nothing about how far the request came.
_HALF_WAY = frozenset({500, 502, 504})
# RFC 9110 section 9.2.2: not idempotent.
UNSAFE_TO_REPEAT = frozenset({"POST", "PATCH"})
MAY_HAVE_HAPPENED = "It may have been carried out all the same: check before trying again."


def refused(tool: Tool, head: ResponseHead, body: bytes) -> ToolResult:
    """The result of a status of 400 and above. `body` may be the beginning only."""
    excerpt = _text(head, body).strip()[:ERROR_EXCERPT]
    lines = [f"HTTP {head.status} from {tool.method} {tool.path}", excerpt, _advice(tool, head)]
    content = Text(text="\n".join(line for line in lines if line))
    return ToolResult(
        status=head.status, headers=shown_headers(head), content=(content,), is_error=True
    )


def undecodable(tool: Tool, head: ResponseHead, reason: str) -> ToolResult:
    """The result of an answer whose body cannot be read."""
    if head.status >= 400:
        return refused(tool, head, f"[{reason}]".encode())
    text = f"HTTP {head.status} from {tool.method} {tool.path}, but {reason}."
    if tool.method in UNSAFE_TO_REPEAT:
        text += " The call was carried out: do not repeat it."
    content = Text(text=text)
    return ToolResult(
        status=head.status, headers=shown_headers(head), content=(content,), is_error=True
    )


def _text(head: ResponseHead, body: bytes) -> str:
    text, _ = decode_beginning(body, charset_of(body, content_type(head)))
    # Errors come from proxies and frameworks, too, which often do not say what they send.
    is_text = is_textual(media_type_of(head)) or not ("\ufffd" in text or "\0" in text)
    return text if is_text else "[binary]"


def _advice(tool: Tool, head: ResponseHead) -> str:
    after = header(head.headers, "retry-after")
    if head.status not in _RETRY_HELPS:
        return "Retrying the same call will not help."
    if tool.method in UNSAFE_TO_REPEAT and head.status in _HALF_WAY:
        return MAY_HAVE_HAPPENED
    return f"Retrying may help{f' (Retry-After: {after[:40]})' if after else ''}."


def broken_interaction(tool: Tool, head: ResponseHead, reason: str) -> ToolResult:
    """The result of an interaction that does not come to a proper end."""
    advice = MAY_HAVE_HAPPENED if tool.method in UNSAFE_TO_REPEAT else "Retrying may help."
    text = f"HTTP {head.status} from {tool.method} {tool.path}, but the interaction broke: {reason}"
    content = Text(text=f"{text}. {advice}")
    return ToolResult(
        status=head.status, headers=shown_headers(head), content=(content,), is_error=True
    )


def unasked(tool: Tool, head: ResponseHead, missing: Iterable[str]) -> ToolResult:
    """The result of an interaction that would have to ask what nobody can be asked."""
    wanted = ", ".join(sorted(missing))
    text = (
        f"{tool.api} asks before it goes on with {tool.method} {tool.path}, and the client cannot"
        f" be asked for {wanted}."
    )
    return ToolResult(
        status=head.status,
        headers=shown_headers(head),
        content=(Text(text=text),),
        is_error=True,
    )
