"""What is special to Redis: lost answers, a killed server, refusals, foreign values."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from gateway.context import AgentContext
from gateway.errors import StoreUnavailable, UnreadableRecord
from gateway.policy import ANONYMOUS
from gateway.stores import StoreLimits, open_store
from gateway.stores.record import MAX_RECORD_BYTES
from gateway.stores.redis import RedisStore
from gateway.stores.redis_records import LARGE_BYTES, MAX_QUARANTINED
from gateway.stores.redis_servers import connect
from tests.support.contexts import a_context_id, append, delete, tools_of
from tests.support.lossy_redis import LossyRedis, lossy_redis
from tests.support.redis_server import RedisServer, start_redis
from tests.support.store_writer import start_writer

ID = "ocp-00000000"


@pytest.fixture
def prefix() -> str:
    return f"test-{uuid4().hex}:"


@pytest.fixture
async def store(redis_server: RedisServer, prefix: str) -> AsyncIterator[RedisStore]:
    opened = RedisStore(connect(redis_server.url), StoreLimits(), prefix=prefix)
    yield opened
    await opened.aclose()


@pytest.fixture
async def client(redis_server: RedisServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_server.url) as opened:
        yield opened


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    with start_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
async def lossy(redis_server: RedisServer) -> AsyncIterator[LossyRedis]:
    async with lossy_redis(redis_server.port) as faults:
        yield faults


@pytest.fixture
async def lossy_store(lossy: LossyRedis, prefix: str) -> AsyncIterator[RedisStore]:
    url = f"redis://127.0.0.1:{lossy.port}/0"
    opened = RedisStore(connect(url), StoreLimits(), prefix=prefix)
    yield opened
    await opened.aclose()


async def record_key(client: Redis, prefix: str) -> bytes:
    keys: list[bytes] = [key async for key in client.scan_iter(f"{prefix}*:context:{ID}")]
    return keys[0]


async def test_every_key_is_of_one_slot_and_expires(
    store: RedisStore, client: Redis, prefix: str
) -> None:
    for number in (0, 0, 1):
        await store.update(ANONYMOUS, a_context_id(number), append())
    keys = [key async for key in client.scan_iter(f"{prefix}*")]
    assert len(keys) == 4
    assert len({key[key.index(b"{") : key.index(b"}")] for key in keys}) == 1
    assert all([await client.pttl(key) > 0 for key in keys])


@pytest.mark.parametrize("existing", [0, 1], ids=["new", "existing"])
async def test_a_lost_answer_does_not_double_the_entry(
    lossy: LossyRedis, lossy_store: RedisStore, existing: int
) -> None:
    for _ in range(existing):
        await lossy_store.update(ANONYMOUS, ID, append("before"))
    lossy.lose = 1
    stored = await lossy_store.update(ANONYMOUS, ID, append("once"), expected=existing)
    assert lossy.lost == 1
    assert stored is not None
    assert stored.version == existing + 1
    assert tools_of(stored.context).count("once") == 1


async def test_a_deletion_with_a_lost_answer_is_done(
    lossy: LossyRedis, lossy_store: RedisStore
) -> None:
    await lossy_store.update(ANONYMOUS, ID, append())
    lossy.lose = 1
    assert await lossy_store.update(ANONYMOUS, ID, delete(), expected=1) is None
    assert lossy.lost == 1
    assert await lossy_store.get(ANONYMOUS, ID) is None


async def test_answers_lost_for_good_are_unavailability_and_never_doubled(
    lossy: LossyRedis, lossy_store: RedisStore
) -> None:
    await lossy_store.update(ANONYMOUS, ID, append("before"))
    change = append("once")
    lossy.lose = 2
    results = [await lossy_store.update(ANONYMOUS, ID, change)]
    lossy.lose = 0
    results.append(await lossy_store.update(ANONYMOUS, ID, change))
    assert [stored.version for stored in results if stored] == [2, 2]


async def test_a_silent_server_is_unavailable_within_a_bound(
    lossy: LossyRedis, prefix: str
) -> None:
    url = f"redis://127.0.0.1:{lossy.port}/0"
    store = RedisStore(connect(url), StoreLimits(), prefix=prefix, patience=0.05)
    lossy.silent = True
    async with asyncio.timeout(5):
        for attempt in (
            store.ping(),
            store.get(ANONYMOUS, ID),
            store.update(ANONYMOUS, ID, append()),
            store.list(ANONYMOUS, None, 10),
        ):
            with pytest.raises(StoreUnavailable):
                await attempt
        lossy.silent = False
        stored = None
        while stored is None:
            with suppress(StoreUnavailable):
                stored = await store.update(ANONYMOUS, ID, append())
    await store.aclose()


async def test_writers_behind_a_silent_server_do_not_queue_up(
    lossy: LossyRedis, prefix: str
) -> None:
    url = f"redis://127.0.0.1:{lossy.port}/0"
    store = RedisStore(connect(url), StoreLimits(), prefix=prefix, patience=0.2)
    lossy.silent = True
    async with asyncio.timeout(5):
        results = await asyncio.gather(
            *(store.update(ANONYMOUS, ID, append()) for _ in range(50)), return_exceptions=True
        )
    assert {type(result) for result in results} == {StoreUnavailable}
    await store.aclose()


async def test_a_forgotten_script_is_sent_again(store: RedisStore, client: Redis) -> None:
    await store.update(ANONYMOUS, ID, append())
    await client.script_flush()
    stored = await store.update(ANONYMOUS, ID, append())
    assert stored is not None
    assert stored.version == 2


async def test_a_context_that_the_server_evicted_leaves_the_list(
    store: RedisStore, client: Redis, prefix: str
) -> None:
    await store.update(ANONYMOUS, ID, append())
    await store.update(ANONYMOUS, a_context_id(1), append())
    await client.delete(await record_key(client, prefix))
    page = await store.list(ANONYMOUS, None, 10)
    assert [stored.context.context_id for stored in page.items] == [ID]
    stored = await store.update(ANONYMOUS, ID, append())
    assert stored is not None
    assert stored.version == 1


@pytest.mark.parametrize("index", ["single", "named"])
async def test_a_new_context_clears_the_index_of_expired_ones(
    store: RedisStore, client: Redis, prefix: str, index: str
) -> None:
    await store.update(ANONYMOUS, ID, append())
    name = (await record_key(client, prefix)).replace(b"context:" + ID.encode(), index.encode())
    await client.zadd(name, {"ocp-11111111": 1})
    await store.update(ANONYMOUS, a_context_id(2), append())
    assert b"ocp-11111111" not in await client.zrange(name, 0, -1)


POISON = {
    "no_json": b"\x00\xff",
    "another_shape": b"[]",
    "no_context": b'{"format":1,"version":1,"named":true,"operations":["x"]}',
    "nested": b"[" * 100_000,
    "too_large": b" " * (MAX_RECORD_BYTES + 1),
    "large": b"[" * LARGE_BYTES,
}


async def listed(store: RedisStore) -> int:
    page = await store.list(ANONYMOUS, None, 10)
    found = len(page.items)
    while page.next_cursor is not None:
        page = await store.list(ANONYMOUS, page.next_cursor, 10)
        found += len(page.items)
    return found


async def quarantined(client: Redis, prefix: str) -> list[bytes]:
    return [key async for key in client.scan_iter(f"{prefix}*:quarantine:*")]


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
async def test_an_unreadable_record_is_absent_until_an_update_sets_it_aside(
    store: RedisStore, client: Redis, prefix: str, poison: bytes
) -> None:
    await store.update(ANONYMOUS, ID, append())
    await store.update(ANONYMOUS, a_context_id(1), append(context_id=a_context_id(1)))
    key = await record_key(client, prefix)
    await client.set(key, poison)
    assert await store.get(ANONYMOUS, ID, newest=True) is None
    assert await listed(store) == 1
    assert await client.get(key) == poison
    stored = await store.update(ANONYMOUS, ID, append("anew"))
    assert stored is not None
    assert (stored.version, tools_of(stored.context)) == (1, ["anew"])
    [kept] = await quarantined(client, prefix)
    assert await client.get(kept) == poison
    assert await client.pttl(kept) > 0


async def test_a_value_of_another_type_is_absent_until_an_update_sets_it_aside(
    store: RedisStore, client: Redis, prefix: str
) -> None:
    await store.update(ANONYMOUS, ID, append())
    key = await record_key(client, prefix)
    await client.delete(key)
    await client.hset(key, "a", "b")
    assert await store.get(ANONYMOUS, ID, newest=True) is None
    assert (await store.list(ANONYMOUS, None, 10)).items == ()
    stored = await store.update(ANONYMOUS, ID, append())
    assert stored is not None
    assert stored.version == 1
    [kept] = await quarantined(client, prefix)
    assert await client.type(kept) == b"hash"


async def test_what_is_set_aside_is_bounded_and_the_latest_stay(
    store: RedisStore, client: Redis, prefix: str
) -> None:
    await store.update(ANONYMOUS, ID, append())
    key = await record_key(client, prefix)
    await client.delete(key)
    for number in range(MAX_QUARANTINED + 3):
        name = key.replace(ID.encode(), a_context_id(number).encode())
        await client.set(name, b"poison")
        await store.update(ANONYMOUS, a_context_id(number), append())
    assert len(await quarantined(client, prefix)) == MAX_QUARANTINED


async def test_the_record_of_a_later_version_is_left_alone(
    store: RedisStore, client: Redis, prefix: str
) -> None:
    await store.update(ANONYMOUS, ID, append())
    key = await record_key(client, prefix)
    later = b'{"format":2,"version":1}'
    await client.set(key, later)
    assert await store.get(ANONYMOUS, ID, newest=True) is None
    with pytest.raises(UnreadableRecord, match="later version"):
        await store.update(ANONYMOUS, ID, append())
    assert await client.get(key) == later
    await client.delete(key)
    assert await store.update(ANONYMOUS, ID, append()) is not None


async def test_a_killed_server_loses_nothing_acknowledged(own_server: RedisServer) -> None:
    acknowledged: list[str] = []
    for attempt in range(2):
        writer = start_writer(own_server.url, ID, f"writer{attempt}", 1_000_000)
        assert writer.stdout is not None
        seen = [await asyncio.to_thread(writer.stdout.readline) for _ in range(50)]
        own_server.kill()
        writer.kill()
        rest, _ = await asyncio.to_thread(writer.communicate)
        lines = "".join((*seen, rest)).splitlines(keepends=True)
        acknowledged += [line.strip() for line in lines if line.endswith("\n")]
        own_server.start()
        stored = await _read(own_server)
        assert set(acknowledged) <= set(tools_of(stored))
        assert len(set(tools_of(stored))) == len(stored.history)


async def test_a_store_goes_on_when_its_server_is_back(own_server: RedisServer) -> None:
    store = open_store(own_server.url, StoreLimits())
    await store.update(ANONYMOUS, ID, append("before"))
    own_server.kill()
    with pytest.raises(StoreUnavailable):
        await store.update(ANONYMOUS, ID, append("lost"))
    own_server.start()
    stored = await store.update(ANONYMOUS, ID, append("after"))
    assert stored is not None
    assert tools_of(stored.context) == ["before", "after"]
    await store.aclose()


async def _read(server: RedisServer) -> AgentContext:
    store = open_store(server.url, StoreLimits())
    stored = await store.get(ANONYMOUS, ID)
    await store.aclose()
    assert stored is not None
    return stored.context


@pytest.mark.parametrize(
    "options",
    [("--requirepass", "secret"), ("--maxmemory", "1"), ("--rename-command", "GETRANGE", "")],
    ids=["password", "out_of_memory", "forbidden_command"],
)
async def test_a_server_that_refuses_is_unavailable(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    with start_redis(tmp_path, *options) as server:
        store = open_store(server.url, StoreLimits())
        with pytest.raises(StoreUnavailable):
            await store.update(ANONYMOUS, ID, append())
        await store.aclose()
