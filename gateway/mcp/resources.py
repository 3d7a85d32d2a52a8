"""Resources in each revision's words."""

from collections.abc import Sequence

from gateway.calls import Resource, Rest
from gateway.catalog import CONTEXT_URI, Offer
from gateway.mcp.content import render_content, render_rest
from gateway.mcp.decisions import ReadResource, Reply, Work
from gateway.mcp.envelopes import in_context, result_reply
from gateway.mcp.errors import INVALID_PARAMS, RpcError
from gateway.mcp.json_text import encode_json
from gateway.mcp.jsonrpc import RpcRequest
from gateway.mcp.offers import Json, call_meta, encoded_list, offerings_for
from gateway.mcp.publication import Publication
from gateway.mcp.request_meta import REST
from gateway.mcp.revisions import Revision

_OWN_CONTEXT = Offer(
    uri=CONTEXT_URI,
    name="this-context",
    title="Context of this conversation",
    description="Goal, summary and latest calls of the context that calls here belong to.",
    media_type="application/json",
)


def list_resources(
    request: RpcRequest, revision: Revision, publication: Publication, *, in_context: bool
) -> bytes:
    """The JSON of a `resources/list` result. Raises RpcError.

    `in_context`: session or process has a context of its own, whatever the request says.
    """
    offers = offerings_for(request, publication).resources
    shown = (*offers, _OWN_CONTEXT) if in_context else offers
    items = [_listed(offer, "uri", revision) for offer in shown]
    return encoded_list(request, revision, publication, "resources", items)


def list_templates(request: RpcRequest, revision: Revision, publication: Publication) -> bytes:
    """The JSON of a `resources/templates/list` result. Raises RpcError."""
    offers = offerings_for(request, publication).templates
    items = [_listed(offer, "uriTemplate", revision) for offer in offers]
    return encoded_list(request, revision, publication, "resourceTemplates", items)


def read_reading(request: RpcRequest) -> ReadResource:
    """A `resources/read`. Raises RpcError (-32602)."""
    uri = request.members.get("uri")
    if not isinstance(uri, str):
        raise RpcError(INVALID_PARAMS, "params.uri must be a string", request_id=request.id)
    return ReadResource(uri=uri)


def finish_reading(
    work: Work,
    contents: Sequence[Resource],
    *,
    ttl_ms: int | None,
    context_id: str | None = None,
    recorded: bool = True,
    rest: Rest | None = None,
) -> Reply:
    """The reply to a `resources/read`.

    `ttl_ms` as in Publication; None for what only this caller is shown, and is not to keep.
    """
    server, revision = work.server, work.revision
    members: dict[str, object] = {
        "contents": [
            render_content(content, revision, index)["resource"]
            for index, content in enumerate(contents)
        ]
    }
    meta = call_meta(context_id, recorded=recorded)
    if rest is not None:
        meta[REST] = render_rest(rest)
    if revision.modern:
        members |= {
            "resultType": "complete",
            "ttlMs": ttl_ms or 0,
            "cacheScope": "private" if ttl_ms is None else server.cache_scope,
        }
        meta = server.meta(meta)
    if meta:
        members["_meta"] = meta
    return in_context(result_reply(work.id, encode_json(members)), context_id)


def _listed(offer: Offer, key: str, revision: Revision) -> Json:
    told: dict[str, object] = {key: offer.uri, "name": offer.name}
    if revision.titles and offer.title:
        told["title"] = offer.title
    if offer.description:
        told["description"] = offer.description
    if offer.media_type:
        told["mimeType"] = offer.media_type
    return told
