"""What goes to Redis, when and together with what; what callers hear when answers get lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.context import AgentContext
from gateway.errors import StoreBusy, StoreUnavailable, VersionConflict
from gateway.interfaces import Stored
from gateway.policy import ANONYMOUS
from gateway.stores import StoreLimits
from gateway.stores.copies import COPY_SECONDS
from gateway.stores.record import REMEMBERED_OPERATIONS
from gateway.stores.redis import RedisStore
from gateway.stores.redis_connections import RedisServers, Words
from gateway.stores.redis_records import LARGE_BYTES
from gateway.stores.redis_servers import connect
from tests.support.contexts import Apply, a_context, a_context_id, append, delete, tools_of
from tests.support.redis_server import RedisServer

ID = "ocp-00000000"


@dataclass
class Spy:
    """Servers that note what is sent together; `after` may replace the answers of one sending."""

    servers: RedisServers
    sent: list[list[str]] = field(default_factory=list)
    departed: asyncio.Event = field(default_factory=asyncio.Event)
    before: Callable[[], Awaitable[object]] | None = None
    after: Callable[[list[object]], Awaitable[list[object]]] | None = None

    async def run(self, commands: Sequence[Words]) -> list[object]:
        self.sent.append([str(words[0]) for words in commands])
        self.departed.set()
        before, self.before = self.before, None
        if before is not None:
            await before()
        answers = await self.servers.run(commands)
        after, self.after = self.after, None
        return answers if after is None else await after(answers)

    async def aclose(self) -> None:
        await self.servers.aclose()


@pytest.fixture
def prefix() -> str:
    return f"test-{uuid4().hex}:"


@pytest.fixture
def spy(redis_server: RedisServer) -> Spy:
    return Spy(connect(redis_server.url))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(spy: Spy, prefix: str, clock: Clock) -> AsyncIterator[RedisStore]:
    opened = RedisStore(spy, StoreLimits(), prefix=prefix, clock=clock)
    # From here on the server knows the script, whoever else has used it.
    await opened.update(ANONYMOUS, a_context_id(9), append())
    spy.sent.clear()
    yield opened
    await opened.aclose()


@pytest.fixture
async def other(redis_server: RedisServer, prefix: str) -> AsyncIterator[RedisStore]:
    """Another process's store on the same data."""
    opened = RedisStore(connect(redis_server.url), StoreLimits(), prefix=prefix)
    yield opened
    await opened.aclose()


async def departure(spy: Spy) -> None:
    spy.departed.clear()
    await asyncio.wait_for(spy.departed.wait(), 5)


def known(stored: Stored | None) -> Stored:
    assert stored is not None
    return stored


async def test_updates_of_one_tick_go_together(store: RedisStore, spy: Spy) -> None:
    ids = [a_context_id(number) for number in range(50)]
    await asyncio.gather(*(store.update(ANONYMOUS, name, append(name)) for name in ids))
    assert spy.sent == [["EVALSHA"] * 50]
    for name in ids:
        stored = known(await store.get(ANONYMOUS, name, newest=True))
        assert tools_of(stored.context) == [name] or name == a_context_id(9)


async def test_what_comes_while_a_flight_is_in_the_air_shares_the_next(
    store: RedisStore, spy: Spy
) -> None:
    async def meanwhile() -> None:
        for number in range(1, 5):
            later.append(
                asyncio.ensure_future(store.update(ANONYMOUS, a_context_id(number), append()))
            )
            await asyncio.sleep(0)

    later: list[asyncio.Future[Stored | None]] = []
    spy.before = meanwhile
    await store.update(ANONYMOUS, ID, append())
    await asyncio.gather(*later)
    assert spy.sent == [["EVALSHA"], ["EVALSHA"] * 4]


