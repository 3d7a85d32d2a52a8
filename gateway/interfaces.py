"""The extension surface: what stores, a search, an upstream client and telemetry must do."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.catalog import View
from gateway.context import AgentContext, CalledOperation
from gateway.errors import GatewayError
from gateway.messages import Request, Response
from gateway.policy import Principal
from gateway.upstreams import Upstream

MAX_BOARD_BYTES = 1_048_576
"""The longest value that a SessionBoard takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A context as the store holds it. `version` starts at 1 and grows by 1 with each update."""

    context: AgentContext
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Contexts in a stable order, without their histories.

    `next_cursor` is opaque, None at the end. A page may hold fewer than were asked for, or none,
    and still have a next one.
    """

    items: tuple[Stored, ...]
    next_cursor: str | None


class Change(Protocol):
    """A pure step from one state of a context to the next.

    `operation_id` is unique per intended step: the store applies a change once, however often it
    is handed over (a lost reply, a retry). Returning None from `apply` deletes the context.
    """

    @property
    def operation_id(self) -> str: ...

    def apply(self, now: AgentContext | None) -> AgentContext | None: ...


class ContextStore(Protocol):
    """Where contexts live, one per (principal, context id).

    Every method raises StoreUnavailable when the store cannot be reached in time. `update` returns
    only when the new state is stored, and raises VersionConflict when `expected` is given and is
    not the current version (0 = must not exist). `get` may answer from a copy that the store
    confirmed a moment ago, unless `newest` is asked for.
    """

    async def get(
        self, principal: Principal, context_id: str, *, newest: bool = False
    ) -> Stored | None: ...

    async def update(
        self,
        principal: Principal,
        context_id: str,
        change: Change,
        *,
        expected: int | None = None,
    ) -> Stored | None: ...

    async def list(self, principal: Principal, cursor: str | None, limit: int) -> Page: ...

    async def ping(self) -> None: ...

    async def aclose(self) -> None: ...


class SessionBoard(Protocol):
    """What processes that share traffic tell each other about legacy MCP sessions.

    A *page* holds notes by name, a *box* one value that somebody waits for. Everything goes after
    `seconds`, at the earliest; a page may go as a whole, with its latest note. Nothing here is
    worth more than a session: a board may lose it with its process.

    Every method raises StoreUnavailable when the board cannot be reached in time, and
    PayloadTooLarge for a value over MAX_BOARD_BYTES.
    """

    async def note(self, page: str, name: str, value: bytes | None, *, seconds: float) -> None:
        """Puts the note in place of an older one of that name; None takes it away."""
        ...

    async def notes(self, page: str) -> Mapping[str, bytes]: ...

    async def post(self, box: str, value: bytes, *, seconds: float) -> None:
        """Does nothing where the box already holds a value: the first answer is the answer."""
        ...

    async def take(self, box: str, *, seconds: float) -> bytes | None:
        """The value, once; waits so long for it, then None. A box is for one who waits."""
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptResult:
    """A kept body: its Content-Type, its size in bytes, whether it is the whole one."""

    media_type: str
    size: int
    whole: bool


class ResultDraft(Protocol):
    """A body on its way into a ResultStore.

    `append` and `read` raise StoreUnavailable when there is no room, or the place cannot be used.
    `discard` lets go of what was not kept, and may be called at any time and more than once.
    """

    @property
    def size(self) -> int: ...

    async def append(self, data: bytes) -> None: ...

    async def read(self) -> bytes: ...

    async def keep(
        self, principal: Principal, handle: str, *, media_type: str, whole: bool
    ) -> None: ...

    async def discard(self) -> None: ...


class ResultStore(Protocol):
    """Keeps bodies that were too large to be shown, each for one principal and for a while.

    None: there is nothing of this handle for this principal, or no more.
    """

    def draft(self) -> ResultDraft: ...

    async def find(self, principal: Principal, handle: str) -> KeptResult | None: ...

    async def read(
        self, principal: Principal, handle: str, start: int, length: int
    ) -> bytes | None: ...

    async def aclose(self) -> None: ...


class ToolSearch(Protocol):
    """Finds the tools of a view that a question is about."""

    async def find(self, view: View, question: str, *, api: str | None = None) -> tuple[str, ...]:
        """Published names, best first; of one API where it is given.

        Empty where nothing fits, or the question is about nothing.
        """
        ...


class UpstreamClient(Protocol):
    """Sends one request to one upstream.

    Raises UpstreamUnreachable (nothing was sent), UpstreamTimeout or UpstreamError. Leaving the
    context manager before the body's end drops the connection, so the upstream sees the abort.
    """

    def send(
        self, request: Request, upstream: Upstream, *, deadline: float | None
    ) -> AbstractAsyncContextManager[Response]: ...

    async def aclose(self) -> None: ...


class Way(StrEnum):
    """How a call came in."""

    TOOL = "tool"
    PROXY = "proxy"


class CallWatch(Protocol):
    """Is told of one call as it goes; what leaves the context manager is its end.

    Nothing raises or waits. `about` names by the description and the configuration alone; a call
    that never got so far is about nothing.
    """

    def about(self, operation: CalledOperation, /) -> None: ...

    def answered(self, status: int, /) -> None:
        """The API's response head is there."""
        ...

    def failed(self, error: GatewayError, /) -> None:
        """The call has a result all the same."""
        ...


class Telemetry(Protocol):
    """Hears what the gateway does. Nothing here raises or waits."""

    def watching(self, way: Way, rejects: tuple[str, ...], /) -> AbstractContextManager[CallWatch]:
        """`rejects`: why OCP headers of the call were ignored; stable reasons, never values."""
        ...

    def found_invalid(self, operation: CalledOperation, direction: str, mode: str, /) -> None:
        """Proxied traffic that its description does not allow.

        `direction` is `request` or `response`, `mode` is `report` or `enforce`.
        """
        ...
