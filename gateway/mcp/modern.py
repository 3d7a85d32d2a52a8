"""2026-07-28: each request stands alone and says in `_meta` and headers what it is."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.mcp.capabilities import read_capabilities
from gateway.mcp.completion import complete
from gateway.mcp.decisions import Reply, Subscribe, Task, Work
from gateway.mcp.envelopes import kept_reply, result_reply
from gateway.mcp.errors import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    UNSUPPORTED_VERSION,
    RpcError,
)
from gateway.mcp.header_values import decode_value
from gateway.mcp.inputs import read_retry
from gateway.mcp.json_text import encode_json
from gateway.mcp.jsonrpc import RpcRequest, meta_member
from gateway.mcp.prompts import list_prompts, read_get_prompt
from gateway.mcp.publication import SERVER_INFO, Publication
from gateway.mcp.request_meta import log_level, named_context, progress_token, trace_of
from gateway.mcp.resources import list_resources, list_templates, read_reading
from gateway.mcp.revisions import MODERN_BY_NAME, V2026_07_28
from gateway.mcp.subscriptions import read_subscription
from gateway.mcp.tool_calls import check_parameters, read_call, read_page
from gateway.messages import Headers, header_values

PROTOCOL_VERSION = "io.modelcontextprotocol/protocolVersion"
CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
CLIENT_INFO = "io.modelcontextprotocol/clientInfo"

# Which member of params the Mcp-Name header repeats.
_NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """How the transport stands to a request.

    `routing`: the HTTP headers that must repeat the body, None on stdio. `ambient_id`: the context
    that the operator bound the process to. `cancel_scope` as in Work.
    """

    routing: Headers | None = None
    ambient_id: str | None = None
    cancel_scope: bytes | None = None


def answer_modern(
    request: RpcRequest, stance: Stance, publication: Publication
) -> Reply | Work | Subscribe:
    """The ladder of a modern request; the order of its rungs is the specification.

    Raises RpcError.
    """
    version = _read_envelope(request)
    if stance.routing is not None:
        _check_routing(request, version, stance.routing)
    if version not in MODERN_BY_NAME:
        raise unsupported(request, version)
    method = _METHODS.get(request.method)
    if method is None:
        raise RpcError(
            METHOD_NOT_FOUND, f"Unknown method: {request.method[:200]}", request_id=request.id
        )
    return method(request, stance, publication)


def unsupported(request: RpcRequest, requested: object) -> RpcError:
    """-32022, which tells a client of both eras that this one is modern and what it speaks."""
    return RpcError(
        UNSUPPORTED_VERSION,
        "Unsupported protocol version",
        # The schema of this error wants a string, and an `initialize` may lack one.
        data={
            "supported": list(MODERN_BY_NAME),
            "requested": requested if isinstance(requested, str) else "",
        },
        request_id=request.id,
    )


def claims_modern(params: object) -> bool:
    """Whether a body carries the modern version key, of whatever value."""
    meta = params.get("_meta") if isinstance(params, dict) else None
    return isinstance(meta, dict) and PROTOCOL_VERSION in meta


def _read_envelope(request: RpcRequest) -> str:
    version = meta_member(request.params, PROTOCOL_VERSION)
    if not isinstance(version, str):
        raise _bad_meta(request, PROTOCOL_VERSION, "a string")
    if not isinstance(meta_member(request.params, CLIENT_CAPABILITIES), dict):
        raise _bad_meta(request, CLIENT_CAPABILITIES, "an object")
    return version


def _bad_meta(request: RpcRequest, key: str, shape: str) -> RpcError:
    return RpcError(INVALID_PARAMS, f'params._meta["{key}"] must be {shape}', request_id=request.id)


def _check_routing(request: RpcRequest, version: str, headers: Headers) -> None:
    expected: dict[str, object] = {"MCP-Protocol-Version": version, "Mcp-Method": request.method}
    member = _NAMED_BY.get(request.method)
    if member is not None:
        expected["Mcp-Name"] = request.members.get(member)
    for name, value in expected.items():
        sent = [text.strip(" \t") for text in header_values(headers, name)]
        said = [decode_value(text) if name == "Mcp-Name" else text for text in sent]
        if None in said or said != [value]:
            raise RpcError(
                HEADER_MISMATCH,
                f"Header {name} must be sent once and say what the body says",
                request_id=request.id,
            )


def _discover(request: RpcRequest, _: Stance, publication: Publication) -> Reply:
    server = publication.server
    members = {
        "supportedVersions": list(MODERN_BY_NAME),
        "capabilities": server.capabilities(V2026_07_28),
    }
    result = server.cacheable(members)
    result["_meta"] = {SERVER_INFO: server.implementation(V2026_07_28)}
    return _kept(request, publication, encode_json(result))


def _list_tools(request: RpcRequest, _: Stance, publication: Publication) -> Reply:
    return _kept(request, publication, read_page(request, V2026_07_28, publication))


def _call_tool(request: RpcRequest, stance: Stance, publication: Publication) -> Work:
    call = read_call(request)
    if stance.routing is not None:
        check_parameters(request, call, publication, stance.routing)
    return _work(request, stance, publication, call)


def _list_resources(request: RpcRequest, stance: Stance, publication: Publication) -> Reply:
    in_context = stance.ambient_id is not None
    page = list_resources(request, V2026_07_28, publication, in_context=in_context)
    return _kept(request, publication, page)


def _list_templates(request: RpcRequest, _: Stance, publication: Publication) -> Reply:
    return _kept(request, publication, list_templates(request, V2026_07_28, publication))


def _read_resource(request: RpcRequest, stance: Stance, publication: Publication) -> Work:
    return _work(request, stance, publication, read_reading(request))


def _list_prompts(request: RpcRequest, _: Stance, publication: Publication) -> Reply:
    return _kept(request, publication, list_prompts(request, V2026_07_28, publication))


def _get_prompt(request: RpcRequest, stance: Stance, publication: Publication) -> Work:
    return _work(request, stance, publication, read_get_prompt(request, publication))


def _complete(request: RpcRequest, _: Stance, publication: Publication) -> Reply:
    return result_reply(request.id, complete(request, V2026_07_28, publication))


def _kept(request: RpcRequest, publication: Publication, result: bytes) -> Reply:
    return kept_reply(request.id, result, ttl_ms=publication.ttl_ms())


def _work(request: RpcRequest, stance: Stance, publication: Publication, task: Task) -> Work:
    client = meta_member(request.params, CLIENT_INFO)
    client_name = client.get("name") if isinstance(client, dict) else None
    return Work(
        id=request.id,
        revision=V2026_07_28,
        server=publication.server,
        task=task,
        explicit_id=named_context(request),
        ambient_id=stance.ambient_id,
        agent_hint=client_name if isinstance(client_name, str) else None,
        cancel_scope=stance.cancel_scope,
        ends_with_stream=True,
        progress_token=progress_token(request),
        log_level=log_level(request),
        capabilities=read_capabilities(meta_member(request.params, CLIENT_CAPABILITIES)),
        trace=trace_of(request),
        retry=read_retry(request),
        request=request,
    )


def _subscribe(request: RpcRequest, _: Stance, publication: Publication) -> Subscribe:
    return read_subscription(request, publication.server)


_METHODS: dict[str, Callable[[RpcRequest, Stance, Publication], Reply | Work | Subscribe]] = {
    "server/discover": _discover,
    "tools/list": _list_tools,
    "tools/call": _call_tool,
    "resources/list": _list_resources,
    "resources/templates/list": _list_templates,
    "resources/read": _read_resource,
    "prompts/list": _list_prompts,
    "prompts/get": _get_prompt,
    "completion/complete": _complete,
    "subscriptions/listen": _subscribe,
}
