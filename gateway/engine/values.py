"""What goes into the engine and what comes out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.calls import ToolResult
from gateway.context import InboundContext
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """`headers` are those of the caller that an API's `forward_headers` may let through."""

    name: str
    arguments: Mapping[str, object]
    principal: Principal
    claim: ContextClaim = field(default_factory=ContextClaim)
    api: str | None = None
    headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutcome:
    """`recorded` is false when the context's history could not take the call."""

    result: ToolResult
    context_id: str
    recorded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxiedRequest:
    """`request.head.target` is the part below `/apis/{api}`, raw, starting with `/`."""

    api: str
    request: Request
    principal: Principal
    inbound: InboundContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How current an API's catalog is: since when it is there, and what is wrong with newer text.

    `loaded_at` is None without a catalog; `fault` is fit for every caller.
    """

    loaded_at: datetime | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the engine takes from the world: the time, a stopwatch in seconds, randomness."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    random_bytes: Callable[[int], bytes]
