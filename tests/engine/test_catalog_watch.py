"""Waiting for another catalog."""

import asyncio

from gateway.catalog import Catalog
from gateway.engine import CatalogWatch

PATIENCE = 10


async def test_everybody_who_waits_is_woken() -> None:
    watch, other = CatalogWatch(Catalog([])), Catalog([])
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        tasks = [group.create_task(watch.after(0)) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)
        watch.announce(other)
    assert (watch.catalog, watch.number) == (other, 1)


async def test_a_change_between_two_waits_is_not_missed() -> None:
    watch = CatalogWatch(Catalog([]))
    async with asyncio.timeout(PATIENCE):
        watch.announce(Catalog([]))
        await watch.after(0)
        seen = watch.number
        watch.announce(Catalog([]))
        watch.announce(Catalog([]))
        await watch.after(seen)
    assert watch.number == 3
