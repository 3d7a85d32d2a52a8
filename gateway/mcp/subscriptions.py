"""What is said to whoever listens for changes: `subscriptions/listen`, and a session's stream.

2026-07-28, subscriptions; 2024-11-05 to 2025-11-25, `list_changed` and `resources/updated`.
"""

from collections.abc import Iterator

from gateway.catalog import Subject, Topic, can_be_told
from gateway.mcp.decisions import Reply, Subscribe
from gateway.mcp.envelopes import error_reply, result_reply
from gateway.mcp.errors import INTERNAL_ERROR, INVALID_PARAMS, RpcError
from gateway.mcp.json_text import encode_json
from gateway.mcp.jsonrpc import RpcRequest
from gateway.mcp.notices import notification
from gateway.mcp.publication import SERVER_INFO, Server

SUBSCRIPTION_ID = "io.modelcontextprotocol/subscriptionId"
MAX_URIS = 100
"""That one request may name."""
MAX_URI = 2_048
"""In characters."""

_LISTS = {
    "toolsListChanged": Topic.TOOLS,
    "resourcesListChanged": Topic.RESOURCES,
    "promptsListChanged": Topic.PROMPTS,
}


def read_subscription(request: RpcRequest, server: Server) -> Subscribe:
    """What a `subscriptions/listen` asks for and can be told. Raises RpcError (-32602)."""
    asked = request.members.get("notifications")
    if not isinstance(asked, dict):
        raise _bad(request, "must be an object")
    for flag in _LISTS:
        if not isinstance(asked.get(flag), bool | None):
            raise _bad(request, "must be a boolean", flag)
    lists = tuple(
        topic
        for flag, topic in _LISTS.items()
        if asked.get(flag) and (topic is not Topic.PROMPTS or server.prompts_change)
    )
    uris = tuple(_uris(request, asked.get("resourceSubscriptions")))
    return Subscribe(id=request.id, server=server, subjects=(*lists, *uris))


def acknowledgement(subscribe: Subscribe) -> bytes:
    """The first message of a stream: the part of what was asked for that will be told."""
    honoured: dict[str, object] = {
        flag: True for flag, topic in _LISTS.items() if topic in subscribe.subjects
    }
    uris = [subject for subject in subscribe.subjects if isinstance(subject, str)]
    if uris:
        honoured["resourceSubscriptions"] = uris
    return _to(subscribe, "notifications/subscriptions/acknowledged", {"notifications": honoured})


def change_notice(subject: Subject, subscribe: Subscribe | None = None) -> bytes:
    """That a list or a resource is another one now; without `subscribe`, for a legacy session."""
    if isinstance(subject, Topic):
        return _to(subscribe, f"notifications/{subject.value}/list_changed", {})
    return _to(subscribe, "notifications/resources/updated", {"uri": subject})


def refuse_subscription(subscribe: Subscribe) -> Reply:
    """The answer to one stream too many."""
    message = "Too many event streams of this caller: end one first"
    error = RpcError(INTERNAL_ERROR, message, request_id=subscribe.id, http_status=429)
    return error_reply(error, modern=True)


def farewell(subscribe: Subscribe) -> bytes:
    """The result of the request: the stream ends because the server wants it."""
    meta = {SERVER_INFO: subscribe.server.info, SUBSCRIPTION_ID: subscribe.id}
    result = {"resultType": "complete", "_meta": meta}
    return result_reply(subscribe.id, encode_json(result)).body


def withdrawal(subscribe: Subscribe) -> bytes:
    """The same where streams have no end of their own: over stdio."""
    reason = "The server ends the subscription"
    return notification("notifications/cancelled", {"requestId": subscribe.id, "reason": reason})


def _to(subscribe: Subscribe | None, method: str, params: dict[str, object]) -> bytes:
    if subscribe is not None:
        params["_meta"] = {SUBSCRIPTION_ID: subscribe.id}
    return notification(method, params or None)


def _uris(request: RpcRequest, uris: object) -> Iterator[str]:
    """Those whose changes can be told, each once."""
    if uris is None:
        return
    member = "resourceSubscriptions"
    if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
        raise _bad(request, "must be a list of strings", member)
    if len(uris) > MAX_URIS or any(len(uri) > MAX_URI for uri in uris):
        raise _bad(request, f"takes {MAX_URIS} URIs of {MAX_URI} characters at most", member)
    yield from (uri for uri in dict.fromkeys(uris) if can_be_told(uri))


def _bad(request: RpcRequest, message: str, member: str | None = None) -> RpcError:
    where = "params.notifications" if member is None else f"params.notifications.{member}"
    return RpcError(INVALID_PARAMS, f"{where} {message}", request_id=request.id)
