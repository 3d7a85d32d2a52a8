"""The HTTP head of an MCP request: what it may not lack, and how it is refused."""

from functools import lru_cache

from gateway.mcp.decisions import Reply
from gateway.mcp.envelopes import error_reply
from gateway.mcp.errors import INVALID_REQUEST, RpcError
from gateway.messages import Headers, header_values

EVENT_STREAM = "text/event-stream"
JSON = "application/json"


def refuse_head(headers: Headers) -> Reply | None:
    """Why a POST with this head is not worth reading: 415, 406, or None if it is."""
    content_types = header_values(headers, "Content-Type")
    if [_media_type(value) for value in content_types] != [JSON]:
        return refuse(RpcError(INVALID_REQUEST, f"Content-Type must be {JSON}", http_status=415))
    codings = {value.strip().lower() for value in header_values(headers, "Content-Encoding")}
    if codings - {"", "identity"}:
        return refuse(
            RpcError(INVALID_REQUEST, "Content-Encoding is not supported", http_status=415)
        )
    if not accepted_types(headers):
        return refuse(RpcError(INVALID_REQUEST, f"Accept must name {JSON}", http_status=406))
    return None


def refuse_size(limit: int) -> Reply:
    """413: the body is longer than `limit` bytes."""
    return refuse(RpcError(INVALID_REQUEST, f"The body is over {limit} bytes", http_status=413))


def refuse_method() -> Reply:
    """405 for a method that this path has in no era."""
    return refuse(RpcError(INVALID_REQUEST, "Only POST is served here", http_status=405))


def accepted_types(headers: Headers) -> frozenset[str]:
    """Which of JSON and EVENT_STREAM the client takes; both where it does not say."""
    return _accepted(header_values(headers, "Accept"))


# Every request has one, and each client always the same.
@lru_cache(maxsize=32)
def _accepted(values: tuple[str, ...]) -> frozenset[str]:
    both = frozenset((JSON, EVENT_STREAM))
    ranges = [part for value in values for part in value.split(",") if part]
    if not ranges:
        return both
    named = {_media_type(part) for part in ranges if not _is_excluded(part)}
    return frozenset(kind for kind in both if named & {kind, f"{kind.partition('/')[0]}/*", "*/*"})


def _is_excluded(accept_range: str) -> bool:
    """Weight 0 means "not acceptable" (RFC 9110 section 12.4.2)."""
    parameters = (part.strip().lower() for part in accept_range.split(";")[1:])
    return any(part in {"q=0", "q=0.0", "q=0.00", "q=0.000"} for part in parameters)


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def single_header(headers: Headers, name: str) -> str | None:
    """The trimmed value; of a header sent twice a text that matches nothing we know."""
    values = header_values(headers, name)
    return ", ".join(value.strip(" \t") for value in values) if values else None


def refuse(error: RpcError) -> Reply:
    """The reply to a request that never became a message of either era."""
    reply = error_reply(error, modern=False)
    if reply.status != 405:
        return reply
    return Reply(status=405, headers=(("Allow", "POST"),), body=reply.body)
