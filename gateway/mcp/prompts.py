"""Prompts in each revision's words."""

from collections.abc import Sequence

from gateway.calls import Content
from gateway.catalog import Prompt, PromptArgument, Role
from gateway.mcp.content import render_content
from gateway.mcp.decisions import GetPrompt, Reply, Work
from gateway.mcp.envelopes import in_context, result_reply
from gateway.mcp.errors import INVALID_PARAMS, METHOD_NOT_FOUND, RpcError
from gateway.mcp.json_text import encode_json
from gateway.mcp.jsonrpc import RpcRequest
from gateway.mcp.offers import Json, call_meta, encoded_list, offerings_for
from gateway.mcp.publication import Publication
from gateway.mcp.revisions import Revision


def list_prompts(request: RpcRequest, revision: Revision, publication: Publication) -> bytes:
    """The JSON of a `prompts/list` result. Raises RpcError."""
    _check_declared(request, publication)
    prompts = offerings_for(request, publication).prompts.values()
    items = [_listed(prompt, revision) for prompt in prompts]
    return encoded_list(request, revision, publication, "prompts", items)


def read_get_prompt(request: RpcRequest, publication: Publication) -> GetPrompt:
    """A `prompts/get`; absent arguments are none. Raises RpcError."""
    _check_declared(request, publication)
    name, arguments = request.members.get("name"), request.members.get("arguments")
    if not isinstance(name, str):
        raise RpcError(INVALID_PARAMS, "params.name must be a string", request_id=request.id)
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict) or any(not isinstance(v, str) for v in arguments.values()):
        message = "params.arguments must be an object of strings"
        raise RpcError(INVALID_PARAMS, message, request_id=request.id)
    return GetPrompt(name=name, arguments=arguments)


def finish_prompt(
    work: Work,
    description: str,
    messages: Sequence[tuple[Role, Content]],
    *,
    context_id: str | None = None,
    recorded: bool = True,
) -> Reply:
    """The reply to a `prompts/get`."""
    members: dict[str, object] = {
        "description": description,
        "messages": [
            {"role": role, "content": render_content(content, work.revision, index)}
            for index, (role, content) in enumerate(messages)
        ],
    }
    meta = call_meta(context_id, recorded=recorded)
    if work.revision.modern:
        members["resultType"] = "complete"
        meta = work.server.meta(meta)
    if meta:
        members["_meta"] = meta
    return in_context(result_reply(work.id, encode_json(members)), context_id)


def _check_declared(request: RpcRequest, publication: Publication) -> None:
    """What is not declared is not there (all revisions, capability negotiation)."""
    if not publication.server.prompts:
        message = "Unknown method: no prompts are declared"
        raise RpcError(METHOD_NOT_FOUND, message, request_id=request.id)


def _listed(prompt: Prompt, revision: Revision) -> Json:
    told: dict[str, object] = {"name": prompt.name, "description": prompt.description}
    if revision.titles and prompt.title:
        told["title"] = prompt.title
    if prompt.arguments:
        told["arguments"] = [_argument(argument) for argument in prompt.arguments]
    return told


def _argument(argument: PromptArgument) -> Json:
    told: dict[str, object] = {"name": argument.name, "required": argument.required}
    if argument.description:
        told["description"] = argument.description
    return told
