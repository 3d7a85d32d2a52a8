"""What the core decides about a message; the transport carries it out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.catalog import Subject
from gateway.mcp.errors import RequestId
from gateway.mcp.jsonrpc import RpcRequest
from gateway.mcp.publication import Server
from gateway.mcp.revisions import Revision
from gateway.messages import Headers

ProgressToken = str | int | float
"""As the client gave it; it comes back with its JSON type."""


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
class Retry:
    """What a modern client sends along when it was asked for input, neither opened nor checked.

    `responses` is None where it sends none.
    """

    responses: Mapping[str, object] | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTool:
    name: str
    arguments: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResource:
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPrompt:
    name: str
    arguments: Mapping[str, str] = field(repr=False)


Task = CallTool | ReadResource | GetPrompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A request that takes more than the core: its task, and what it says of itself.

    `explicit_id` comes from `_meta` and is header-valid; `ambient_id` is the session's or the
    process's. `cancel_scope` is the space in which a `notifications/cancelled` may name this call,
    None where no notification can; `ends_with_stream`: the client leaving cancels it.
    `log_level` is the least that the client wants to hear, None where its session may know or
    nothing is wanted. `capabilities` are the client's (`capabilities.CAPABILITIES`). `session`
    names the legacy session whose client answers questions of ours. `request` is what a modern
    client has to send again when it has been asked.
    """

    id: RequestId
    revision: Revision
    server: Server
    task: Task
    explicit_id: str | None = None
    ambient_id: str | None = None
    agent_hint: str | None = None
    cancel_scope: bytes | None = None
    ends_with_stream: bool = False
    progress_token: ProgressToken | None = None
    log_level: str | None = None
    capabilities: frozenset[str] = frozenset()
    session: bytes | None = field(default=None, repr=False)
    trace: Headers = ()
    retry: Retry | None = None
    request: RpcRequest | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Stop the call with this id in this scope, if it still runs; there is no answer."""

    scope: bytes
    request_id: RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A client's response to the question `id`, which was asked in the session `session`.

    `result` is None for an error.
    """

    session: bytes
    id: str
    result: Mapping[str, object] | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLevel:
    """From now on the session wants to hear log lines of `level` and above.

    It expires at `until`, seconds since the epoch.
    """

    id: RequestId
    session: bytes = field(repr=False)
    until: float
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The session wants to be told when this resource changes, or, not `wanted`, no more."""

    id: RequestId
    session: bytes = field(repr=False)
    until: float
    uri: str
    wanted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession:
    """The session is no more; it would have expired at `until`."""

    session: bytes = field(repr=False)
    until: float


Single = Reply | Work | Cancel | Answered | SetLevel | Watch
"""What one message may lead to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Members in order; `gateway.mcp.envelopes.join_replies` makes one reply of theirs."""

    members: tuple[Single, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Open an event stream for this session; a newer one of the same session replaces it.

    It ends at `expires_at` (seconds since the epoch), with the session. `is_primed`: it
    begins with an event that has nothing but an id. `last_event_id` is that of an earlier stream.
    """

    scope: bytes
    expires_at: float
    is_primed: bool = False
    last_event_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """Tell a modern client when one of `subjects` changes, until it leaves.

    They are those that it asked for and that can be told (`gateway.mcp.subscriptions`).
    """

    id: RequestId
    server: Server
    subjects: tuple[Subject, ...]


Doable = Single | Batch
"""What a desk can carry out."""

Decision = Doable | Listen | Subscribe
