"""One whole request told by its bytes alone, and its refusal: no parser, no task, no object.

Where a refusal costs as much as aiohttp spends on any request, refusing three of four requests
leaves the fourth half of its time. Envoy has such a place for the same reason (its load shed point
`http1_server_abort_dispatch`).
"""

import re
from typing import Final

from gateway.errors import Overloaded
from gateway.mcp import encode_json

RETRY_SECONDS: Final = 1
EXEMPT: Final = ("/healthz", "/readyz", "/metrics", "/admin/")
"""Whoever looks after the gateway is never refused."""

_EXEMPT_TARGETS: Final = tuple(path.encode() for path in EXEMPT)
_BODILESS: Final = frozenset({b"GET", b"DELETE"})
_LENGTH: Final = re.compile(rb"\r\ncontent-length: ?([0-9]{1,7})\r\n")
# What makes more of a request, its answer or its connection than can be told by its end.
_INTRICATE: Final = (
    b"transfer-encoding", b"upgrade", b"expect", b"\r\norigin:", b"\r\nconnection: close",
)  # fmt: skip


def whole_refusal(error: Overloaded) -> bytes:
    """The answer with its head. RFC 9110 section 6.6.1 wants no Date of a 5xx."""
    members = {"type": "about:blank", "title": error.title, "status": error.status}
    body = encode_json({**members, "detail": str(error), "code": error.code})
    lines = (
        "HTTP/1.1 503 Service Unavailable",
        "Content-Type: application/problem+json",
        f"Retry-After: {RETRY_SECONDS}",
        "Server: ocp-gateway",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


def is_one_request(data: bytes) -> bool:
    """Whether this is one request to everybody who can read HTTP/1.1, and nothing but that.

    False where that takes more than a look: such a request is left to the parser.
    """
    end = data.find(b"\r\n\r\n") + 4
    # A line feed alone ends a line for some readers (RFC 9112 section 2.2).
    if end < 4 or data.count(b"\n") != data.count(b"\r\n"):
        return False
    head = data[:end].lower()
    method, _, rest = data[: data.index(b"\r\n")].partition(b" ")
    target, _, version = rest.partition(b" ")
    if version != b"HTTP/1.1" or target.startswith(_EXEMPT_TARGETS):
        return False
    if any(word in head for word in _INTRICATE):
        return False
    if b"content-length" not in head:
        return method in _BODILESS and len(data) == end
    found = _LENGTH.findall(head)
    is_measured = head.count(b"content-length") == len(found) == 1
    return is_measured and len(data) == end + int(found[0])