async def test_writers_of_one_context_share_one_write(store: RedisStore, spy: Spy) -> None:
    names = [f"writer{number}" for number in range(12)]
    results = await asyncio.gather(*(store.update(ANONYMOUS, ID, append(name)) for name in names))
    assert spy.sent == [["EVALSHA"]]
    assert [known(stored).version for stored in results] == list(range(1, 13))
    stored = known(await store.get(ANONYMOUS, ID, newest=True))
    assert tools_of(stored.context) == names
    assert stored.version == 12


async def test_readers_of_one_context_share_one_read(store: RedisStore, spy: Spy) -> None:
    await asyncio.gather(*(store.get(ANONYMOUS, ID) for _ in range(12)))
    assert spy.sent == [["GETRANGE"]]


async def test_a_copy_answers_until_it_is_too_old(
    store: RedisStore, spy: Spy, clock: Clock
) -> None:
    written = await store.update(ANONYMOUS, ID, append())
    spy.sent.clear()
    assert await store.get(ANONYMOUS, ID) == written
    assert spy.sent == []
    assert await store.get(ANONYMOUS, ID, newest=True) == written
    clock.now += COPY_SECONDS
    assert await store.get(ANONYMOUS, ID) == written
    assert spy.sent == [["GETRANGE"]] * 2


async def test_an_update_builds_on_a_copy_of_any_age(
    store: RedisStore, spy: Spy, clock: Clock
) -> None:
    await store.update(ANONYMOUS, ID, append())
    clock.now += 1_000
    spy.sent.clear()
    assert known(await store.update(ANONYMOUS, ID, append())).version == 2
    assert spy.sent == [["EVALSHA"]]


async def test_a_copy_that_another_process_overtook_costs_one_more_write(
    store: RedisStore, other: RedisStore, spy: Spy
) -> None:
    await store.update(ANONYMOUS, ID, append("one"))
    await other.update(ANONYMOUS, ID, append("two"))
    spy.sent.clear()
    stored = known(await store.update(ANONYMOUS, ID, append("three")))
    assert tools_of(stored.context) == ["one", "two", "three"]
    assert spy.sent == [["EVALSHA"], ["EVALSHA"]]


async def test_nobody_is_refused_on_the_word_of_a_copy(
    store: RedisStore, other: RedisStore
) -> None:
    await store.update(ANONYMOUS, ID, append())
    await other.update(ANONYMOUS, ID, append())
    assert known(await store.update(ANONYMOUS, ID, append(), expected=2)).version == 3
    await other.update(ANONYMOUS, ID, append())
    with pytest.raises(VersionConflict, match="version 4"):
        await store.update(ANONYMOUS, ID, append(), expected=3)
    assert await other.update(ANONYMOUS, ID, delete()) is None
    late = replace(append("late"), fresh=None)
    assert await store.update(ANONYMOUS, ID, late) is None
    assert await store.get(ANONYMOUS, ID) is None


async def test_a_context_made_by_another_process_is_found(
    store: RedisStore, other: RedisStore
) -> None:
    await other.update(ANONYMOUS, ID, append())
    with pytest.raises(VersionConflict):
        await store.update(ANONYMOUS, ID, append(), expected=0)
    assert known(await store.update(ANONYMOUS, ID, append(), expected=1)).version == 2


async def test_whoever_is_cancelled_takes_nobody_along(store: RedisStore, spy: Spy) -> None:
    async def cancel_some() -> None:
        for task in tasks[::2]:
            task.cancel()
        await asyncio.sleep(0)

    spy.before = cancel_some
    tasks = [
        asyncio.ensure_future(store.update(ANONYMOUS, a_context_id(n % 4), append(f"call{n}")))
        for n in range(8)
    ]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(result, BaseException) for result in results] == [True, False] * 4
    for number in (1, 3):
        stored = known(await store.get(ANONYMOUS, a_context_id(number), newest=True))
        assert tools_of(stored.context) == [f"call{number}", f"call{number + 4}"]


