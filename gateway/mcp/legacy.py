"""2024-11-05 to 2025-11-25: `initialize` agrees a revision, later messages rely on it."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from gateway.mcp.capabilities import read_capabilities
from gateway.mcp.completion import complete
from gateway.mcp.decisions import (
    ACCEPTED,
    Answered,
    Cancel,
    Reply,
    SetLevel,
    Single,
    Task,
    Watch,
    Work,
)
from gateway.mcp.envelopes import result_reply
from gateway.mcp.errors import INVALID_PARAMS, METHOD_NOT_FOUND, RpcError
from gateway.mcp.json_text import encode_json
from gateway.mcp.jsonrpc import Answer, Notification, RpcRequest, legal_id
from gateway.mcp.prompts import list_prompts, read_get_prompt
from gateway.mcp.publication import Publication, Server
from gateway.mcp.questions import QuestionIds
from gateway.mcp.request_meta import check_level, named_context, progress_token, trace_of
from gateway.mcp.resources import list_resources, list_templates, read_reading
from gateway.mcp.revisions import LATEST_LEGACY, LEGACY_BY_NAME, Revision
from gateway.mcp.sessions import Handshake
from gateway.mcp.tool_calls import read_call, read_page
from gateway.messages import Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the handshake left behind for the messages after it.

    `scope` names the session, which ends at `until`, seconds since the epoch. `capabilities` are
    those that the client declared (`capabilities.CAPABILITIES`).
    """

    revision: Revision
    scope: bytes
    ambient_id: str | None = None
    client_name: str | None = None
    capabilities: frozenset[str] = frozenset()
    until: float = inf


def answer_legacy(request: RpcRequest, agreement: Agreement, publication: Publication) -> Single:
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


def hear_answer(answer: Answer, scope: bytes, questions: QuestionIds) -> Reply | Answered:
    """What a client answers to a question of ours; what nobody has asked is dropped."""
    if not questions.is_of(scope, answer.id):
        return ACCEPTED
    result = answer.result if isinstance(answer.result, dict) else None
    return Answered(session=scope, id=str(answer.id), result=result)


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
    result = {
        "protocolVersion": revision.name,
        "capabilities": server.capabilities(revision),
        "serverInfo": server.implementation(revision),
    }
    return result_reply(request.id, encode_json(result), headers=headers)


def _ping(request: RpcRequest, _: Agreement, __: Publication) -> Reply:
    return result_reply(request.id, b"{}")


def _set_level(request: RpcRequest, agreement: Agreement, _: Publication) -> SetLevel:
    level = check_level(request.members.get("level"), request)
    return SetLevel(id=request.id, session=agreement.scope, until=agreement.until, level=level)


def _subscribe(request: RpcRequest, agreement: Agreement, _: Publication) -> Watch:
    return _watch(request, agreement, wanted=True)


def _unsubscribe(request: RpcRequest, agreement: Agreement, _: Publication) -> Watch:
    return _watch(request, agreement, wanted=False)


def _watch(request: RpcRequest, agreement: Agreement, *, wanted: bool) -> Watch:
    uri = request.members.get("uri")
    if not isinstance(uri, str):
        raise RpcError(INVALID_PARAMS, "params.uri must be a string", request_id=request.id)
    return Watch(
        id=request.id, session=agreement.scope, until=agreement.until, uri=uri, wanted=wanted
    )


def _list_tools(request: RpcRequest, agreement: Agreement, publication: Publication) -> Reply:
    return result_reply(request.id, read_page(request, agreement.revision, publication))


def _call_tool(request: RpcRequest, agreement: Agreement, publication: Publication) -> Work:
    return _work(request, agreement, publication, read_call(request))


def _list_resources(request: RpcRequest, agreement: Agreement, publication: Publication) -> Reply:
    in_context = agreement.ambient_id is not None
    page = list_resources(request, agreement.revision, publication, in_context=in_context)
    return result_reply(request.id, page)


def _list_templates(request: RpcRequest, agreement: Agreement, publication: Publication) -> Reply:
    return result_reply(request.id, list_templates(request, agreement.revision, publication))


def _read_resource(request: RpcRequest, agreement: Agreement, publication: Publication) -> Work:
    return _work(request, agreement, publication, read_reading(request))


def _list_prompts(request: RpcRequest, agreement: Agreement, publication: Publication) -> Reply:
    return result_reply(request.id, list_prompts(request, agreement.revision, publication))


def _get_prompt(request: RpcRequest, agreement: Agreement, publication: Publication) -> Work:
    return _work(request, agreement, publication, read_get_prompt(request, publication))


def _complete(request: RpcRequest, agreement: Agreement, publication: Publication) -> Reply:
    return result_reply(request.id, complete(request, agreement.revision, publication))


def _work(request: RpcRequest, agreement: Agreement, publication: Publication, task: Task) -> Work:
    return Work(
        id=request.id,
        revision=agreement.revision,
        server=publication.server,
        task=task,
        explicit_id=named_context(request),
        ambient_id=agreement.ambient_id,
        agent_hint=agreement.client_name,
        cancel_scope=agreement.scope,
        progress_token=progress_token(request),
        capabilities=agreement.capabilities,
        session=agreement.scope,
        trace=trace_of(request),
    )


_METHODS: dict[str, Callable[[RpcRequest, Agreement, Publication], Single]] = {
    "ping": _ping,
    "logging/setLevel": _set_level,
    "resources/subscribe": _subscribe,
    "resources/unsubscribe": _unsubscribe,
    "tools/list": _list_tools,
    "tools/call": _call_tool,
    "resources/list": _list_resources,
    "resources/templates/list": _list_templates,
    "resources/read": _read_resource,
    "prompts/list": _list_prompts,
    "prompts/get": _get_prompt,
    "completion/complete": _complete,
}
