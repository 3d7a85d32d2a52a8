"""What every context store does alike."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.context import AgentContext, SessionState
from gateway.errors import BadRequest, StoreUnavailable, VersionConflict
from gateway.interfaces import ContextStore, Stored
from gateway.policy import ANONYMOUS, Principal
from gateway.stores import MemoryStore, SqliteStore, StoreLimits
from gateway.stores.redis import RedisStore
from gateway.stores.redis_servers import connect
from tests.support.contexts import Apply, a_context, a_context_id, append, delete, tools_of
from tests.support.stores import REDIS, Clock, age_redis, redis_of

ID = "ocp-00000000"
ALICE = Principal(name="key:alice")


@dataclass(frozen=True)
class Opened:
    """`age` lets seconds pass for the store, without waiting for them."""

    open: Callable[[StoreLimits], ContextStore]
    age: Callable[[float], Awaitable[None]]


@pytest.fixture(params=["memory", "sqlite", *REDIS])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    clock = Clock()

    async def age(seconds: float) -> None:
        clock.now += seconds

    if request.param == "memory":
        return Opened(lambda limits: MemoryStore(limits, clock=clock), age)
    if request.param == "sqlite":
        path = tmp_path / "store" / "contexts.db"
        return Opened(lambda limits: SqliteStore(path, limits, clock=clock, monotonic=clock), age)
    url, ports = redis_of(request, request.param)
    prefix = f"ocp-gateway:{uuid4().hex}:"

    async def age_all(seconds: float) -> None:
        await age(seconds)
        for port in ports:
            await age_redis(port, prefix, seconds)

    return Opened(
        lambda limits: RedisStore(connect(url), limits, prefix=prefix, clock=clock), age_all
    )


@pytest.fixture
async def store(kind: Opened) -> AsyncIterator[ContextStore]:
    opened = kind.open(StoreLimits())
    yield opened
    await opened.aclose()


async def put(store: ContextStore, principal: Principal, context_id: str) -> Stored:
    stored = await store.update(principal, context_id, append(context_id=context_id))
    assert stored is not None
    return stored


def to(context: AgentContext) -> Apply:
    return Apply(step=lambda _now: context)


def session_of(context: AgentContext) -> SessionState:
    assert context.session is not None
    return context.session


def a_long(context_id: str) -> AgentContext:
    """A context of 200 KB, nearly all of it history."""
    full = append(context_id=context_id).apply(None)
    assert full is not None
    return replace(full, history=full.history * 1_200)


def a_wide(context_id: str, size: int) -> AgentContext:
    """A context with a text of so many bytes before its history."""
    return replace(a_context(context_id), context_summary="s" * size)


async def ids(store: ContextStore, principal: Principal) -> list[str]:
    page = await store.list(principal, None, 100)
    return [stored.context.context_id for stored in page.items]


async def test_a_context_never_stored_is_absent(store: ContextStore) -> None:
    assert await store.get(ALICE, ID) is None


async def test_an_update_makes_the_context_at_version_one(store: ContextStore) -> None:
    stored = await put(store, ALICE, ID)
    assert stored.version == 1
    assert await store.get(ALICE, ID) == stored


async def test_updates_follow_each_other(store: ContextStore) -> None:
    for name in ("one", "two", "three"):
        await store.update(ALICE, ID, append(name))
    stored = await store.get(ALICE, ID)
    assert stored is not None
    assert stored.version == 3
    assert tools_of(stored.context) == ["one", "two", "three"]
    assert stored.context.session is not None
    assert stored.context.session.interaction_count == 3


async def test_every_member_survives(store: ContextStore) -> None:
    full = replace(
        append().fresh or pytest.fail("no context"),
        user="ü 🐙 \x00 ' \" ; --",
        workspace="\r\n$5\r\nhello",
        current_goal="{a}*",
        recent_changes=("one", "two"),
        api_specs={"pets": "http://pets.example/openapi.json"},
    )
    await store.update(ALICE, ID, Apply(step=lambda _now: full))
    stored = await store.get(ALICE, ID)
    assert stored is not None
    assert stored.context == full


async def test_a_change_handed_over_twice_counts_once(store: ContextStore) -> None:
    change = append("once")
    first = await store.update(ALICE, ID, change)
    assert await store.update(ALICE, ID, change) == first
    await store.update(ALICE, ID, append("then"))
    again = await store.update(ALICE, ID, change, expected=1)
    assert again is not None
    assert tools_of(again.context) == ["once", "then"]


async def test_the_latest_32_changes_are_recognised(store: ContextStore) -> None:
    changes = [append(f"call{number}") for number in range(32)]
    for change in changes:
        await store.update(ALICE, ID, change)
    again = await store.update(ALICE, ID, changes[0])
    assert again is not None
    assert again.version == 32


async def test_a_change_handed_over_again_behind_many_others_counts_once(
    store: ContextStore,
) -> None:
    change = append("once")
    await store.update(ALICE, ID, change)
    async with asyncio.TaskGroup() as group:
        for _ in range(100):
            group.create_task(store.update(ALICE, ID, append()))
        repeated = group.create_task(store.update(ALICE, ID, change))
    assert repeated.result() is not None
    stored = await store.get(ALICE, ID, newest=True)
    assert stored is not None
    assert (stored.version, tools_of(stored.context).count("once")) == (101, 1)


async def test_a_caller_that_leaves_and_comes_back_behind_many_others_counts_once(
    store: ContextStore,
) -> None:
    change = append("once")
    async with asyncio.TaskGroup() as group:
        first = group.create_task(store.update(ALICE, ID, change))
        for _ in range(100):
            group.create_task(store.update(ALICE, ID, append()))
        await asyncio.sleep(0)
        first.cancel()
        group.create_task(store.update(ALICE, ID, change))
    stored = await store.get(ALICE, ID, newest=True)
    assert stored is not None
    assert (stored.version, tools_of(stored.context).count("once")) == (101, 1)


async def test_a_change_handed_over_again_does_not_outlive_a_deletion(store: ContextStore) -> None:
    change = append()
    await store.update(ALICE, ID, change)
    await store.update(ALICE, ID, delete())
    assert await store.update(ALICE, ID, change) is None
    assert await store.get(ALICE, ID, newest=True) is None


@pytest.mark.parametrize(("existing", "expected"), [(0, 1), (1, 0), (1, 2), (2, 1)])
async def test_another_version_than_expected_is_a_conflict(
    store: ContextStore, existing: int, expected: int
) -> None:
    for _ in range(existing):
        await put(store, ALICE, ID)
    before = await store.get(ALICE, ID)
    with pytest.raises(VersionConflict):
        await store.update(ALICE, ID, append(), expected=expected)
    assert await store.get(ALICE, ID) == before


async def test_the_expected_version_is_accepted(store: ContextStore) -> None:
    for expected in range(3):
        stored = await store.update(ALICE, ID, append(), expected=expected)
        assert stored is not None
        assert stored.version == expected + 1


async def test_a_change_to_none_deletes(store: ContextStore) -> None:
    await put(store, ALICE, ID)
    assert await store.update(ALICE, ID, delete(), expected=1) is None
    assert await store.get(ALICE, ID) is None
    assert await ids(store, ALICE) == []
    assert (await put(store, ALICE, ID)).version == 1


async def test_deleting_what_is_absent_does_nothing(store: ContextStore) -> None:
    assert await store.update(ALICE, ID, delete()) is None
    assert await store.get(ALICE, ID) is None


async def test_a_deletion_wins_over_an_append_that_read_before_it(store: ContextStore) -> None:
    await put(store, ALICE, ID)
    late = replace(append("late"), fresh=None)
    await store.update(ALICE, ID, delete())
    assert await store.update(ALICE, ID, late) is None
    assert await store.get(ALICE, ID) is None


async def test_a_change_that_raises_changes_nothing(store: ContextStore) -> None:
    def refuse(_now: AgentContext | None) -> AgentContext | None:
        raise LookupError("no such step")

    before = await put(store, ALICE, ID)
    with pytest.raises(LookupError):
        await store.update(ALICE, ID, Apply(step=refuse))
    assert await store.get(ALICE, ID) == before


async def test_fifty_writers_at_once_lose_nothing(store: ContextStore) -> None:
    names = [f"writer{number}" for number in range(50)]
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(store.update(ALICE, ID, append(name)))
    stored = await store.get(ALICE, ID)
    assert stored is not None
    assert sorted(tools_of(stored.context)) == sorted(names)
    assert stored.version == 50


async def test_two_stores_on_the_same_data_lose_nothing(kind: Opened) -> None:
    one, other = kind.open(StoreLimits()), kind.open(StoreLimits())
    if isinstance(one, MemoryStore):
        other = one
    names = [f"writer{number}" for number in range(20)]
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(one.update(ALICE, ID, append(f"one-{name}")))
            group.create_task(other.update(ALICE, ID, append(f"other-{name}")))
    stored = await other.get(ALICE, ID, newest=True)
    assert stored is not None
    assert len(set(tools_of(stored.context))) == stored.version == 40
    await one.aclose()
    await other.aclose()


async def test_what_another_process_does_shows_after_a_quarter_of_a_second(kind: Opened) -> None:
    """As the documentation promises, of a deletion, too."""
    one, other = kind.open(StoreLimits()), kind.open(StoreLimits())
    if isinstance(one, MemoryStore):
        other = one
    await put(one, ALICE, ID)
    await other.update(ALICE, ID, append("other"))
    await kind.age(0.25)
    stored = await one.get(ALICE, ID)
    assert stored is not None
    assert stored.version == 2
    await other.update(ALICE, ID, delete())
    assert await one.get(ALICE, ID, newest=True) is None
    await put(one, ALICE, ID)
    await other.update(ALICE, ID, delete())
    await kind.age(0.25)
    assert await one.get(ALICE, ID) is None
    await one.aclose()
    await other.aclose()


async def test_cancelled_writers_leave_whole_contexts(store: ContextStore) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(store.update(ALICE, a_context_id(n % 5), append(f"call{n}")))
            for n in range(50)
        ]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
    for number in range(5):
        stored = await store.get(ALICE, a_context_id(number))
        assert stored is not None
        calls = [int(name.removeprefix("call")) for name in tools_of(stored.context)]
        assert len(calls) == len(set(calls)) == stored.version
        # Nobody's else, and every one that was acknowledged.
        assert {call % 5 for call in calls} == {number}
        assert {call for call in range(1, 50, 2) if call % 5 == number} <= set(calls)


@pytest.mark.parametrize(
    "other",
    [ANONYMOUS, Principal(name="jwt:alice"), Principal(name="key:alice:1"), Principal(name="é*{")],
    ids=lambda principal: principal.name,
)
async def test_principals_do_not_see_each_other(store: ContextStore, other: Principal) -> None:
    await store.update(ALICE, ID, append("hers"))
    assert await store.get(other, ID) is None
    assert await ids(store, other) == []
    with pytest.raises(VersionConflict):
        await store.update(other, ID, append("his"), expected=1)
    await store.update(other, ID, append("his"), expected=0)
    await store.update(other, ID, delete())
    stored = await store.get(ALICE, ID)
    assert stored is not None
    assert tools_of(stored.context) == ["hers"]


async def test_a_context_nobody_named_again_lives_the_short_time(kind: Opened) -> None:
    limits = StoreLimits(new_ttl_seconds=100, ttl_seconds=6_000)
    store = kind.open(limits)
    await put(store, ALICE, ID)
    await put(store, ALICE, a_context_id(1))
    await put(store, ALICE, a_context_id(1))
    assert await ids(store, ALICE) == [ID, a_context_id(1)]
    await kind.age(120)
    assert await store.get(ALICE, ID) is None
    assert await ids(store, ALICE) == [a_context_id(1)]
    assert (await put(store, ALICE, ID)).version == 1
    await store.aclose()


async def test_a_named_context_lives_on_from_its_last_update(kind: Opened) -> None:
    limits = StoreLimits(new_ttl_seconds=100, ttl_seconds=200)
    store = kind.open(limits)
    await put(store, ALICE, ID)
    for _ in range(2):
        await put(store, ALICE, ID)
        await kind.age(150)
    assert await store.get(ALICE, ID) is not None
    await kind.age(100)
    assert await store.get(ALICE, ID) is None
    assert await ids(store, ALICE) == []
    await store.aclose()


async def test_the_oldest_single_call_context_makes_room_first(kind: Opened) -> None:
    store = kind.open(StoreLimits(max_contexts_per_principal=3))
    for number in (0, 0, 1, 2):
        await put(store, ALICE, a_context_id(number))
        await kind.age(0.01)
    await put(store, ALICE, a_context_id(3))
    assert await ids(store, ALICE) == [a_context_id(number) for number in (0, 2, 3)]
    assert await store.get(ALICE, a_context_id(1)) is None
    await store.aclose()


async def test_without_single_call_contexts_the_one_written_longest_ago_goes(
    kind: Opened,
) -> None:
    store = kind.open(StoreLimits(max_contexts_per_principal=3))
    for number in (0, 0, 1, 1, 2, 2, 0):
        await put(store, ALICE, a_context_id(number))
        await kind.age(0.01)
    await put(store, ALICE, a_context_id(3))
    assert await ids(store, ALICE) == [a_context_id(number) for number in (0, 2, 3)]
    await store.aclose()


async def test_a_full_principal_leaves_room_to_others(kind: Opened) -> None:
    store = kind.open(StoreLimits(max_contexts_per_principal=1))
    await put(store, ALICE, ID)
    await put(store, ANONYMOUS, ID)
    await put(store, ANONYMOUS, a_context_id(1))
    assert await ids(store, ALICE) == [ID]
    assert await ids(store, ANONYMOUS) == [a_context_id(1)]
    await store.aclose()


async def test_a_full_principal_may_go_on_with_what_it_has(kind: Opened) -> None:
    store = kind.open(StoreLimits(max_contexts_per_principal=2))
    for number in (0, 1, 0, 1, 1):
        await put(store, ALICE, a_context_id(number))
    assert await ids(store, ALICE) == [a_context_id(0), a_context_id(1)]
    await store.aclose()


async def test_pages_hold_every_context_once(store: ContextStore) -> None:
    wanted = [a_context_id(number) for number in range(7)]
    for context_id in reversed(wanted):
        await put(store, ALICE, context_id)
    seen: list[str] = []
    sizes: list[int] = []
    cursor: str | None = None
    while not sizes or cursor is not None:
        page = await store.list(ALICE, cursor, 3)
        seen += [stored.context.context_id for stored in page.items]
        sizes.append(len(page.items))
        cursor = page.next_cursor
    assert seen == wanted
    assert sizes == [3, 3, 1]


async def test_a_page_that_ends_the_list_has_no_cursor(store: ContextStore) -> None:
    for number in range(3):
        await put(store, ALICE, a_context_id(number))
    assert (await store.list(ALICE, None, 3)).next_cursor is None


async def test_a_cursor_outlives_the_context_that_it_names(store: ContextStore) -> None:
    for number in range(3):
        await put(store, ALICE, a_context_id(number))
    page = await store.list(ALICE, None, 1)
    await store.update(ALICE, a_context_id(0), delete())
    page = await store.list(ALICE, page.next_cursor, 5)
    assert [stored.context.context_id for stored in page.items] == [
        a_context_id(1),
        a_context_id(2),
    ]


async def test_a_list_shows_all_but_the_history(store: ContextStore) -> None:
    short = replace(
        append().fresh or pytest.fail("no context"),
        current_goal='{"history":[',
        recent_changes=('"history":[', '\\"history\\":['),
        api_specs={"history": "http://pets.example/openapi.json"},
        taken={"user": "digest"},
    )
    long = replace(short, context_summary="é" * 70_000)
    foreign = replace(short, session=replace(session_of(short), extra={"history": [{"a": []}]}))
    for number, context in enumerate((short, long, foreign)):
        context_id = a_context_id(number)
        await store.update(ALICE, context_id, to(replace(context, context_id=context_id)))
        await store.update(ALICE, context_id, append("call", context_id=context_id))
    listed = (await store.list(ALICE, None, 10)).items
    assert [stored.version for stored in listed] == [2, 2, 2]
    for stored in listed:
        whole = await store.get(ALICE, stored.context.context_id)
        assert whole is not None
        assert len(whole.context.history) == 1
        assert stored.context == replace(whole.context, history=(), taken={})


async def test_a_list_reads_no_histories(store: ContextStore) -> None:
    """They would be more than one page may take."""
    wanted = [a_context_id(number) for number in range(40)]
    for context_id in wanted:
        await store.update(ALICE, context_id, to(a_long(context_id)))
    page = await store.list(ALICE, None, 1_000)
    assert [stored.context.context_id for stored in page.items] == wanted
    assert page.next_cursor is None


async def test_a_page_ends_when_enough_has_been_read(kind: Opened) -> None:
    store = kind.open(StoreLimits())
    wanted = [a_context_id(number) for number in range(7)]
    for context_id in wanted:
        await store.update(ALICE, context_id, to(a_wide(context_id, 1_500_000)))
    pages, cursor = list[list[str]](), None
    while not pages or cursor is not None:
        page = await store.list(ALICE, cursor, 1_000)
        pages.append([stored.context.context_id for stored in page.items])
        cursor = page.next_cursor
    assert [name for page in pages for name in page] == wanted
    # In memory nothing has to be read.
    sizes = [7] if isinstance(store, MemoryStore) else [3, 3, 1]
    assert [len(page) for page in pages] == sizes
    await store.aclose()


@pytest.mark.parametrize("cursor", ["", "=", "not a cursor", "é", "AAAA", "b2NwLSo", "x" * 500])
async def test_a_foreign_cursor_is_refused(store: ContextStore, cursor: str) -> None:
    with pytest.raises(BadRequest):
        await store.list(ALICE, cursor, 1)


async def test_a_store_that_works_answers_a_ping(store: ContextStore) -> None:
    await store.ping()


async def test_closing_twice_is_fine(kind: Opened) -> None:
    store = kind.open(StoreLimits())
    await put(store, ALICE, ID)
    await store.aclose()
    await store.aclose()


async def test_what_is_stored_outlives_the_store(kind: Opened) -> None:
    store = kind.open(StoreLimits())
    stored = await put(store, ALICE, ID)
    await store.aclose()
    if isinstance(store, MemoryStore):
        assert await store.get(ALICE, ID) is None
        return
    again = kind.open(StoreLimits())
    assert await again.get(ALICE, ID) == stored
    await again.aclose()


UNREACHABLE = [
    ("redis://:secret@", "/0"),
    ("rediss://:secret@", "/0"),
    ("redis+sentinel://:secret@", "/service"),
    ("redis+cluster://:secret@", ""),
]


async def test_unavailable_is_one_error_for_all(tmp_path: Path, unused_tcp_port: int) -> None:
    (tmp_path / "file").touch()
    stores: list[ContextStore] = [
        SqliteStore(tmp_path / "file" / "contexts.db", StoreLimits()),
        *(
            RedisStore(connect(f"{url}127.0.0.1:{unused_tcp_port}{path}"), StoreLimits())
            for url, path in UNREACHABLE
        ),
    ]
    for store in stores:
        for attempt in (
            store.ping(),
            store.get(ALICE, ID),
            store.update(ALICE, ID, append()),
            store.list(ALICE, None, 10),
        ):
            with pytest.raises(StoreUnavailable) as failure:
                await attempt
            assert "secret" not in f"{failure.value!r} {failure.value.__cause__!r}"
        await store.aclose()
