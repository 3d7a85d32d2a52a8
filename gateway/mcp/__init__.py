"""MCP as messages: bytes and circumstances in, decisions and bytes out; no I/O in here.

`StreamableHttp` decides for HTTP, `SseDialogue` for its predecessor, `StdioDialogue` for stdio. A
decision is a `Reply` (send it), a `Work` (carry it out, then `finish_call`, `refuse_call` or
`crash_reply`), a `Cancel`, an `Answered` (hand it to whoever asked), a `Batch` of these (then
`join_replies`) or a `Listen` (keep a stream open).
"""

from gateway.mcp.capabilities import abilities_of
from gateway.mcp.decisions import (
    ACCEPTED,
    Answered,
    Batch,
    CallTool,
    Cancel,
    Decision,
    Doable,
    EndSession,
    GetPrompt,
    Listen,
    ReadResource,
    Reply,
    SetLevel,
    Subscribe,
    Watch,
    Work,
)
from gateway.mcp.definitions import (
    describe_all,
    describe_native,
    describe_tool,
)
from gateway.mcp.envelopes import crash_reply, error_reply, join_replies, result_reply
from gateway.mcp.errors import INVALID_PARAMS, INVALID_REQUEST, RequestId, RpcError
from gateway.mcp.event_ids import Heard, heard_of, missed, read_event_id
from gateway.mcp.http_head import (
    EVENT_STREAM,
    JSON,
    accepted_types,
    refuse,
    refuse_head,
    refuse_method,
    refuse_size,
)
from gateway.mcp.inputs import digest_of_params
from gateway.mcp.json_text import LARGE, encode_json, parse_json
from gateway.mcp.jsonrpc import id_in
from gateway.mcp.lines import MAX_LINE, LineBuffer
from gateway.mcp.notices import is_loud_enough, log_notice, progress_notice
from gateway.mcp.offers import refuse_offer
from gateway.mcp.prompts import finish_prompt
from gateway.mcp.publication import Publication, Server, ToolPages
from gateway.mcp.questions import QUESTION_BYTES, QuestionIds, input_required, question
from gateway.mcp.request_state import STATE_NONCE_BYTES, RequestStates, SealedRound
from gateway.mcp.resources import finish_reading
from gateway.mcp.results import finish_call, refuse_call
from gateway.mcp.revisions import LATEST_LEGACY, V2026_07_28, Revision
from gateway.mcp.sessions import LIFE_SECONDS, NONCE_BYTES, Sessions
from gateway.mcp.sse_dialogue import SseDialogue
from gateway.mcp.stdio_dialogue import StdioDialogue, is_opening
from gateway.mcp.streamable_http import Arrival, StreamableHttp
from gateway.mcp.subscriptions import (
    acknowledgement,
    change_notice,
    farewell,
    refuse_subscription,
    withdrawal,
)

__all__ = [
    "ACCEPTED",
    "EVENT_STREAM",
    "INVALID_PARAMS",
    "INVALID_REQUEST",
    "JSON",
    "LARGE",
    "LATEST_LEGACY",
    "LIFE_SECONDS",
    "MAX_LINE",
    "NONCE_BYTES",
    "QUESTION_BYTES",
    "STATE_NONCE_BYTES",
    "V2026_07_28",
    "Answered",
    "Arrival",
    "Batch",
    "CallTool",
    "Cancel",
    "Decision",
    "Doable",
    "EndSession",
    "GetPrompt",
    "Heard",
    "LineBuffer",
    "Listen",
    "Publication",
    "QuestionIds",
    "ReadResource",
    "Reply",
    "RequestId",
    "RequestStates",
    "Revision",
    "RpcError",
    "SealedRound",
    "Server",
    "Sessions",
    "SetLevel",
    "SseDialogue",
    "StdioDialogue",
    "StreamableHttp",
    "Subscribe",
    "ToolPages",
    "Watch",
    "Work",
    "abilities_of",
    "accepted_types",
    "acknowledgement",
    "change_notice",
    "crash_reply",
    "describe_all",
    "describe_native",
    "describe_tool",
    "digest_of_params",
    "encode_json",
    "error_reply",
    "farewell",
    "finish_call",
    "finish_prompt",
    "finish_reading",
    "heard_of",
    "id_in",
    "input_required",
    "is_loud_enough",
    "is_opening",
    "join_replies",
    "log_notice",
    "missed",
    "parse_json",
    "progress_notice",
    "question",
    "read_event_id",
    "refuse",
    "refuse_call",
    "refuse_head",
    "refuse_method",
    "refuse_offer",
    "refuse_size",
    "refuse_subscription",
    "result_reply",
    "withdrawal",
]
