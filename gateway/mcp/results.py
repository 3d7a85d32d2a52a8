"""What came of a tool call, as each revision's clients can read it."""

from gateway.calls import Audio, Content, Image, Resource, Rest, Text, ToolResult
from gateway.errors import GatewayError, InvalidArguments, UnknownTool
from gateway.mcp.decisions import CallTool, Reply
from gateway.mcp.envelopes import error_reply, result_reply
from gateway.mcp.errors import INVALID_PARAMS, RpcError
from gateway.mcp.json_text import encode_json
from gateway.mcp.publication import SERVER_INFO
from gateway.mcp.revisions import Revision

CONTEXT_ID = "io.opencontextprotocol/context-id"
RECORDED = "io.opencontextprotocol/recorded"
REST = "io.opencontextprotocol/rest"


def finish_call(call: CallTool, result: ToolResult, *, context_id: str, recorded: bool) -> Reply:
    """The reply to a call that was tried, whatever the upstream said to it."""
    members: dict[str, object] = {
        "content": [
            render_content(content, call.revision, index)
            for index, content in enumerate(result.content)
        ]
    }
    if result.structured is not None and _can_hold(call.revision, result.structured.value):
        members["structuredContent"] = result.structured.value
    members["isError"] = result.is_error
    meta: dict[str, object] = {CONTEXT_ID: context_id}
    if not recorded:
        meta[RECORDED] = False
    if result.rest is not None:
        meta[REST] = render_rest(result.rest)
    return _reply(call, members, meta)


def refuse_call(call: CallTool, error: GatewayError) -> Reply:
    """The reply to a call that the gateway itself refused; nothing was sent upstream.

    A tool that does not exist is a protocol error; everything else is a result that the model can
    read and act upon (2025-11-25 tools, "Error Handling").
    """
    if isinstance(error, UnknownTool):
        return error_reply(
            RpcError(INVALID_PARAMS, str(error), request_id=call.id), modern=call.revision.modern
        )
    members: dict[str, object] = {
        "content": [{"type": "text", "text": _explain(error)}],
        "isError": True,
    }
    return _reply(call, members, {} if error.context_id is None else {CONTEXT_ID: error.context_id})


def render_content(content: Content, revision: Revision, index: int) -> dict[str, object]:
    """One content block; `index` makes the URI of a block that has none of its own."""
    match content:
        case Text(text=text):
            return {"type": "text", "text": text}
        case Image(data=data, media_type=media_type):
            return {"type": "image", "data": data, "mimeType": media_type}
        case Audio(data=data, media_type=media_type) if revision.audio:
            return {"type": "audio", "data": data, "mimeType": media_type}
        case Audio(data=data, media_type=media_type):
            # 2024-11-05 has no audio block and its clients refuse the whole result for one.
            uri = f"urn:ocp-gateway:audio:{index}"
            return _resource(Resource(uri=uri, media_type=media_type, text=None, blob=data))
        case Resource():
            return _resource(content)


def render_rest(rest: Rest) -> dict[str, object]:
    """Where an excerpt goes on, for programs."""
    return {"handle": rest.handle, "start": rest.start, "size": rest.size, "complete": rest.whole}


def _resource(content: Resource) -> dict[str, object]:
    resource: dict[str, object] = {"uri": content.uri}
    if content.media_type is not None:
        resource["mimeType"] = content.media_type
    if content.blob is not None:
        resource["blob"] = content.blob
    else:
        resource["text"] = content.text or ""
    return {"type": "resource", "resource": resource}


def _can_hold(revision: Revision, value: object) -> bool:
    return revision.any_structured or (revision.structured and isinstance(value, dict))


def _explain(error: GatewayError) -> str:
    if isinstance(error, InvalidArguments):
        lines = [f"- {fault.pointer or '(root)'}: {fault.message}" for fault in error.faults]
        return "\n".join(["Invalid arguments; nothing was sent:", *lines])
    return f"{error.title}: {error}"


def _reply(call: CallTool, members: dict[str, object], meta: dict[str, object]) -> Reply:
    if call.revision.modern:
        members["resultType"] = "complete"
        meta[SERVER_INFO] = call.server.info
    if meta:
        members["_meta"] = meta
    context_id = meta.get(CONTEXT_ID)
    headers = (("OCP-Context-ID", context_id),) if isinstance(context_id, str) else ()
    return result_reply(call.id, encode_json(members), headers=headers)
