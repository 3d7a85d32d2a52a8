"""JSON-RPC and MCP error codes, and the HTTP status that each travels with."""

from collections.abc import Mapping

from gateway.errors import GatewayError

RequestId = str | int
"""MCP allows strings and integers only, never null (2025-11-25 basic, 2026-07-28 basic)."""

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
RESOURCE_NOT_FOUND = -32002
"""Of the legacy revisions; 2026-07-28 has INVALID_PARAMS for it."""
HEADER_MISMATCH = -32020
MISSING_CAPABILITY = -32021
UNSUPPORTED_VERSION = -32022

_MODERN_STATUS = {METHOD_NOT_FOUND: 404, INTERNAL_ERROR: 200}
_LEGACY_STATUS = {
    METHOD_NOT_FOUND: 200,
    INVALID_PARAMS: 200,
    INTERNAL_ERROR: 200,
    RESOURCE_NOT_FOUND: 200,
}


class RpcError(GatewayError):
    """A message that MCP answers with an error object.

    `request_id` is None where the id is missing, unreadable or illegal. `http_status` is None where
    era and code decide it.
    """

    code = "mcp_error"
    title = "MCP error"

    def __init__(
        self,
        number: int,
        message: str,
        *,
        data: Mapping[str, object] | None = None,
        request_id: RequestId | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.number = number
        self.data = data
        self.request_id = request_id
        self.http_status = http_status


def status_of(number: int, *, modern: bool) -> int:
    """The HTTP status of an error object (2026-07-28 ties it to the code, earlier eras do not)."""
    return (_MODERN_STATUS if modern else _LEGACY_STATUS).get(number, 400)
