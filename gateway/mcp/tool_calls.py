"""The two tool methods, as both eras ask for them."""

from gateway.context import is_header_id
from gateway.errors import GatewayError
from gateway.mcp.errors import INTERNAL_ERROR, INVALID_PARAMS, RpcError
from gateway.mcp.jsonrpc import RpcRequest, meta_member
from gateway.mcp.publication import Publication
from gateway.mcp.results import CONTEXT_ID
from gateway.mcp.revisions import Revision


def read_page(request: RpcRequest, revision: Revision, publication: Publication) -> bytes:
    """The JSON of a `tools/list` result.

    Everything stands on the first page, so the only cursor that exists is the empty one. Raises
    RpcError: -32602 for another, -32603 while there is no catalog to list.
    """
    if request.members.get("cursor") not in (None, ""):
        raise RpcError(INVALID_PARAMS, "Unknown cursor", request_id=request.id)
    try:
        view = publication.view()
    except GatewayError as error:
        raise RpcError(INTERNAL_ERROR, str(error), request_id=request.id) from error
    return publication.pages.page(revision, view)


def read_call(request: RpcRequest) -> tuple[str, dict[str, object]]:
    """Name and arguments of a `tools/call`; absent arguments are none. Raises RpcError (-32602)."""
    name = request.members.get("name")
    if not isinstance(name, str):
        raise RpcError(INVALID_PARAMS, "params.name must be a string", request_id=request.id)
    arguments = request.members.get("arguments")
    if arguments is None:
        return name, {}
    if not isinstance(arguments, dict):
        raise RpcError(INVALID_PARAMS, "params.arguments must be an object", request_id=request.id)
    return name, arguments


def named_context(request: RpcRequest) -> str | None:
    """The context that the call names in `_meta`; one that no header could carry is ignored."""
    context_id = meta_member(request.params, CONTEXT_ID)
    return context_id if isinstance(context_id, str) and is_header_id(context_id) else None
