"""What the core decides about a message; the transport carries it out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.mcp.errors import RequestId
from gateway.mcp.publication import Server
from gateway.mcp.revisions import Revision
from gateway.messages import Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Bytes to send. An empty body means that nothing is said (202 over HTTP, silence on stdio).

    `status` and `headers` are for HTTP; stdio has no use for them.
    """

    status: int = 200
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)


ACCEPTED = Reply(status=202)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTool:
    """A tool to run; `gateway.mcp.results` turns what comes of it into a Reply.

    `explicit_id` comes from `_meta` and is header-valid; `ambient_id` is the session's or the
    process's. `cancel_scope` is the space in which a `notifications/cancelled` may name this call,
    None where no notification can; `ends_with_stream`: the client leaving cancels it.
    """

    id: RequestId
    revision: Revision
    server: Server
    name: str
    arguments: Mapping[str, object] = field(repr=False)
    explicit_id: str | None = None
    ambient_id: str | None = None
    agent_hint: str | None = None
    cancel_scope: bytes | None = None
    ends_with_stream: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Stop the call with this id in this scope, if it still runs; there is no answer."""

    scope: bytes
    request_id: RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Members in order; `gateway.mcp.envelopes.join_replies` makes one reply of theirs."""

    members: tuple[Reply | CallTool | Cancel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Open an event stream for this session; a newer one of the same session replaces it.

    It ends at `expires_at` (seconds since the epoch), with the session.
    """

    scope: bytes
    expires_at: float


Decision = Reply | CallTool | Cancel | Batch