async def test_whoever_is_gone_before_anything_was_sent_leaves_no_trace(
    store: RedisStore, spy: Spy
) -> None:
    gone = asyncio.ensure_future(store.update(ANONYMOUS, ID, append("gone")))
    stays = asyncio.ensure_future(store.update(ANONYMOUS, ID, append("stays")))
    asyncio.get_running_loop().call_soon(gone.cancel)
    assert tools_of(known(await stays).context) == ["stays"]
    assert gone.cancelled()


def losing(answers: list[object]) -> list[object]:
    return [RedisConnectionError("lost")] * len(answers)


async def test_after_a_lost_answer_the_operation_ids_tell(store: RedisStore, spy: Spy) -> None:
    async def lose(answers: list[object]) -> list[object]:
        return losing(answers)

    spy.after = lose
    names = [f"writer{number}" for number in range(12)]
    results = await asyncio.gather(
        *(store.update(ANONYMOUS, ID, append(name)) for name in names),
        store.update(ANONYMOUS, a_context_id(1), append()),
    )
    assert spy.sent == [["EVALSHA"] * 2, ["GETRANGE"] * 2]
    assert all(results)
    stored = known(await store.get(ANONYMOUS, ID, newest=True))
    assert (tools_of(stored.context), stored.version) == (names, 12)


async def test_what_was_never_stored_is_sent_again(store: RedisStore, spy: Spy) -> None:
    async def lose_before(commands: Sequence[Words]) -> list[object]:
        spy.run = run  # type: ignore[method-assign]
        return losing(list(commands))

    run = spy.run
    spy.run = lose_before  # type: ignore[method-assign]
    assert known(await store.update(ANONYMOUS, ID, append("once"))).version == 1
    assert spy.sent == [["GETRANGE"], ["EVALSHA"]]


async def test_a_change_that_nobody_can_tell_to_be_stored_is_not_made_twice(
    store: RedisStore, other: RedisStore, spy: Spy
) -> None:
    async def lose_while_others_go_on(answers: list[object]) -> list[object]:
        for _ in range(REMEMBERED_OPERATIONS):
            await other.update(ANONYMOUS, ID, append("other"))
        return losing(answers)

    await store.update(ANONYMOUS, ID, append())
    spy.after = lose_while_others_go_on
    with pytest.raises(StoreUnavailable):
        await store.update(ANONYMOUS, ID, append("once"))
    stored = known(await store.get(ANONYMOUS, ID, newest=True))
    assert tools_of(stored.context).count("once") == 1


async def test_the_second_loss_is_unavailability(store: RedisStore, spy: Spy) -> None:
    async def lose(answers: list[object]) -> list[object]:
        spy.after = lose
        return losing(answers)

    spy.after = lose
    with pytest.raises(StoreUnavailable, match="ConnectionError"):
        await store.update(ANONYMOUS, ID, append())
    spy.after = None
    assert await store.update(ANONYMOUS, ID, append()) is not None


async def test_a_deletion_whose_answer_was_lost_is_done(store: RedisStore, spy: Spy) -> None:
    async def lose(answers: list[object]) -> list[object]:
        return losing(answers)

    await store.update(ANONYMOUS, ID, append())
    spy.after = lose
    results = await asyncio.gather(
        store.update(ANONYMOUS, ID, delete(), expected=1),
        store.update(ANONYMOUS, ID, append("anew")),
    )
    assert results[0] is None
    assert known(results[1]).version == 1


async def test_a_slow_flight_holds_up_nobody_else(store: RedisStore, spy: Spy) -> None:
    go_on = asyncio.Event()
    spy.before = go_on.wait
    slow = asyncio.ensure_future(store.update(ANONYMOUS, ID, append("slow")))
    await departure(spy)
    assert await store.update(ANONYMOUS, a_context_id(1), append()) is not None
    assert not slow.done()
    go_on.set()
    assert await slow is not None


