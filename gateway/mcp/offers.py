"""What resources and prompts have in common: lists in pages, results, and why there is none."""

from collections.abc import Mapping, Sequence

from gateway.catalog import Offerings, digest_of
from gateway.errors import (
    CannotAsk,
    GatewayError,
    InvalidArguments,
    UnknownPrompt,
    UnknownResource,
)
from gateway.mcp.capabilities import required_capabilities
from gateway.mcp.decisions import ReadResource, Reply, Work
from gateway.mcp.envelopes import error_reply, in_context
from gateway.mcp.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    MISSING_CAPABILITY,
    RESOURCE_NOT_FOUND,
    RpcError,
)
from gateway.mcp.json_text import encode_json
from gateway.mcp.jsonrpc import RpcRequest
from gateway.mcp.pages import UnknownCursor, find_page
from gateway.mcp.publication import Publication
from gateway.mcp.request_meta import CONTEXT_ID, RECORDED
from gateway.mcp.revisions import Revision

Json = Mapping[str, object]


def offerings_for(request: RpcRequest, publication: Publication) -> Offerings:
    """What is offered to the caller. Raises RpcError (-32603) while there is no catalog."""
    try:
        return publication.offerings()
    except GatewayError as error:
        raise RpcError(INTERNAL_ERROR, str(error), request_id=request.id) from error


def encoded_list(
    request: RpcRequest,
    revision: Revision,
    publication: Publication,
    member: str,
    items: Sequence[Json],
) -> bytes:
    """The JSON of a list result, its items under `member`. Raises RpcError (-32602): the cursor."""
    size = publication.pages.page_size
    of = f"{member} {digest_of(list(items))}" if size else ""
    try:
        page = find_page(request.members.get("cursor"), of=of, count=len(items), size=size)
    except UnknownCursor:
        raise RpcError(INVALID_PARAMS, "Unknown cursor", request_id=request.id) from None
    listing: dict[str, object] = {member: items[page.start : page.end]}
    if page.next_cursor is not None:
        listing["nextCursor"] = page.next_cursor
    return encode_json(publication.server.cacheable(listing) if revision.modern else listing)


def call_meta(context_id: str | None, *, recorded: bool) -> dict[str, object]:
    """What a result says of the tool call behind it, if there was one."""
    meta: dict[str, object] = {} if context_id is None else {CONTEXT_ID: context_id}
    return meta if recorded else {**meta, RECORDED: False}


def refuse_offer(work: Work, error: GatewayError) -> Reply:
    """The error object for a resource or a prompt that there is not."""
    reply = error_reply(_explained(work, error), modern=work.revision.modern)
    return in_context(reply, error.context_id)


def _explained(work: Work, error: GatewayError) -> RpcError:
    read = work.task.uri if isinstance(work.task, ReadResource) else None
    data = None if read is None else {"uri": read}
    match error:
        case CannotAsk() if work.revision.modern:
            required = {"requiredCapabilities": required_capabilities(error.missing)}
            return RpcError(MISSING_CAPABILITY, str(error), data=required, request_id=work.id)
        case UnknownResource() if read is not None and not work.revision.modern:
            return RpcError(RESOURCE_NOT_FOUND, str(error), data=data, request_id=work.id)
        case UnknownResource() | UnknownPrompt() | InvalidArguments():
            return RpcError(INVALID_PARAMS, str(error), data=data, request_id=work.id)
        case _:
            text = f"{error.title}: {error}"
            return RpcError(INTERNAL_ERROR, text, data=data, request_id=work.id)
