"""A Gateway with everything around it in the test's hands."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count

from gateway.catalog import NO_ADDITIONS, Additions, Catalog
from gateway.context import AgentContext
from gateway.engine import Gateway, Surroundings, make_additions
from gateway.errors import GatewayError, StoreUnavailable, UpstreamError
from gateway.interfaces import Change, ContextStore, Page, Stored, UpstreamClient
from gateway.messages import Headers, Request, Response, ResponseHead
from gateway.policy import ANONYMOUS, Principal
from gateway.search import FullTextSearch
from gateway.stores import MemoryStore, StoreLimits
from gateway.upstreams import OcpHeaders, Upstream
from tests.support.tools import DONE, TEXT, api_of, parameter

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LIMITS = StoreLimits(ttl_seconds=1000, new_ttl_seconds=1000, max_contexts_per_principal=100)
ITEM = parameter("id", "path", TEXT)
SHOP = api_of(
    {
        "/items": {
            "get": {"operationId": "listItems", "parameters": [parameter("q", "query", TEXT)]},
            "post": {
                "operationId": "addItem",
                "requestBody": {"content": {"application/json": {"schema": {}}}},
            },
        },
        "/items/{id}": {
            "parameters": [ITEM, parameter("X-Note", "header", TEXT)],
            "get": {"operationId": "getItem", "responses": DONE},
        },
    },
    name="shop",
)
UPSTREAM = Upstream(
    name="shop", origin="http://shop.test", base_path="/v1", ocp_headers=OcpHeaders.FULL
)

Behave = Callable[[Request], "Answer | Exception"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`breaks` is raised after the chunks; `hold` is waited for before the head.

    `stalls` is set after the chunks, and then nothing comes any more.
    """

    status: int = 200
    headers: Headers = (("Content-Type", "application/json"),)
    chunks: tuple[bytes, ...] = (b"{}",)
    breaks: Exception | None = None
    hold: asyncio.Event | None = None
    stalls: asyncio.Event | None = None


@dataclass(slots=True)
class FakeClient:
    """An UpstreamClient that answers `answer` and remembers what it was asked."""

    answer: Answer | Exception | Behave = field(default_factory=Answer)
    requests: list[Request] = field(default_factory=list)
    deadlines: list[float | None] = field(default_factory=list)
    upstreams: list[Upstream] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False

    @asynccontextmanager
    async def send(
        self, request: Request, upstream: Upstream, *, deadline: float | None
    ) -> AsyncIterator[Response]:
        self.requests.append(request)
        self.deadlines.append(deadline)
        self.upstreams.append(upstream)
        self.asked.set()
        answer = self.answer(request) if callable(self.answer) else self.answer
        if isinstance(answer, Exception):
            raise answer
        if answer.hold is not None:
            await answer.hold.wait()
        head = ResponseHead(status=answer.status, headers=answer.headers)
        yield Response(head=head, body=_body(answer))

    async def aclose(self) -> None:
        self.closed = True

    @property
    def last(self) -> Headers:
        return self.requests[-1].head.headers


async def _body(answer: Answer) -> AsyncIterator[bytes]:
    for chunk in answer.chunks:
        yield chunk
    if answer.breaks is not None:
        raise answer.breaks
    if answer.stalls is not None:
        answer.stalls.set()
        await asyncio.Event().wait()


class StoreWithSwitch:
    """A memory store that a test can switch off; counts what it was asked for.

    While `refusal` is set it can be read, and every update raises it.
    """

    def __init__(self) -> None:
        self.inner = MemoryStore(LIMITS)
        self.up = True
        self.refusal: GatewayError | None = None
        self.asked = 0
        self.hold: asyncio.Event | None = None
        self.writing = asyncio.Event()

    async def get(
        self, principal: Principal, context_id: str, *, newest: bool = False
    ) -> Stored | None:
        self._check()
        return await self.inner.get(principal, context_id, newest=newest)

    async def update(
        self,
        principal: Principal,
        context_id: str,
        change: Change,
        *,
        expected: int | None = None,
    ) -> Stored | None:
        self._check()
        self.writing.set()
        if self.refusal is not None:
            raise self.refusal
        if self.hold is not None:
            await self.hold.wait()
        return await self.inner.update(principal, context_id, change, expected=expected)

    async def list(self, principal: Principal, cursor: str | None, limit: int) -> Page:
        self._check()
        return await self.inner.list(principal, cursor, limit)

    async def ping(self) -> None:
        self._check()

    async def aclose(self) -> None:
        self.up = False

    def _check(self) -> None:
        self.asked += 1
        if not self.up:
            raise StoreUnavailable("down")


@dataclass(slots=True, kw_only=True)
class Stage:
    gateway: Gateway
    client: FakeClient
    store: StoreWithSwitch

    async def context(
        self, context_id: str, principal: Principal = ANONYMOUS
    ) -> AgentContext | None:
        stored = await self.store.inner.get(principal, context_id)
        return stored.context if stored else None

    async def stored(self) -> tuple[AgentContext, ...]:
        page = await self.store.inner.list(ANONYMOUS, None, 100)
        return tuple(item.context for item in page.items)

    async def entries(self, context_id: str) -> list[tuple[str, str | None, str | None]]:
        context = await self.context(context_id)
        history = context.history if context else ()
        return [(entry.action, entry.api_endpoint, entry.result) for entry in history]


def stage(**changes: object) -> Stage:
    """A gateway in front of the shop; `changes` are to its Upstream."""
    return _stage(changes, NO_ADDITIONS)


def publishing_stage(**changes: object) -> Stage:
    """As `stage`, with the context argument and the tools for contexts."""
    return _stage(changes, make_additions(context_argument=True))


def searching_stage(*, context_argument: bool = False) -> Stage:
    """As `stage`, with the tools that find and call all others."""
    return _stage({}, make_additions(instead=True, context_argument=context_argument))


def _stage(changes: Mapping[str, object], additions: Additions) -> Stage:
    client, store = FakeClient(), StoreWithSwitch()
    upstreams = {"shop": replace(UPSTREAM, **changes)}  # type: ignore[arg-type]
    gateway = gateway_with(client, store, upstreams, additions=additions)
    return Stage(gateway=gateway, client=client, store=store)


def gateway_with(
    client: UpstreamClient,
    store: ContextStore,
    upstreams: Mapping[str, Upstream],
    *,
    additions: Additions = NO_ADDITIONS,
    confirm_destructive: bool = False,
) -> Gateway:
    ticks = count()
    return Gateway(
        catalog=Catalog([SHOP]),
        upstreams=upstreams,
        store=store,
        client=client,
        surroundings=Surroundings(
            now=lambda: NOW,
            monotonic=lambda: next(ticks) / 8,
            random_bytes=lambda size: next(ticks).to_bytes(size, "big"),
        ),
        max_history=5,
        additions=additions,
        search=FullTextSearch() if additions.instead else None,
        confirm_destructive=confirm_destructive,
    )


def broken(error: type[UpstreamError]) -> UpstreamError:
    return error("shop failed")
