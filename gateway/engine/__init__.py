"""The one sequence that every way in goes through."""

from gateway.engine.gateway import Gateway
from gateway.engine.values import (
    CallOutcome,
    ContextClaim,
    Freshness,
    ProxiedRequest,
    Surroundings,
    ToolCall,
)

__all__ = [
    "CallOutcome",
    "ContextClaim",
    "Freshness",
    "Gateway",
    "ProxiedRequest",
    "Surroundings",
    "ToolCall",
]
