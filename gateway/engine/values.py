"""What goes into the engine and what comes out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gateway.calls import Content, LogLine, Progress, Resource, Rest, ToolResult
from gateway.catalog import Role
from gateway.context import InboundContext
from gateway.errors import CannotAsk
from gateway.forwarding import Provenance
from gateway.messages import Headers, Request
from gateway.policy import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextClaim:
    """Which context a call says it belongs to; all ids are header-valid.

    `explicit_id` comes from `_meta`, `inbound` from the headers, `argument_id` from the context
    argument, `ambient_id` from a legacy MCP session or the stdio process. `agent_hint` is the MCP
    client's own name.
    """

    inbound: InboundContext = field(default_factory=InboundContext)
    explicit_id: str | None = None
    argument_id: str | None = None
    ambient_id: str | None = None
    agent_hint: str | None = None

    @property
    def named_id(self) -> str | None:
        """The first one that is there, None where the call names no context."""
        return self.explicit_id or self.inbound.context_id or self.argument_id or self.ambient_id


class Listener(Protocol):
    """Who hears of a call while it runs. Both may wait for room; neither raises."""

    async def progress(self, progress: Progress) -> None: ...

    async def log(self, line: LogLine) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """Answers by the key of their question. `state` is None for answers that nobody asked for."""

    responses: Mapping[str, object] = field(repr=False)
    state: Mapping[str, object] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who calls, and how.

    `api`: the view, None for all APIs. `headers` are those of the caller that an API's
    `forward_headers` may let through, `trace` those of the W3C Trace Context. `abilities`: what the
    caller can be told and asked for now: `progress`, `log`, `elicitation.form`, `elicitation.url`,
    `sampling`, `sampling.tools`, `roots`.
    """

    principal: Principal
    claim: ContextClaim = field(default_factory=ContextClaim)
    api: str | None = None
    headers: Headers = ()
    trace: Headers = ()
    abilities: frozenset[str] = frozenset()
    listener: Listener | None = None
    continuation: Continuation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall(Call):
    """`consent`: the digest of the very arguments that the caller agrees to.

    `declared`: the configuration names the tool, not the caller; then the hidden ones are there,
    and every API's.
    """

    name: str
    arguments: Mapping[str, object]
    consent: str | None = None
    declared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceCall(Call):
    """Somebody wants to read what is at `uri`."""

    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptCall(Call):
    """Somebody wants a prompt, with these values for its arguments."""

    name: str
    arguments: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutcome:
    """`recorded` is false when the context's history could not take the call."""

    result: ToolResult
    context_id: str
    recorded: bool


class AskedInVain(CannotAsk):
    """The API asks what its caller cannot be asked. The call was tried: `result` says the same.

    `recorded` as in CallOutcome, once the call is over.
    """

    def __init__(self, result: ToolResult, missing: frozenset[str]) -> None:
        super().__init__(
            f"the client cannot be asked for {', '.join(sorted(missing))}", missing=missing
        )
        self.result = result
        self.recorded = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceOutcome:
    """`contents` is never empty. `is_private`: others would be shown something else.

    `context_id` is that of the tool call behind it, None where there was none; `recorded` as in
    CallOutcome. `rest` is where a part of something larger goes on.
    """

    contents: tuple[Resource, ...]
    is_private: bool = False
    context_id: str | None = None
    recorded: bool = True
    rest: Rest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptOutcome:
    """Messages as roles with their content; `context_id` and `recorded` as in ResourceOutcome."""

    description: str
    messages: tuple[tuple[Role, Content], ...]
    context_id: str | None = None
    recorded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxiedRequest:
    """`request.head.target` is the part below `/apis/{api}`, raw, starting with `/`.

    Its headers are without what authenticated the caller; `is_open`: nothing has to.
    """

    api: str
    request: Request
    principal: Principal
    inbound: InboundContext
    provenance: Provenance = field(default_factory=Provenance)
    is_open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How current an API's catalog is: since when it is there, and what is wrong with newer text.

    `loaded_at` is None without a catalog; `fault` is fit for every caller. `due`: when its source
    is read again, as seconds of the gateway's stopwatch; None if that may be at any moment.
    """

    loaded_at: datetime | None = None
    fault: str | None = None
    due: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the engine takes from the world: the time, a stopwatch in seconds, randomness."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    random_bytes: Callable[[int], bytes]
