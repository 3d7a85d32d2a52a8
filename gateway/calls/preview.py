"""A request as it can be shown: what a tool call would send, without what is secret in it."""

from collections.abc import Container
from dataclasses import dataclass

from gateway.messages import Headers, Request

HIDDEN = "***"
MAX_SHOWN = 65_536
"""Bytes of a body that a preview holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyPreview:
    """The first `MAX_SHOWN` bytes of a body of `size` bytes; `text` where they are UTF-8."""

    size: int
    data: bytes
    text: str | None

    @property
    def is_whole(self) -> bool:
        return len(self.data) == self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A request that is not sent. `hidden` are the names of the headers whose value is not shown.

    `headers` lack what belongs to the connection: Host, Content-Length, User-Agent.
    """

    method: str
    url: str
    headers: Headers
    hidden: tuple[str, ...]
    body: BodyPreview | None


def preview_request(request: Request, *, origin: str, shown: Container[str]) -> Preview:
    """What `request`, to `origin`, looks like.

    `shown` has the lower-case names of the headers whose value is no secret to the caller.
    """
    hidden = [name for name, _ in request.head.headers if name.lower() not in shown]
    return Preview(
        method=request.head.method,
        url=origin + request.head.target,
        headers=tuple(
            (name, value if name.lower() in shown else _hidden(name, value))
            for name, value in request.head.headers
        ),
        hidden=tuple(dict.fromkeys(hidden)),
        body=_body(request.body) if isinstance(request.body, bytes) else None,
    )


def _hidden(name: str, value: str) -> str:
    # How much of the context is sent is worth knowing; the length of a secret is not.
    return f"{HIDDEN} ({len(value)} bytes)" if name.lower().startswith("ocp-") else HIDDEN


def _body(body: bytes) -> BodyPreview:
    data = body[:MAX_SHOWN]
    if len(data) < len(body):
        data = _up_to_character(data)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return BodyPreview(size=len(body), data=body[:MAX_SHOWN], text=None)
    return BodyPreview(size=len(body), data=data, text=text)


def _up_to_character(data: bytes) -> bytes:
    """`data` without a character that its end cuts, if it is UTF-8 (RFC 3629 section 3)."""
    for size in range(1, min(4, len(data)) + 1):
        if data[-size] & 0xC0 != 0x80:
            whole = data[-size] < 0x80
            return data if whole else data[:-size]
    return data
