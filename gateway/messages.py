"""HTTP messages as values: heads that the core decides about, bodies that only pass by."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

Headers = tuple[tuple[str, str], ...]
"""Name and value pairs in wire order, names as received. Values are Latin-1 text (RFC 9110 5.5)."""


IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods that may be repeated (RFC 9110 section 9.2.2), but for TRACE, which is never sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHead:
    """`target` is in origin form (RFC 9112 3.2.1), percent-encoded ASCII, never re-normalised."""

    method: str
    target: str
    headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseHead:
    status: int
    headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to an upstream. A streamed body can be sent once only, so it is never retried.

    `websocket`: the connection shall become a WebSocket (RFC 6455 section 4.1).
    """

    head: RequestHead
    body: bytes | AsyncIterator[bytes] | None = None
    websocket: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An upstream's answer; `body` yields chunks as they arrive, content codings untouched.

    Where the connection has become a WebSocket, `body` is what comes of it, and `send` what goes:
    it waits for room, and raises UpstreamError once nobody takes anything any more.
    """

    head: ResponseHead
    body: AsyncIterator[bytes] = field(repr=False)
    send: Callable[[bytes], Awaitable[None]] | None = field(default=None, repr=False)


def header_values(headers: Headers, name: str) -> tuple[str, ...]:
    """Every value of the header `name` (any case), in order."""
    wanted = name.lower()
    # A list takes half the time of a generator, and a request asks some twenty times.
    return tuple([value for key, value in headers if key.lower() == wanted])


def header(headers: Headers, name: str) -> str | None:
    """The first value of the header `name`, or None."""
    values = header_values(headers, name)
    return values[0] if values else None


# RFC 9110 section 7.6.1, and what older intermediaries treat alike.
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"}
    | {"te", "trailer", "transfer-encoding", "upgrade", "http2-settings"}
)


def end_to_end(headers: Headers) -> Headers:
    """`headers` without those of one connection, the ones that `Connection` names included."""
    named = {
        token.strip().lower()
        for value in header_values(headers, "connection")
        for token in value.split(",")
    }
    dropped = _HOP_BY_HOP | named
    return tuple((name, value) for name, value in headers if name.lower() not in dropped)


def as_utf8(value: str) -> str:
    """A header value (Latin-1 text) as an HTTP library that writes UTF-8 must be handed it.

    Bytes that are UTF-8 leave as they came. Others cannot: their characters leave as UTF-8.
    """
    try:
        return value if value.isascii() else value.encode("latin-1").decode()
    except UnicodeError:
        return value


_DOTS = frozenset({".", ".."})
_MAX_DECODINGS = 8


def has_dot_segment(path: str) -> bool:
    """Whether some server would see `.` or `..` as a segment of this raw path.

    Some decode `%2f` and `%5c` before they split, some decode twice, some drop `;...` from a
    segment first. A path that is encoded more often than anyone has reason to counts as well.
    """
    for _ in range(_MAX_DECODINGS):
        if any(segment.partition(";")[0] in _DOTS for segment in re.split(r"[/\\]", path)):
            return True
        decoded = unquote(path)
        if decoded == path:
            return False
        path = decoded
    return True
