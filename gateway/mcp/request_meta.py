"""What a request says of itself in `_meta`, in every era alike."""

import re
from collections.abc import Iterator

from gateway.context import is_header_id
from gateway.mcp.decisions import ProgressToken
from gateway.mcp.errors import INVALID_PARAMS, RpcError
from gateway.mcp.jsonrpc import RpcRequest, meta_member
from gateway.messages import Headers

CONTEXT_ID = "io.opencontextprotocol/context-id"
RECORDED = "io.opencontextprotocol/recorded"
REST = "io.opencontextprotocol/rest"
LOG_LEVEL = "io.modelcontextprotocol/logLevel"
LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""RFC 5424 section 6.2.1, least first."""

# W3C Trace Context section 3.2 (version 00 and what later ones may append), 3.3.
_TRACE_PARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]*)?"
)
_VISIBLE = re.compile(r"[\x20-\x7e]+")
_MAX_TRACE_PARENT = 128
_MAX_TRACE_STATE = 512
_MAX_MEMBERS = 32
# W3C Baggage section 3.3.2: what everybody has to pass on at least.
_MAX_BAGGAGE = 8_192


def progress_token(request: RpcRequest) -> ProgressToken | None:
    """The token with its JSON type; what is none is ignored."""
    token = meta_member(request.params, "progressToken")
    if isinstance(token, bool) or not isinstance(token, str | int | float):
        return None
    return token


def named_context(request: RpcRequest) -> str | None:
    """The context that the request names; one that no header could carry is ignored."""
    context_id = meta_member(request.params, CONTEXT_ID)
    return context_id if isinstance(context_id, str) and is_header_id(context_id) else None


def log_level(request: RpcRequest) -> str | None:
    """The least level of which a modern request wants to hear. Raises RpcError (-32602)."""
    level = meta_member(request.params, LOG_LEVEL)
    return None if level is None else check_level(level, request)


def check_level(level: object, request: RpcRequest) -> str:
    """Raises RpcError (-32602) for what is none of LEVELS."""
    if isinstance(level, str) and level in LEVELS:
        return level
    raise RpcError(
        INVALID_PARAMS, f"The level must be one of {', '.join(LEVELS)}", request_id=request.id
    )


def trace_of(request: RpcRequest) -> Headers:
    """The trace that the request belongs to, as the headers of W3C Trace Context and Baggage.

    What breaks their form is left out; without a parent there is no state.
    """
    return tuple(_trace(request))


def _trace(request: RpcRequest) -> Iterator[tuple[str, str]]:
    parent = meta_member(request.params, "traceparent")
    state = meta_member(request.params, "tracestate")
    baggage = meta_member(request.params, "baggage")
    if _is_field(parent, _MAX_TRACE_PARENT) and _TRACE_PARENT.fullmatch(str(parent)):
        yield "traceparent", str(parent)
        if _is_field(state, _MAX_TRACE_STATE) and str(state).count(",") < _MAX_MEMBERS:
            yield "tracestate", str(state).strip()
    if _is_field(baggage, _MAX_BAGGAGE):
        yield "baggage", str(baggage).strip()


def _is_field(value: object, limit: int) -> bool:
    if not isinstance(value, str) or len(value) > limit:
        return False
    return bool(value.strip() and _VISIBLE.fullmatch(value))
