"""Requests to upstreams: what is done about failures, around what talks HTTP."""

from gateway.client.aiohttp_client import (
    CONNECT_SECONDS,
    MAX_FIELD_BYTES,
    MAX_HEAD_BYTES,
    AiohttpClient,
)
from gateway.client.resilience import Resilience
from gateway.client.transport import Transport
from gateway.client.way import Condition

__all__ = [
    "CONNECT_SECONDS",
    "MAX_FIELD_BYTES",
    "MAX_HEAD_BYTES",
    "AiohttpClient",
    "Condition",
    "Resilience",
    "Transport",
]
