"""The two tool methods, as the eras ask for them."""

from gateway.errors import GatewayError
from gateway.mcp.decisions import CallTool
from gateway.mcp.definitions import names_headers
from gateway.mcp.errors import HEADER_MISMATCH, INTERNAL_ERROR, INVALID_PARAMS, RpcError
from gateway.mcp.jsonrpc import RpcRequest
from gateway.mcp.pages import UnknownCursor
from gateway.mcp.parameter_headers import mismatched_header
from gateway.mcp.publication import Publication
from gateway.mcp.revisions import Revision
from gateway.messages import Headers


def read_page(request: RpcRequest, revision: Revision, publication: Publication) -> bytes:
    """The JSON of a `tools/list` result.

    Raises RpcError: -32602 for a cursor that is none, -32603 while there is no catalog to list.
    """
    try:
        view = publication.view()
    except GatewayError as error:
        raise RpcError(INTERNAL_ERROR, str(error), request_id=request.id) from error
    try:
        return publication.pages.page(revision, view, request.members.get("cursor"))
    except UnknownCursor:
        raise RpcError(INVALID_PARAMS, "Unknown cursor", request_id=request.id) from None


def read_call(request: RpcRequest) -> CallTool:
    """A `tools/call`; absent arguments are none. Raises RpcError (-32602)."""
    name = request.members.get("name")
    if not isinstance(name, str):
        raise RpcError(INVALID_PARAMS, "params.name must be a string", request_id=request.id)
    arguments = request.members.get("arguments")
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        raise RpcError(INVALID_PARAMS, "params.arguments must be an object", request_id=request.id)
    return CallTool(name=name, arguments=arguments)


def check_parameters(
    request: RpcRequest, call: CallTool, publication: Publication, headers: Headers
) -> None:
    """Raises RpcError (-32020) where an `Mcp-Param-*` header and its argument differ.

    A tool that is not there has none; the call itself will say so.
    """
    try:
        tool = publication.view().find(call.name)
    except GatewayError:
        return
    if tool is None or not names_headers(tool, publication.pages.additions):
        return
    name = mismatched_header(tool, call.arguments, headers)
    if name is not None:
        message = f"Header {name} must be sent once and say what its argument says"
        raise RpcError(HEADER_MISMATCH, message, request_id=request.id)
