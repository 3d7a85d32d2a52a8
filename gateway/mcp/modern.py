"""2026-07-28: each request stands alone and says in `_meta` and headers what it is."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass

from gateway.mcp.decisions import CallTool, Reply
from gateway.mcp.envelopes import result_reply
from gateway.mcp.errors import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    UNSUPPORTED_VERSION,
    RpcError,
)
from gateway.mcp.json_text import encode_json
from gateway.mcp.jsonrpc import RpcRequest, meta_member
from gateway.mcp.publication import Publication
from gateway.mcp.revisions import MODERN_BY_NAME, V2026_07_28
from gateway.mcp.tool_calls import named_context, read_call, read_page
from gateway.messages import Headers, header_values

PROTOCOL_VERSION = "io.modelcontextprotocol/protocolVersion"
CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
CLIENT_INFO = "io.modelcontextprotocol/clientInfo"

# Which member of params the Mcp-Name header repeats.
_NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}

_SENTINEL = ("=?base64?", "?=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """How the transport stands to a request.

    `routing`: the HTTP headers that must repeat the body, None on stdio. `ambient_id`: the context
    that the operator bound the process to. `cancel_scope` as in CallTool.
    """

    routing: Headers | None = None
    ambient_id: str | None = None
    cancel_scope: bytes | None = None


def answer_modern(
    request: RpcRequest, stance: Stance, publication: Publication
) -> Reply | CallTool:
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
        data={"supported": list(MODERN_BY_NAME), "requested": requested},
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
        if name == "Mcp-Name":
            sent = [_decode_sentinel(text, request) for text in sent]
        if sent != [value]:
            raise RpcError(
                HEADER_MISMATCH,
                f"Header {name} must be sent once and say what the body says",
                request_id=request.id,
            )


def _decode_sentinel(text: str, request: RpcRequest) -> str:
    """The value behind `=?base64?...?=`; anything without both marks is literal."""
    start, end = _SENTINEL
    if not (text.startswith(start) and text.endswith(end) and len(text) >= len(start + end)):
        return text
    coded = text[len(start) : -len(end)]
    try:
        raw = b64decode(coded, validate=True)
        decoded = raw.decode()
    except ValueError:
        raw, decoded = b"", ""
    if b64encode(raw).decode() != coded:
        raise RpcError(
            HEADER_MISMATCH, "Header Mcp-Name is not valid base64", request_id=request.id
        )
    return decoded


def _discover(request: RpcRequest, _: Stance, publication: Publication) -> Reply:
    server = publication.server
    members = {"supportedVersions": list(MODERN_BY_NAME), "capabilities": {"tools": {}}}
    return result_reply(request.id, encode_json(server.cacheable(members)))


def _list_tools(request: RpcRequest, _: Stance, publication: Publication) -> Reply:
    return result_reply(request.id, read_page(request, V2026_07_28, publication))


def _call_tool(request: RpcRequest, stance: Stance, publication: Publication) -> CallTool:
    name, arguments = read_call(request)
    client = meta_member(request.params, CLIENT_INFO)
    client_name = client.get("name") if isinstance(client, dict) else None
    return CallTool(
        id=request.id,
        revision=V2026_07_28,
        server=publication.server,
        name=name,
        arguments=arguments,
        explicit_id=named_context(request),
        ambient_id=stance.ambient_id,
        agent_hint=client_name if isinstance(client_name, str) else None,
        cancel_scope=stance.cancel_scope,
        ends_with_stream=True,
    )


_METHODS: dict[str, Callable[[RpcRequest, Stance, Publication], Reply | CallTool]] = {
    "server/discover": _discover,
    "tools/list": _list_tools,
    "tools/call": _call_tool,
}
