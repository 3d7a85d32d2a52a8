"""What came of a tool call, as each revision's clients can read it."""

from gateway.calls import Content, Structured, Text, ToolResult
from gateway.errors import CannotAsk, GatewayError, InvalidArguments, UnknownTool
from gateway.mcp.capabilities import required_capabilities
from gateway.mcp.content import link_rest, render_content, render_rest
from gateway.mcp.decisions import Reply, Work
from gateway.mcp.envelopes import error_reply, in_context, result_reply
from gateway.mcp.errors import INVALID_PARAMS, MISSING_CAPABILITY, RpcError
from gateway.mcp.json_text import encode_json
from gateway.mcp.output_schemas import wrap_output
from gateway.mcp.publication import SERVER_INFO
from gateway.mcp.request_meta import CONTEXT_ID, RECORDED, REST
from gateway.mcp.revisions import Revision


def finish_call(call: Work, result: ToolResult, *, context_id: str, recorded: bool) -> Reply:
    """The reply to a call that was tried, whatever the upstream said to it."""
    members: dict[str, object] = {
        "content": [
            render_content(content, call.revision, index)
            for index, content in enumerate(_contents(result, call.revision))
        ]
    }
    structured = _structured(call, result)
    if structured is not None:
        members["structuredContent"] = structured.value
    members["isError"] = result.is_error
    meta: dict[str, object] = {CONTEXT_ID: context_id}
    if not recorded:
        meta[RECORDED] = False
    if result.rest is not None:
        meta[REST] = render_rest(result.rest)
    return _reply(call, members, meta)


def refuse_call(call: Work, error: GatewayError) -> Reply:
    """The reply to a call that the gateway itself refused.

    A tool that does not exist is a protocol error, and so is, to modern clients, a question that
    they have not declared themselves fit for; everything else is a result that the model can read
    and act upon (2025-11-25 tools, "Error Handling").
    """
    refusal = _protocol_error(call, error)
    if refusal is not None:
        return in_context(error_reply(refusal, modern=call.revision.modern), error.context_id)
    members: dict[str, object] = {
        "content": [{"type": "text", "text": _explain(error)}],
        "isError": True,
    }
    return _reply(call, members, {} if error.context_id is None else {CONTEXT_ID: error.context_id})


def _protocol_error(call: Work, error: GatewayError) -> RpcError | None:
    if isinstance(error, CannotAsk) and call.revision.modern:
        required = {"requiredCapabilities": required_capabilities(error.missing)}
        return RpcError(MISSING_CAPABILITY, str(error), data=required, request_id=call.id)
    if isinstance(error, UnknownTool):
        return RpcError(INVALID_PARAMS, str(error), request_id=call.id)
    return None


def _contents(result: ToolResult, revision: Revision) -> tuple[Content, ...]:
    if result.rest is None or not revision.links:
        return result.content
    return (*result.content, link_rest(result.rest))


def _structured(call: Work, result: ToolResult) -> Structured | None:
    """Where tools publish what they answer, every success has it, and always as an object.

    It is no matter of the tool: a client may go by a list that is older than the catalog.
    """
    revision, structured = call.revision, result.structured
    if call.server.output_schemas and revision.structured and not result.is_error:
        texts = "\n".join(block.text for block in result.content if isinstance(block, Text))
        return Structured(value=wrap_output(structured.value if structured else texts or None))
    if structured is None or revision.any_structured:
        return structured
    return structured if revision.structured and isinstance(structured.value, dict) else None


def _explain(error: GatewayError) -> str:
    if isinstance(error, InvalidArguments):
        lines = [f"- {fault.pointer or '(root)'}: {fault.message}" for fault in error.faults]
        return "\n".join(["Invalid arguments; nothing was sent:", *lines])
    return f"{error.title}: {error}"


def _reply(call: Work, members: dict[str, object], meta: dict[str, object]) -> Reply:
    if call.revision.modern:
        members["resultType"] = "complete"
        meta[SERVER_INFO] = call.server.info
    if meta:
        members["_meta"] = meta
    context_id = meta.get(CONTEXT_ID)
    reply = result_reply(call.id, encode_json(members))
    return in_context(reply, context_id if isinstance(context_id, str) else None)
