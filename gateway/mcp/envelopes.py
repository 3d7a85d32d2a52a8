"""JSON-RPC responses as bytes."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.mcp.decisions import ACCEPTED, Reply
from gateway.mcp.errors import INTERNAL_ERROR, RequestId, RpcError, status_of
from gateway.mcp.json_text import encode_json
from gateway.messages import Headers


def result_reply(request_id: RequestId, result: bytes, *, headers: Headers = ()) -> Reply:
    """A success; `result` is JSON already, so that kept pages are never encoded again."""
    head = b'{"jsonrpc":"2.0","id":%b,"result":' % encode_json(request_id)
    return Reply(headers=headers, body=b"".join((head, result, b"}")))


def kept_reply(request_id: RequestId, result: bytes, *, ttl_ms: int) -> Reply:
    """A success that a modern client may keep that long (2026-07-28, caching).

    `result` is a JSON object with members, which may be the same for days: the time goes in front.
    """
    head = b'{"jsonrpc":"2.0","id":%b,"result":{"ttlMs":%d,' % (encode_json(request_id), ttl_ms)
    return Reply(body=b"".join((head, memoryview(result)[1:], b"}")))


def error_reply(error: RpcError, *, modern: bool) -> Reply:
    """An error object with the status that goes with it."""
    content: dict[str, object] = {"code": error.number, "message": str(error)}
    if error.data is not None:
        content["data"] = error.data
    body = {"jsonrpc": "2.0", "id": error.request_id, "error": content}
    status = error.http_status or status_of(error.number, modern=modern)
    return Reply(status=status, body=encode_json(body))


def in_context(reply: Reply, context_id: str | None) -> Reply:
    """The reply with the header that names the context, if there is one."""
    if context_id is None:
        return reply
    return replace(reply, headers=(*reply.headers, ("OCP-Context-ID", context_id)))


def crash_reply(request_id: RequestId | None, incident: str) -> Reply:
    """The answer to what met a bug of ours; `incident` is the id of the line in the log."""
    error = RpcError(
        INTERNAL_ERROR,
        f"Internal error, incident {incident}",
        data={"incident": incident},
        request_id=request_id,
    )
    return error_reply(error, modern=False)


def join_replies(replies: Sequence[Reply]) -> Reply:
    """One array of the members that say anything (2025-03-26 transports, batching).

    400 when nothing in the batch could be served, 202 when there is nothing to say.
    """
    spoken = [reply for reply in replies if reply.body]
    if not spoken:
        return ACCEPTED
    status = 200 if any(reply.status == 200 for reply in spoken) else spoken[0].status
    return Reply(status=status, body=b"[" + b",".join(reply.body for reply in spoken) + b"]")
