"""Replicas whose clocks are an hour apart, and contexts that end amid an update."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from gateway.context import RecordCall, rfc3339
from gateway.interfaces import ContextStore, Stored
from gateway.policy import ANONYMOUS
from gateway.stores import SqliteStore, StoreLimits
from gateway.stores.redis import RedisStore
from gateway.stores.redis_servers import connect
from tests.support.contexts import NOW, append, delete, opened, tools_of
from tests.support.fault_proxy import FaultProxy, Strike, fault_proxy
from tests.support.redis_server import RedisServer, start_redis

ID = "ocp-00000000"
SKEWS = (0.0, 3_600.0, -3_600.0)
LIMITS = StoreLimits(ttl_seconds=86_400, new_ttl_seconds=86_400)
START = 1_800_000_000.0


class Clock:
    """A replica's clock."""

    def __init__(self, skew: float) -> None:
        self.now = START + skew

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with start_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture(params=["sqlite", "redis"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Clock], ContextStore]:
    """One more replica on the same data."""
    if request.param == "sqlite":
        return lambda clock: SqliteStore(tmp_path / "contexts.db", LIMITS, clock=clock)
    server = request.getfixturevalue("redis")
    assert isinstance(server, RedisServer)
    return lambda clock: RedisStore(connect(server.url), LIMITS, clock=clock)


@pytest.fixture
def clocks() -> list[Clock]:
    return [Clock(skew) for skew in SKEWS]


@pytest.fixture
async def replicas(
    make: Callable[[Clock], ContextStore], clocks: list[Clock]
) -> AsyncIterator[list[ContextStore]]:
    async with AsyncExitStack() as stack:
        stores = [make(clock) for clock in clocks]
        for store in stores:
            stack.push_async_callback(store.aclose)
        yield stores


def entry_at(name: str, skew: float) -> RecordCall:
    """What a replica with that clock appends."""
    change = append(name)
    moment = rfc3339(NOW + timedelta(seconds=skew))
    return replace(change, entry=replace(change.entry, timestamp=moment))


async def test_order_is_that_of_versions_and_last_updated_never_goes_back(
    replicas: list[ContextStore],
) -> None:
    states: list[Stored] = []

    async def write(store: ContextStore, skew: float) -> None:
        for number in range(20):
            stored = await store.update(ANONYMOUS, ID, entry_at(f"{skew}-{number}", skew))
            assert stored is not None
            states.append(stored)

    async with asyncio.TaskGroup() as group:
        for store, skew in zip(replicas, SKEWS, strict=True):
            group.create_task(write(store, skew))

    states.sort(key=lambda stored: stored.version)
    assert [stored.version for stored in states] == list(range(1, 61))
    last = states[-1].context.history
    assert all(stored.context.history == last[: stored.version] for stored in states)
    moments = [stored.context.last_updated for stored in states]
    assert moments == sorted(moments)


async def test_what_is_deleted_stays_deleted_whatever_the_clocks_say(
    replicas: list[ContextStore], clocks: list[Clock]
) -> None:
    for store in replicas:
        await store.update(ANONYMOUS, ID, append())
    for deleter, other in ((1, 2), (2, 1), (0, 1)):
        assert await replicas[other].get(ANONYMOUS, ID, newest=True) is not None
        await replicas[deleter].update(ANONYMOUS, ID, delete())
        late = replace(append("late"), fresh=None)
        assert await replicas[other].update(ANONYMOUS, ID, late) is None
        assert await replicas[other].get(ANONYMOUS, ID, newest=True) is None
        assert await replicas[other].update(ANONYMOUS, ID, append("anew")) is not None


@pytest.mark.parametrize("jump", [3_600.0, -3_600.0], ids=["forward", "back"])
async def test_a_clock_that_jumps_loses_nothing(
    replicas: list[ContextStore], clocks: list[Clock], jump: float
) -> None:
    for number in range(4):
        clocks[number % 2].now += jump if number == 2 else 1
        for store in replicas[:2]:
            assert await store.update(ANONYMOUS, ID, append(f"call{number}")) is not None
    for store in replicas[:2]:
        stored = await store.get(ANONYMOUS, ID, newest=True)
        assert stored is not None
        assert tools_of(stored.context) == [f"call{n // 2}" for n in range(8)]


async def test_the_clock_of_redis_says_how_long_a_context_lives(redis: RedisServer) -> None:
    for skew in SKEWS:
        store = RedisStore(connect(redis.url), LIMITS, clock=Clock(skew))
        await store.update(ANONYMOUS, ID, append())
        await store.aclose()
        with Redis(port=redis.port) as client:
            keys = list(client.scan_iter("*"))
            assert keys
            lives = [client.pttl(key) for key in keys]
        assert all(0 < milliseconds <= 86_400_000 for milliseconds in lives)


@pytest.mark.parametrize("begins", [True, False], ids=["may_begin_one", "had_read_one"])
async def test_a_context_that_ends_amid_an_update_begins_anew_or_not_at_all(
    redis: RedisServer, begins: bool
) -> None:
    async with fault_proxy(redis.port) as proxy, opened(proxy.url) as store:
        await store.update(ANONYMOUS, ID, append("before"))
        _end_before_write(proxy, redis)
        change = append("after") if begins else replace(append("after"), fresh=None)
        stored = await store.update(ANONYMOUS, ID, change)
        kept = await store.get(ANONYMOUS, ID, newest=True)
    assert kept == stored
    assert (tools_of(stored.context) if stored else []) == (["after"] if begins else [])


def _end_before_write(proxy: FaultProxy, redis: RedisServer) -> None:
    """The context expires between the store's look at it and its next write."""

    def choose(message: bytes) -> Strike | None:
        if b"EVAL" in message:
            proxy.choose = lambda _message: None
            with Redis(port=redis.port) as client:
                assert client.delete(*client.scan_iter(f"*context:{ID}")) == 1
        return None

    proxy.choose = choose
