"""The one sequence that every way in goes through."""

from gateway.calls import LogLine, Progress
from gateway.engine.additions import make_additions
from gateway.engine.answers import KEPT_BYTES, SELECT_BYTES, ResultPart
from gateway.engine.catalog_watch import CatalogWatch
from gateway.engine.gateway import Gateway
from gateway.engine.own_contexts import NO_CONTEXT, OwnContexts
from gateway.engine.rounds import MAX_ROUNDS
from gateway.engine.values import (
    AskedInVain,
    Call,
    CallOutcome,
    ContextClaim,
    Continuation,
    Freshness,
    Listener,
    PromptCall,
    PromptOutcome,
    ProxiedRequest,
    ResourceCall,
    ResourceOutcome,
    Surroundings,
    ToolCall,
)

__all__ = [
    "KEPT_BYTES",
    "MAX_ROUNDS",
    "NO_CONTEXT",
    "SELECT_BYTES",
    "AskedInVain",
    "Call",
    "CallOutcome",
    "CatalogWatch",
    "ContextClaim",
    "Continuation",
    "Freshness",
    "Gateway",
    "Listener",
    "LogLine",
    "OwnContexts",
    "Progress",
    "PromptCall",
    "PromptOutcome",
    "ProxiedRequest",
    "ResourceCall",
    "ResourceOutcome",
    "ResultPart",
    "Surroundings",
    "ToolCall",
    "make_additions",
]
