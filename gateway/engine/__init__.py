"""The one sequence that every way in goes through."""

from gateway.engine.answers import KEPT_BYTES, SELECT_BYTES, ResultPart
from gateway.engine.gateway import Gateway
from gateway.engine.own_contexts import NO_CONTEXT, OwnContexts
from gateway.engine.values import (
    CallOutcome,
    ContextClaim,
    Freshness,
    ProxiedRequest,
    Surroundings,
    ToolCall,
)

__all__ = [
    "KEPT_BYTES",
    "NO_CONTEXT",
    "SELECT_BYTES",
    "CallOutcome",
    "ContextClaim",
    "Freshness",
    "Gateway",
    "OwnContexts",
    "ProxiedRequest",
    "ResultPart",
    "Surroundings",
    "ToolCall",
]
