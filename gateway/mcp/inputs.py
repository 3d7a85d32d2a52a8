"""What a modern client sends along once it was asked for input (2026-07-28, MRTR)."""

from gateway.catalog import digest_of
from gateway.mcp.decisions import Retry
from gateway.mcp.errors import INVALID_PARAMS, RpcError
from gateway.mcp.jsonrpc import RpcRequest

_OF_THE_ROUND = ("_meta", "inputResponses", "requestState")


def read_retry(request: RpcRequest) -> Retry | None:
    """The answers and the state, None for a first request. Raises RpcError (-32602).

    Answers alone are legal: a tool that keeps no state asks without one.
    """
    members = request.members
    responses, state = members.get("inputResponses"), members.get("requestState")
    if not (isinstance(responses, dict) or "inputResponses" not in members):
        raise _bad(request, "inputResponses", "an object")
    if not (isinstance(state, str) or "requestState" not in members):
        raise _bad(request, "requestState", "a string")
    if responses is None and state is None:
        return None
    return Retry(
        responses=responses if isinstance(responses, dict) else None,
        state=state if isinstance(state, str) else None,
    )


def digest_of_params(request: RpcRequest) -> str:
    """Of the method and the parameters that are the same in every round."""
    kept = {name: v for name, v in request.members.items() if name not in _OF_THE_ROUND}
    return digest_of([request.method, kept])


def _bad(request: RpcRequest, member: str, shape: str) -> RpcError:
    return RpcError(INVALID_PARAMS, f"params.{member} must be {shape}", request_id=request.id)
