"""Tool + arguments -> Request; Response -> ToolResult."""

from gateway.calls.answers import content_type, may_be_json
from gateway.calls.bodies import json_bytes
from gateway.calls.content import (
    Audio,
    Content,
    Image,
    Resource,
    Rest,
    Structured,
    Text,
    ToolResult,
    failed,
)
from gateway.calls.excerpts import EXCERPT_BYTES, Ending, Larger
from gateway.calls.failures import MAY_HAVE_HAPPENED, UNSAFE_TO_REPEAT, undecodable
from gateway.calls.inflating import ContentDecoder, Undecodable
from gateway.calls.preview import HIDDEN, BodyPreview, Preview, preview_request
from gateway.calls.request import build_request
from gateway.calls.results import read_result
from gateway.calls.selecting import NotSelected, Selected, check_select, select_json
from gateway.calls.validation import ArgumentValidator

__all__ = [
    "EXCERPT_BYTES",
    "HIDDEN",
    "MAY_HAVE_HAPPENED",
    "UNSAFE_TO_REPEAT",
    "ArgumentValidator",
    "Audio",
    "BodyPreview",
    "Content",
    "ContentDecoder",
    "Ending",
    "Image",
    "Larger",
    "NotSelected",
    "Preview",
    "Resource",
    "Rest",
    "Selected",
    "Structured",
    "Text",
    "ToolResult",
    "Undecodable",
    "build_request",
    "check_select",
    "content_type",
    "failed",
    "json_bytes",
    "may_be_json",
    "preview_request",
    "read_result",
    "select_json",
    "undecodable",
]
