"""HTTP messages as values: heads that the core decides about, bodies that only pass by."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

Headers = tuple[tuple[str, str], ...]
"""Name and value pairs in wire order, names as received. Values are Latin-1 text (RFC 9110 5.5)."""


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
    """A request to an upstream. A streamed body can be sent once only, so it is never retried."""

    head: RequestHead
    body: bytes | AsyncIterator[bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An upstream's answer; `body` yields chunks as they arrive, content codings untouched."""

    head: ResponseHead
    body: AsyncIterator[bytes] = field(repr=False)


def header_values(headers: Headers, name: str) -> tuple[str, ...]:
    """Every value of the header `name` (any case), in order."""
    wanted = name.lower()
    return tuple(value for key, value in headers if key.lower() == wanted)


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
