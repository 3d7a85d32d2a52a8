"""The agent context: a value, its way to and from OCP headers, and the steps that change it."""

from gateway.context.changes import (
    CalledOperation,
    CallFailure,
    NativeOutcome,
    Outcome,
    RecordCall,
    entry_for_call,
)
from gateway.context.decoding import MAX_SESSION_CHARS, Reject, decode_session
from gateway.context.encoding import encode_session
from gateway.context.headers import (
    IDENTIFYING,
    InboundContext,
    is_ocp_header,
    outbound_headers,
    read_inbound,
    without_session,
)
from gateway.context.merging import merge_claims, merge_updates
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
from gateway.context.statements import UPDATABLE, Statement, claims_of, updates_of

__all__ = [
    "IDENTIFYING",
    "MAX_SESSION_CHARS",
    "UPDATABLE",
    "AgentContext",
    "CallFailure",
    "CalledOperation",
    "HistoryEntry",
    "InboundContext",
    "NativeOutcome",
    "Outcome",
    "RecordCall",
    "Reject",
    "SessionState",
    "Statement",
    "agent_type_from",
    "claims_of",
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
    "merge_claims",
    "merge_updates",
    "mint_id",
    "new_context",
    "outbound_headers",
    "read_inbound",
    "rfc3339",
    "to_mapping",
    "updates_of",
    "without_session",
]
