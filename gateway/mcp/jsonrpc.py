"""JSON-RPC 2.0 messages as MCP narrows them."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.mcp.errors import INVALID_PARAMS, INVALID_REQUEST, RequestId, RpcError
from gateway.mcp.json_text import parse_json


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcRequest:
    """`params` is whatever stood there, None for nothing; `members` narrows it."""

    id: RequestId
    method: str
    params: object = None

    @property
    def members(self) -> Mapping[str, object]:
        """The params by name; absent or null counts as empty. Raises RpcError (-32602)."""
        if self.params is None:
            return {}
        if isinstance(self.params, dict):
            return self.params
        raise RpcError(INVALID_PARAMS, "params must be an object", request_id=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    method: str
    params: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A client's response to a request of the server's; `result` is None for an error."""

    id: object
    result: object = None


Message = RpcRequest | Notification | Answer


def read_message(value: object) -> Message:
    """One member of a batch or a whole body as a message. Raises RpcError (-32600).

    A notification is a message without the *key* `id` (JSON-RPC 2.0 section 4.1); an id of null is
    a request with an illegal id.
    """
    if not isinstance(value, dict):
        raise RpcError(INVALID_REQUEST, "A message must be a JSON object")
    request_id = legal_id(value.get("id"))
    if value.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, 'jsonrpc must be "2.0"', request_id=request_id)
    if "method" not in value and ("result" in value or "error" in value):
        # Never both (JSON-RPC 2.0 section 5). Where they are, nobody has said yes to anything.
        is_error = value.get("error") is not None
        return Answer(id=value.get("id"), result=None if is_error else value.get("result"))
    if "id" in value and request_id is None:
        raise RpcError(INVALID_REQUEST, "id must be a string or an integer")
    method = value.get("method")
    if not isinstance(method, str):
        raise RpcError(INVALID_REQUEST, "method must be a string", request_id=request_id)
    if request_id is None:
        return Notification(method=method, params=value.get("params"))
    return RpcRequest(id=request_id, method=method, params=value.get("params"))


def id_in(data: bytes | None) -> RequestId | None:
    """The id that an answer to this text has to name, None where there is none to be had."""
    try:
        value = None if data is None else parse_json(data)
    except RpcError:
        return None
    return legal_id(value.get("id")) if isinstance(value, dict) else None


def legal_id(value: object) -> RequestId | None:
    """The id, or None if MCP does not allow it (`True` is an int to Python, not to JSON)."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    return None


def meta_member(params: object, key: str) -> object:
    """`params._meta[key]`, or None where any step is missing."""
    if not isinstance(params, dict):
        return None
    meta = params.get("_meta")
    return meta.get(key) if isinstance(meta, dict) else None
