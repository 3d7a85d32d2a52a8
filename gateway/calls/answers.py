"""What an answer is made of: what its head says, and the description where that says little."""

from gateway.catalog import Tool, answer_media
from gateway.messages import Headers, ResponseHead, end_to_end, header
from gateway.openapi import UnresolvedRef, essence_of, is_json

# What servers say of a body of which they know nothing: Go's calls every JSON text/plain.
_VAGUE = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/plain"})

INTERACTION_TYPE = "application/vnd.ocp-gateway.interaction+json"
"""Lines of JSON, to those who have agreed to read them; text to everybody else."""

_COOKIES = frozenset({"set-cookie", "set-cookie2"})
# Untrue once the body is decoded.
_OF_THE_CODING = frozenset({"content-encoding", "content-length"})


def shown_headers(head: ResponseHead, *, bodiless: bool = False) -> Headers:
    """The end-to-end headers, without cookies and without what the body's decoding made untrue.

    `bodiless`: there was no body to decode.
    """
    hidden = _COOKIES if bodiless else _COOKIES | _OF_THE_CODING
    return tuple(
        (name, value)
        for name, value in end_to_end(head.headers)
        if name.lower() not in hidden and not name.lower().startswith(("ocp-", "ocp_"))
    )


def content_type(head: ResponseHead) -> str | None:
    """The Content-Type field. Of several, which some servers put into one, the first."""
    value = header(head.headers, "content-type")
    return value if value is None or ";" in value else value.partition(",")[0]


def media_type_of(head: ResponseHead) -> str:
    """The media type without parameters, in lower case; empty where there is none."""
    return essence_of(content_type(head) or "").partition(",")[0].strip()


def may_be_json(tool: Tool, head: ResponseHead) -> bool:
    """Whether the body is to be read as JSON: its head says so, or says little and so declared."""
    media_type = media_type_of(head)
    if is_json(media_type):
        return media_type != INTERACTION_TYPE
    return media_type in _VAGUE and declares_json(tool, head.status)


def declares_json(tool: Tool, status: int) -> bool:
    """Whether JSON is all that the description declares for answers of this status."""
    try:
        declared = [media for media, _ in answer_media(tool.operation, tool.schemas, status)]
    except UnresolvedRef:
        return False
    return bool(declared) and all(map(is_json, declared))
