"""2024-11-05 to 2025-11-25: `initialize` agrees a revision, later messages rely on it."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.mcp.decisions import ACCEPTED, CallTool, Cancel, Reply
from gateway.mcp.envelopes import result_reply
from gateway.mcp.errors import INVALID_PARAMS, METHOD_NOT_FOUND, RpcError
from gateway.mcp.json_text import encode_json
from gateway.mcp.jsonrpc import Notification, RpcRequest, legal_id
from gateway.mcp.publication import Publication, Server
from gateway.mcp.revisions import LATEST_LEGACY, LEGACY_BY_NAME, Revision
from gateway.mcp.sessions import Handshake, read_capabilities
from gateway.mcp.tool_calls import named_context, read_call, read_page
from gateway.messages import Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the handshake left behind for the messages after it. `scope` names the session."""

    revision: Revision
    scope: bytes
    ambient_id: str | None = None
    client_name: str | None = None


def answer_legacy(
    request: RpcRequest, agreement: Agreement, publication: Publication
) -> Reply | CallTool:
    """The answer to any request but `initialize`. Raises RpcError."""
    method = _METHODS.get(request.method)
    if method is None:
        raise RpcError(
            METHOD_NOT_FOUND, f"Unknown method: {request.method[:200]}", request_id=request.id
        )
    return method(request, agreement, publication)


def hear_notification(notification: Notification, scope: bytes) -> Reply | Cancel:
    """Only a cancellation has consequences; unknown notifications are no fault (JSON-RPC 4.1)."""
    params = notification.params
    if notification.method == "notifications/cancelled" and isinstance(params, dict):
        request_id = legal_id(params.get("requestId"))
        if request_id is not None:
            return Cancel(scope=scope, request_id=request_id)
    return ACCEPTED


def read_handshake(request: RpcRequest) -> Handshake:
    """What an `initialize` leads to: its revision if we have it, else our latest legacy one.

    Raises RpcError (-32602).
    """
    version = request.members.get("protocolVersion")
    if not isinstance(version, str):
        raise RpcError(
            INVALID_PARAMS, "params.protocolVersion must be a string", request_id=request.id
        )
    client = request.members.get("clientInfo")
    name = client.get("name") if isinstance(client, dict) else None
    return Handshake(
        revision=LEGACY_BY_NAME.get(version, LATEST_LEGACY),
        capabilities=read_capabilities(request.members.get("capabilities")),
        client_name=name if isinstance(name, str) else None,
    )


def welcome(
    request: RpcRequest, handshake: Handshake, server: Server, *, headers: Headers = ()
) -> Reply:
    """The result of `initialize`."""
    revision = handshake.revision
    title = {"title": server.title} if revision.titles else {}
    result = {
        "protocolVersion": revision.name,
        "capabilities": {"tools": {}},
        "serverInfo": {**server.info, **title},
    }
    return result_reply(request.id, encode_json(result), headers=headers)


def _ping(request: RpcRequest, _: Agreement, __: Publication) -> Reply:
    return result_reply(request.id, b"{}")


def _list_tools(request: RpcRequest, agreement: Agreement, publication: Publication) -> Reply:
    return result_reply(request.id, read_page(request, agreement.revision, publication))


def _call_tool(request: RpcRequest, agreement: Agreement, publication: Publication) -> CallTool:
    name, arguments = read_call(request)
    return CallTool(
        id=request.id,
        revision=agreement.revision,
        server=publication.server,
        name=name,
        arguments=arguments,
        explicit_id=named_context(request),
        ambient_id=agreement.ambient_id,
        agent_hint=agreement.client_name,
        cancel_scope=agreement.scope,
    )


_METHODS: dict[str, Callable[[RpcRequest, Agreement, Publication], Reply | CallTool]] = {
    "ping": _ping,
    "tools/list": _list_tools,
    "tools/call": _call_tool,
}
