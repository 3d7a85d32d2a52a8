"""A Redis that refuses, is silent or speaks nonsense is unavailable, until it is well again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from uuid import uuid4

import pytest

from gateway.errors import StoreUnavailable
from gateway.interfaces import Change, ContextStore, Stored
from gateway.policy import ANONYMOUS
from gateway.stores import StoreLimits
from gateway.stores.redis import UPDATE_SECONDS, RedisStore
from gateway.stores.redis_servers import connect
from tests.support.contexts import append, tools_of
from tests.support.faulty_redis import CLOSE, HANG_UP_WITHIN, SILENCE, FaultyRedis, faulty_redis
from tests.support.redis_server import RedisServer

ID = "ocp-00000000"
PASSWORD = "an%20ACL%20user's"  # noqa: S105 - of a throw-away server

FAULTS = {
    "loading": b"-LOADING Redis is loading the dataset in memory\r\n",
    "readonly": b"-READONLY You can't write against a read only replica.\r\n",
    "out_of_memory": b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    "no_disk": b"-MISCONF Redis is configured to save RDB snapshots\r\n",
    "not_authenticated": b"-NOAUTH Authentication required.\r\n",
    "wrong_password": b"-WRONGPASS invalid username-password pair: an ACL user's\r\n",
    "forbidden": b"-NOPERM this user has no permissions to run the 'getrange' command\r\n",
    "no_master": b"-MASTERDOWN Link with MASTER is down\r\n",
    "too_few_replicas": b"-NOREPLICAS Not enough good replicas to write.\r\n",
    "busy": b"-BUSY Redis is busy running a script.\r\n",
    "moved_to_nowhere": b"-MOVED 1 127.0.0.1:1\r\n",
    "ask_nowhere": b"-ASK 1 127.0.0.1:1\r\n",
    "cluster_down": b"-CLUSTERDOWN The cluster is down\r\n",
    "try_again": b"-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
    "no_redis": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "closed": CLOSE,
    "half_open": HANG_UP_WITHIN,
    "silent": SILENCE,
}


@pytest.fixture
async def faulty(redis_user: str, redis_server: RedisServer) -> AsyncIterator[FaultyRedis]:
    async with faulty_redis(redis_server.port) as faults:
        yield faults


@pytest.fixture
async def store(
    faulty: FaultyRedis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ContextStore]:
    monkeypatch.setattr("gateway.stores.redis_servers.OPERATION_SECONDS", 0.2)
    servers = connect(f"redis://gateway:{PASSWORD}@127.0.0.1:{faulty.port}")
    opened = RedisStore(servers, StoreLimits(), prefix=f"ocp-gateway:{uuid4().hex}:")
    yield opened
    await opened.aclose()


def attempts(store: ContextStore) -> list[Awaitable[object]]:
    return [
        store.get(ANONYMOUS, ID, newest=True),
        store.update(ANONYMOUS, ID, append("lost")),
        store.list(ANONYMOUS, None, 10),
        store.ping(),
    ]


async def stubborn(store: ContextStore, change: Change) -> Stored:
    """Once it is stored: a busy machine may be slower than these tests' short patience."""
    async with asyncio.timeout(10):
        while True:
            with suppress(StoreUnavailable):
                stored = await store.update(ANONYMOUS, ID, change)
                assert stored is not None
                return stored


async def is_refused(attempt: Awaitable[object]) -> None:
    with pytest.raises(StoreUnavailable) as failure:
        await attempt
    told = f"{failure.value!r} {failure.value.__cause__!r}"
    assert "127.0.0.1" not in str(failure.value)
    assert "ACL user" not in str(failure.value)
    assert PASSWORD not in told


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("known", [False, True], ids=["at_first", "later"])
async def test_a_fault_is_unavailability_and_passes(
    store: ContextStore, faulty: FaultyRedis, fault: bytes, known: bool
) -> None:
    if known:
        await stubborn(store, append("before"))
    faulty.fault = fault
    for attempt in attempts(store):
        async with asyncio.timeout(UPDATE_SECONDS):
            await is_refused(attempt)
    faulty.fault = None
    stored = await stubborn(store, append("after"))
    assert tools_of(stored.context) == (["before", "after"] if known else ["after"])
