"""MCP as messages: bytes and circumstances in, decisions and bytes out; no I/O in here.

`StreamableHttp` decides for HTTP, `StdioDialogue` for stdio. A decision is a `Reply` (send it), a
`CallTool` (run it, then `finish_call`, `refuse_call` or `crash_reply`), a `Cancel`, a `Batch` of
these (then `join_replies`) or a `Listen` (keep a stream open).
"""

from gateway.mcp.decisions import ACCEPTED, Batch, CallTool, Cancel, Decision, Listen, Reply
from gateway.mcp.envelopes import crash_reply, join_replies
from gateway.mcp.errors import RequestId
from gateway.mcp.http_head import (
    EVENT_STREAM,
    JSON,
    accepted_types,
    refuse_head,
    refuse_method,
    refuse_size,
)
from gateway.mcp.json_text import LARGE, encode_json, parse_json
from gateway.mcp.lines import MAX_LINE, LineBuffer
from gateway.mcp.publication import (
    Server,
    ToolPages,
    describe_all,
    describe_native,
    describe_tool,
)
from gateway.mcp.results import finish_call, refuse_call
from gateway.mcp.revisions import LATEST_LEGACY, V2026_07_28, Revision
from gateway.mcp.sessions import NONCE_BYTES, Sessions
from gateway.mcp.stdio_dialogue import StdioDialogue
from gateway.mcp.streamable_http import Arrival, StreamableHttp

__all__ = [
    "ACCEPTED",
    "EVENT_STREAM",
    "JSON",
    "LARGE",
    "LATEST_LEGACY",
    "MAX_LINE",
    "NONCE_BYTES",
    "V2026_07_28",
    "Arrival",
    "Batch",
    "CallTool",
    "Cancel",
    "Decision",
    "LineBuffer",
    "Listen",
    "Reply",
    "RequestId",
    "Revision",
    "Server",
    "Sessions",
    "StdioDialogue",
    "StreamableHttp",
    "ToolPages",
    "accepted_types",
    "crash_reply",
    "describe_all",
    "describe_native",
    "describe_tool",
    "encode_json",
    "finish_call",
    "join_replies",
    "parse_json",
    "refuse_call",
    "refuse_head",
    "refuse_method",
    "refuse_size",
]
