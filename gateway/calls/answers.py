"""What an answer is made of: what its head says, and the description where that says little."""

from collections.abc import Iterator

from gateway.catalog import Tool, is_json
from gateway.messages import Headers, ResponseHead, end_to_end, header
from gateway.openapi import Node, SchemaTooDeep, UnresolvedRef, essence_of, join, media_types

_ALSO_JSON = frozenset({"text/json", "text/x-json", "application/x-json"})
# What servers say of a body of which they know nothing: Go's calls every JSON text/plain.
_VAGUE = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/plain"})

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
    if is_json(media_type) or media_type in _ALSO_JSON:
        return True
    return media_type in _VAGUE and declares_json(tool, head.status)


def declares_json(tool: Tool, status: int) -> bool:
    """Whether JSON is all that the description declares for answers of this status.

    The Response Object of the very status counts, else its range's (`2XX`), else `default`.
    """
    try:
        declared = tuple(_media_types(tool, status))
    except (UnresolvedRef, SchemaTooDeep):
        return False
    return bool(declared) and all(is_json(media_type) for media_type in declared)


def _media_types(tool: Tool, status: int) -> Iterator[str]:
    operation, document = tool.operation, tool.schemas.document
    responses = Node(
        value=operation.node.get("responses"), pointer=join(operation.pointer, "responses")
    )
    found = _response(responses, status)
    if found is None:
        return
    response = document.follow(found)
    if "swagger" in document.root:
        at_operation = Node(value=operation.node, pointer=operation.pointer)
        yield from media_types(document, at_operation, "produces")
        return
    content = response.child("content")
    if content is not None and isinstance(content.value, dict):
        yield from (str(key) for key in content.value)


def _response(responses: Node, status: int) -> Node | None:
    if not isinstance(responses.value, dict):
        return None
    # YAML reads an unquoted status as a number.
    by_name = {str(key).upper(): key for key in responses.value}
    for name in (str(status), f"{status // 100}XX", "DEFAULT"):
        if name in by_name:
            return Node(value=responses.value[by_name[name]], pointer=join(responses.pointer, name))
    return None
