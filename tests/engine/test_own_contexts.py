"""A principal's own contexts, with calls and other writers at the same time."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.context.patching import ContextDraft, read_draft, read_patch
from gateway.engine import OwnContexts, Surroundings
from gateway.errors import ContextExists, UnknownContext, VersionConflict
from gateway.interfaces import ContextStore
from gateway.policy import ANONYMOUS
from gateway.stores import MemoryStore, SqliteStore
from tests.support.contexts import Apply, append, delete, tools_of
from tests.support.engine import LIMITS, NOW

ID = "ocp-00000000"
WORLD = Surroundings(now=lambda: NOW, monotonic=lambda: 0.0, random_bytes=os.urandom)


@pytest.fixture(params=["memory", "sqlite"])
async def replicas(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[list[ContextStore]]:
    """Two stores on the same data, as two processes have them; of memory there is one."""
    stores: list[ContextStore]
    if request.param == "memory":
        stores = [MemoryStore(LIMITS)] * 2
    else:
        stores = [SqliteStore(tmp_path / "contexts.db", LIMITS) for _ in range(2)]
    yield stores
    for store in stores:
        await store.aclose()


@pytest.fixture
def owners(replicas: list[ContextStore]) -> list[OwnContexts]:
    return [OwnContexts(store, WORLD) for store in replicas]


async def outcome(work: Callable[[], Awaitable[object]]) -> object:
    try:
        return await work()
    except (ContextExists, VersionConflict) as error:
        return type(error)


async def test_of_many_that_make_one_context_one_does(owners: list[OwnContexts]) -> None:
    drafts = [read_draft({"context_id": ID, "goal": str(number)}) for number in range(8)]

    async def make(number: int) -> object:
        owner = owners[number % 2]
        return await outcome(lambda: owner.create(ANONYMOUS, drafts[number], agent_type="tester"))

    outcomes = await asyncio.gather(*map(make, range(8)))
    (made,) = [made for made in outcomes if made is not ContextExists]

    assert await owners[0].read(ANONYMOUS, ID) == made


async def test_of_many_writers_of_one_state_one_succeeds(owners: list[OwnContexts]) -> None:
    await owners[0].create(ANONYMOUS, ContextDraft(context_id=ID), agent_type="tester")
    read = await owners[1].read(ANONYMOUS, ID)

    async def write(number: int) -> object:
        owner, patch = owners[number % 2], read_patch({"goal": str(number)})
        return await outcome(lambda: owner.patch(ANONYMOUS, ID, patch, only_if=read))

    outcomes = await asyncio.gather(*map(write, range(8)))
    (made,) = [made for made in outcomes if made is not VersionConflict]

    assert await owners[0].read(ANONYMOUS, ID) == made


async def test_patches_and_calls_at_once_lose_nothing(
    owners: list[OwnContexts], replicas: list[ContextStore]
) -> None:
    await owners[0].create(ANONYMOUS, ContextDraft(context_id=ID), agent_type="tester")
    members = ("goal", "summary", "user", "workspace", "current_file", "error_context")
    async with asyncio.TaskGroup() as group:
        for number, member in enumerate(members):
            patch = read_patch({member: "set"})
            group.create_task(owners[number % 2].patch(ANONYMOUS, ID, patch))
            change = append(f"call{number}", context_id=ID)
            group.create_task(replicas[(number + 1) % 2].update(ANONYMOUS, ID, change))

    context = await owners[0].read(ANONYMOUS, ID)
    assert sorted(tools_of(context)) == [f"call{number}" for number in range(len(members))]
    assert context.session is not None
    assert context.session.interaction_count == len(members)
    assert (context.current_goal, context.context_summary, context.user) == ("set",) * 3


async def test_a_context_made_anew_is_not_the_one_that_was_read(
    owners: list[OwnContexts], replicas: list[ContextStore]
) -> None:
    """Its version is the same, 1."""
    owner, store = owners[0], replicas[1]
    await owner.create(ANONYMOUS, ContextDraft(context_id=ID), agent_type="tester")
    read = await owner.read(ANONYMOUS, ID)
    await store.update(ANONYMOUS, ID, delete())
    await store.update(ANONYMOUS, ID, Apply(step=lambda _now: replace(read, user="another")))

    with pytest.raises(VersionConflict):
        await owner.patch(ANONYMOUS, ID, read_patch({"goal": "late"}), only_if=read)
    with pytest.raises(VersionConflict):
        await owner.delete(ANONYMOUS, ID, only_if=read)
    assert (await owner.read(ANONYMOUS, ID)).user == "another"


async def test_what_is_gone_is_unknown_and_stays_gone(owners: list[OwnContexts]) -> None:
    owner = owners[0]
    await owner.create(ANONYMOUS, ContextDraft(context_id=ID), agent_type="tester")
    await owner.delete(ANONYMOUS, ID)

    for work in (
        lambda: owner.patch(ANONYMOUS, ID, read_patch({"goal": "g"})),
        lambda: owner.delete(ANONYMOUS, ID),
        lambda: owner.read(ANONYMOUS, ID),
    ):
        with pytest.raises(UnknownContext):
            await work()
    assert (await owner.list(ANONYMOUS, cursor=None, limit=10)).items == ()