async def test_a_flight_without_end_is_given_up(
    store: RedisStore, spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stores.flights.FLIGHT_SECONDS", 0.01)
    spy.before = asyncio.Event().wait
    with pytest.raises(StoreUnavailable, match="TimeoutError"):
        await asyncio.wait_for(store.update(ANONYMOUS, ID, append()), 5)
    assert await store.update(ANONYMOUS, ID, append()) is not None


def of_size(size: int) -> Apply:
    return Apply(step=lambda _now: replace(a_context(), context_summary="x" * size))


async def test_a_large_record_travels_alone(store: RedisStore, other: RedisStore, spy: Spy) -> None:
    large, small = await asyncio.gather(
        store.update(ANONYMOUS, ID, of_size(LARGE_BYTES)),
        store.update(ANONYMOUS, a_context_id(1), append()),
    )
    assert sorted(spy.sent) == [["EVALSHA"], ["EVALSHA"]]
    assert await other.get(ANONYMOUS, ID) == large
    assert known(await other.update(ANONYMOUS, ID, of_size(LARGE_BYTES + 1))).version == 2
    # A conflict with what is too large to come along in the answer.
    assert known(await store.update(ANONYMOUS, ID, append())).version == 3
    assert known(small).version == 1


async def test_no_more_calls_than_the_bound_wait(
    store: RedisStore, spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stores.redis.MAX_WAITING", 3)
    results = await asyncio.gather(
        *(store.update(ANONYMOUS, ID, append()) for _ in range(5)), return_exceptions=True
    )
    assert [type(result) for result in results] == [Stored] * 3 + [StoreBusy] * 2
    assert await store.update(ANONYMOUS, ID, append()) is not None


async def test_a_context_that_others_always_move_on_first_is_too_busy(
    store: RedisStore, other: RedisStore, spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def be_faster() -> None:
        spy.before = be_faster
        await other.update(ANONYMOUS, ID, append())

    monkeypatch.setattr("gateway.stores.redis_lines._MAX_CONFLICTS", 2)
    spy.before = be_faster
    results = await asyncio.gather(
        *(store.update(ANONYMOUS, ID, append()) for _ in range(3)), return_exceptions=True
    )
    assert [type(result) for result in results] == [StoreBusy] * 3


async def test_a_fault_in_a_change_stays_with_its_caller(store: RedisStore) -> None:
    def refuse(_now: AgentContext | None) -> AgentContext | None:
        raise LookupError("no such step")

    results = await asyncio.gather(
        store.update(ANONYMOUS, ID, append("first")),
        store.update(ANONYMOUS, ID, Apply(step=refuse)),
        store.update(ANONYMOUS, ID, append("last")),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [Stored, LookupError, Stored]


async def test_closing_waits_for_what_is_in_the_air_and_refuses_the_rest(
    store: RedisStore, spy: Spy
) -> None:
    go_on = asyncio.Event()
    spy.before = go_on.wait
    flying = asyncio.ensure_future(store.update(ANONYMOUS, ID, append()))
    await departure(spy)
    waiting = asyncio.ensure_future(store.update(ANONYMOUS, a_context_id(1), append()))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(store.aclose())
    with pytest.raises(StoreUnavailable):
        await waiting
    go_on.set()
    assert await flying is not None
    await closing
    with pytest.raises(StoreUnavailable):
        await store.get(ANONYMOUS, a_context_id(2))


async def test_the_list_heals_its_indexes(
    store: RedisStore, redis_server: RedisServer, prefix: str
) -> None:
    await store.update(ANONYMOUS, ID, append())
    async with Redis.from_url(redis_server.url) as client:
        [key] = [name async for name in client.scan_iter(f"{prefix}*:context:{ID}")]
        index = key.replace(b"context:" + ID.encode(), b"single")
        await client.delete(key)
        await store.list(ANONYMOUS, None, 10)
        assert await client.zrange(index, 0, -1) == [a_context_id(9).encode()]
        await store.update(ANONYMOUS, ID, append())
        await store.update(ANONYMOUS, ID, append())
        named = key.replace(b"context:" + ID.encode(), b"named")
        await client.delete(named)
        await store.update(ANONYMOUS, ID, append())
        assert await client.zrange(named, 0, -1) == [ID.encode()]
