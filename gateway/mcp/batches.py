"""JSON-RPC arrays, which 2025-03-26 alone makes its servers receive."""

from collections.abc import Callable

from gateway.mcp.decisions import Batch, Single
from gateway.mcp.envelopes import error_reply
from gateway.mcp.errors import INVALID_REQUEST, RpcError
from gateway.mcp.jsonrpc import Message, RpcRequest, read_message
from gateway.mcp.revisions import Revision

MAX_MEMBERS = 100

Decide = Callable[[Message], Single]
"""The decision about one member; may raise RpcError."""


def read_batch(values: list[object], revision: Revision, decide: Decide) -> Batch:
    """A decision for each member; a bad one costs itself only.

    Raises RpcError (-32600) where the revision has no batches, and for none or too many members.
    """
    if not revision.batches:
        raise RpcError(INVALID_REQUEST, f"{revision.name} has no batches")
    if not 1 <= len(values) <= MAX_MEMBERS:
        raise RpcError(INVALID_REQUEST, f"A batch has 1 to {MAX_MEMBERS} members")
    return Batch(members=tuple(_read_member(value, decide) for value in values))


def _read_member(value: object, decide: Decide) -> Single:
    try:
        message = read_message(value)
        if isinstance(message, RpcRequest) and message.method == "initialize":
            return error_reply(_not_in_batch(message), modern=False)
        return decide(message)
    except RpcError as error:
        return error_reply(error, modern=False)


def _not_in_batch(request: RpcRequest) -> RpcError:
    """2025-03-26 lifecycle: what a batch holds depends on what `initialize` agrees."""
    return RpcError(
        INVALID_REQUEST, "initialize must not be part of a batch", request_id=request.id
    )
