"""Tool + arguments -> Request; Response -> ToolResult."""

from gateway.calls.bodies import json_bytes
from gateway.calls.request import build_request
from gateway.calls.results import (
    MAY_HAVE_HAPPENED,
    UNSAFE_TO_REPEAT,
    Audio,
    Content,
    Image,
    Resource,
    Structured,
    Text,
    ToolResult,
    failed,
    read_result,
)
from gateway.calls.validation import ArgumentValidator

__all__ = [
    "MAY_HAVE_HAPPENED",
    "UNSAFE_TO_REPEAT",
    "ArgumentValidator",
    "Audio",
    "Content",
    "Image",
    "Resource",
    "Structured",
    "Text",
    "ToolResult",
    "build_request",
    "failed",
    "json_bytes",
    "read_result",
]
