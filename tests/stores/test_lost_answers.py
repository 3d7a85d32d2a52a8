"""Answers that are lost while other processes write: what a record still names, and what not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.context import AgentContext
from gateway.errors import StoreBusy, StoreUnavailable
from gateway.interfaces import Stored
from gateway.policy import ANONYMOUS
from gateway.stores import StoreLimits
from gateway.stores.record import REMEMBERED_OPERATIONS
from gateway.stores.redis import RedisStore
from gateway.stores.redis_connections import RedisServers, Words
from gateway.stores.redis_servers import connect
from tests.support.contexts import append, tools_of
from tests.support.redis_server import RedisServer

ID = "ocp-00000000"
Hook = Callable[[], Awaitable[object]]


@dataclass
class Interrupted:
    """Servers. The first write is followed by `lost`, then its answer is lost; `next_write` comes
    before the second. With `slow`, the first arrives only before `next_write`.
    """

    servers: RedisServers
    slow: bool = False
    held: Sequence[Words] = ()
    lost: Hook | None = None
    next_write: Hook | None = None
    sent: list[str] = field(default_factory=list)

    async def run(self, commands: Sequence[Words]) -> list[object]:
        self.sent.append(str(commands[0][0]))
        if self.sent[-1] != "EVALSHA" or self.lost is self.next_write is None:
            return await self.servers.run(commands)
        if self.lost is None:
            hook, self.next_write = self.next_write, None
            assert hook is not None
            await self.servers.run(self.held)
            await hook()
            return await self.servers.run(commands)
        hook, self.lost = self.lost, None
        if self.slow:
            self.held = commands
        else:
            await self.servers.run(commands)
        await hook()
        return [RedisConnectionError("lost")] * len(commands)

    async def aclose(self) -> None:
        await self.servers.aclose()


@pytest.fixture
def prefix() -> str:
    return f"test-{uuid4().hex}:"


@pytest.fixture
def servers(redis_server: RedisServer) -> Interrupted:
    return Interrupted(connect(redis_server.url))


@pytest.fixture
async def store(servers: Interrupted, prefix: str) -> AsyncIterator[RedisStore]:
    opened = RedisStore(servers, StoreLimits(), prefix=prefix)
    await opened.update(ANONYMOUS, ID, append("before"))
    yield opened
    await opened.aclose()


@pytest.fixture
async def other(redis_server: RedisServer, prefix: str) -> AsyncIterator[RedisStore]:
    """Another process."""
    opened = RedisStore(connect(redis_server.url), StoreLimits(), prefix=prefix)
    yield opened
    await opened.aclose()


async def write(store: RedisStore, count: int) -> None:
    for number in range(count):
        await store.update(ANONYMOUS, ID, append(f"other{number}"))


async def kept(store: RedisStore) -> AgentContext:
    stored = await store.get(ANONYMOUS, ID, newest=True)
    assert stored is not None
    return stored.context


@pytest.mark.parametrize("between", [0, 5, REMEMBERED_OPERATIONS, 40])
async def test_what_others_have_pushed_out_of_sight_is_refused_and_not_repeated(
    servers: Interrupted, store: RedisStore, other: RedisStore, between: int
) -> None:
    names = [f"call{number}" for number in range(REMEMBERED_OPERATIONS)]
    servers.lost = lambda: write(other, between)
    results = await asyncio.gather(
        *(store.update(ANONYMOUS, ID, append(name)) for name in names), return_exceptions=True
    )
    hidden = min(between, len(names))
    assert [type(result) for result in results] == [StoreBusy] * hidden + [Stored] * (
        len(names) - hidden
    )
    assert tools_of(await kept(other))[: len(names) + 1] == ["before", *names]
    assert len((await kept(other)).history) == 1 + len(names) + between


async def test_whoever_was_recognised_is_not_forgotten_for_those_who_were_not(
    servers: Interrupted, store: RedisStore, other: RedisStore
) -> None:
    late: list[asyncio.Future[Stored | None]] = []

    async def join() -> None:
        late.append(asyncio.ensure_future(store.update(ANONYMOUS, ID, append("late"))))
        await asyncio.sleep(0)

    servers.lost = join
    servers.next_write = lambda: write(other, 40)
    assert await store.update(ANONYMOUS, ID, append("early")) is not None
    assert await late[0] is not None
    assert servers.sent.count("EVALSHA") > 2, "the others came in between"
    names = tools_of(await kept(other))
    assert (names.count("early"), names.count("late"), len(names)) == (1, 1, 43)


async def test_what_nobody_can_tell_is_not_stored_when_it_is_handed_over_again(
    servers: Interrupted, store: RedisStore, other: RedisStore
) -> None:
    change = append("once")
    servers.lost = lambda: write(other, 40)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await store.update(ANONYMOUS, ID, change)
    assert tools_of(await kept(other)).count("once") == 1


@pytest.mark.parametrize("between", [0, 5, 40])
async def test_a_write_that_arrives_after_the_look_for_it_counts_once(
    servers: Interrupted, store: RedisStore, other: RedisStore, between: int
) -> None:
    servers.slow = True
    servers.lost = lambda: write(other, 0)
    servers.next_write = lambda: write(other, between)
    change = append("once")
    if between > REMEMBERED_OPERATIONS:
        with pytest.raises(StoreUnavailable):
            await store.update(ANONYMOUS, ID, change)
    else:
        assert await store.update(ANONYMOUS, ID, change) is not None
    names = tools_of(await kept(other))
    assert (names.count("once"), len(names)) == (1, 2 + between)
