"""`completion/complete`: values for the arguments of prompts and the variables of templates."""

from gateway.catalog import Offerings, matching, prompt_values, template_values
from gateway.mcp.errors import INVALID_PARAMS, RpcError
from gateway.mcp.json_text import encode_json
from gateway.mcp.jsonrpc import RpcRequest
from gateway.mcp.offers import offerings_for
from gateway.mcp.publication import Publication
from gateway.mcp.revisions import Revision

MAX_VALUES = 100
"""2025-11-25 and 2026-07-28, completion."""


def complete(request: RpcRequest, revision: Revision, publication: Publication) -> bytes:
    """The JSON of the result. Raises RpcError (-32602).

    `context.arguments`, what is filled in already, changes nothing: no value depends on another.
    """
    argument = request.members.get("argument")
    name = argument.get("name") if isinstance(argument, dict) else None
    typed = argument.get("value") if isinstance(argument, dict) else None
    if not isinstance(name, str) or not isinstance(typed, str):
        message = "params.argument must have a name and a value, both strings"
        raise RpcError(INVALID_PARAMS, message, request_id=request.id)
    values = _values(request, offerings_for(request, publication), name)
    if values is None:
        raise RpcError(INVALID_PARAMS, "There is no such argument", request_id=request.id)
    found = matching(values, typed)
    completion = {
        "values": found[:MAX_VALUES],
        "total": len(found),
        "hasMore": len(found) > MAX_VALUES,
    }
    result: dict[str, object] = {"completion": completion}
    return encode_json(publication.server.complete(result) if revision.modern else result)


def _values(request: RpcRequest, offerings: Offerings, name: str) -> tuple[str, ...] | None:
    ref = request.members.get("ref")
    kind = ref.get("type") if isinstance(ref, dict) else None
    named = ref.get("name" if kind == "ref/prompt" else "uri") if isinstance(ref, dict) else None
    if not isinstance(named, str) or kind not in ("ref/prompt", "ref/resource"):
        message = "params.ref must name a prompt or the URI of a resource template"
        raise RpcError(INVALID_PARAMS, message, request_id=request.id)
    if kind == "ref/prompt":
        prompt = offerings.prompts.get(named)
        return None if prompt is None else prompt_values(offerings, prompt, name)
    return template_values(offerings, named, name)
