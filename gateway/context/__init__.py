"""The agent context: a value, its way to and from OCP headers, and the steps that change it."""

from gateway.context.changes import CalledOperation, CallFailure, RecordCall, entry_for_call
from gateway.context.codec import (
    MAX_SESSION_CHARS,
    Reject,
    decode_session,
    encode_session,
)
from gateway.context.headers import (
    IDENTIFYING,
    InboundContext,
    is_ocp_header,
    outbound_headers,
    read_inbound,
)
from gateway.context.model import (
    AgentContext,
    HistoryEntry,
    SessionState,
    agent_type_from,
    from_mapping,
    head_mapping,
    is_header_id,
    is_schema_id,
    later,
    mint_id,
    new_context,
    rfc3339,
    to_mapping,
)
from gateway.context.schema import is_valid_context

__all__ = [
    "IDENTIFYING",
    "MAX_SESSION_CHARS",
    "AgentContext",
    "CallFailure",
    "CalledOperation",
    "HistoryEntry",
    "InboundContext",
    "RecordCall",
    "Reject",
    "SessionState",
    "agent_type_from",
    "decode_session",
    "encode_session",
    "entry_for_call",
    "from_mapping",
    "head_mapping",
    "is_header_id",
    "is_ocp_header",
    "is_schema_id",
    "is_valid_context",
    "later",
    "mint_id",
    "new_context",
    "outbound_headers",
    "read_inbound",
    "rfc3339",
    "to_mapping",
]
