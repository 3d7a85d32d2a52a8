"""Contexts that are deleted while many append to them: a deletion wins, for good.

The appenders do what the gateway does for a call: read the context, then hand over an entry that
may begin a context only if there was none. Entries of a context that was read before a deletion
must not be in one that began after it.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from gateway.context import RecordCall, new_context
from gateway.errors import StoreUnavailable, VersionConflict
from gateway.interfaces import ContextStore, Stored
from gateway.policy import ANONYMOUS
from tests.support.checker import misfits
from tests.support.contexts import NOW, a_context_id, append, delete, mark_of, opened
from tests.support.redis_server import start_redis

STORES = 3
WORKERS = 6
"""At each store."""
CONTEXTS = 3
APPENDS_PER_DELETION = 12
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An append: when its context was read, and whether it was there."""

    read_at: int
    existed: bool


@dataclass(slots=True)
class Churn:
    """Moments are numbers in the order of events; all happens in one event loop."""

    stores: list[ContextStore]
    random: Random
    faults: list[str] = field(default_factory=list)
    acknowledged: int = 0
    dropped: int = 0
    refused: int = 0
    deletions: int = 0
    _asked: dict[str, Asked] = field(default_factory=dict)
    _told: dict[str, int] = field(default_factory=dict)
    _deleted: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _moments: "count[int]" = field(default_factory=count)
    _marks: "count[int]" = field(default_factory=count)

    async def work(self, store: ContextStore, deletions: int) -> None:
        """Until that many contexts have been deleted."""
        while self.deletions < deletions:
            context_id = a_context_id(self.random.randrange(CONTEXTS))
            if self.random.randrange(APPENDS_PER_DELETION):
                await self._append(store, context_id)
            else:
                await self._delete(store, context_id)
            await self._look(self.random.choice(self.stores), context_id)

    async def _append(self, store: ContextStore, context_id: str) -> None:
        found = await store.get(ANONYMOUS, context_id)
        read_at = next(self._moments)
        # The call itself takes its time, in which the context may end.
        await asyncio.sleep(self.random.uniform(0, 0.002))
        change = self._change(context_id, found)
        mark = mark_of(change.entry)
        self._asked[mark] = Asked(read_at=read_at, existed=found is not None)
        try:
            stored = await store.update(ANONYMOUS, context_id, change)
        except VersionConflict:
            stored = None
        except StoreUnavailable:
            self.refused += 1
            return
        if stored is None:
            self.dropped += 1
        else:
            self.acknowledged += 1
            self._told[mark] = next(self._moments)

    def _change(self, context_id: str, found: Stored | None) -> RecordCall:
        """What the gateway hands over for a call that found this."""
        number = next(self._marks)
        change = append(f"m{number}", context_id=context_id)
        if found is not None:
            return replace(change, fresh=None, began=found.context.created_at)
        fresh = new_context(context_id, "tester", NOW + timedelta(microseconds=number))
        return replace(change, fresh=replace(fresh, current_goal=context_id))

    async def _delete(self, store: ContextStore, context_id: str) -> None:
        begun = next(self._moments)
        try:
            await store.update(ANONYMOUS, context_id, delete())
        except StoreUnavailable:
            self.refused += 1
            return
        self._deleted.setdefault(context_id, []).append((begun, next(self._moments)))
        self.deletions += 1

    async def _look(self, store: ContextStore, context_id: str) -> None:
        since = next(self._moments)
        stored = await store.get(ANONYMOUS, context_id, newest=True)
        if stored is None:
            return
        self.faults += (f"{context_id}: {misfit}" for misfit in misfits(context_id, stored))
        deletions = [(b, e) for b, e in self._deleted.get(context_id, []) if e < since]
        marks = [mark_of(entry) for entry in stored.context.history]
        if len(set(marks)) < len(marks):
            self.faults.append(f"{context_id}: doubled entries in {marks}")
        self.faults += (f"{context_id}: {fault}" for fault in self._returned(marks, deletions))

    def _returned(self, marks: list[str], deletions: list[tuple[int, int]]) -> Iterator[str]:
        """Entries that were promised before a deletion was asked for and are there after it."""
        if not deletions:
            return
        begun, _ = deletions[-1]
        for mark in marks:
            if self._told.get(mark, begun) < begun:
                yield f"{mark} is there again after a deletion"
            elif self._asked[mark].existed and self._asked[mark].read_at < begun:
                yield f"{mark} is in a context that began after the one that its call had read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    figures: Mapping[str, int]
    faults: tuple[str, ...]

    def __str__(self) -> str:
        head = ", ".join(f"{number:,} {what}" for what, number in self.figures.items())
        return "\n".join((head, f"{len(self.faults):,} faults", *self.faults[:_SHOWN]))


async def run(url: str, deletions: int, random: Random) -> Outcome:
    """Several stores at one URL, as of several gateways."""
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(opened(url)) for _ in range(STORES)]
        churn = Churn(stores, random)
        async with asyncio.TaskGroup() as group:
            for store in stores:
                for _ in range(WORKERS):
                    group.create_task(churn.work(store, deletions))
    return Outcome(
        figures={
            "deletions": churn.deletions,
            "entries acknowledged": churn.acknowledged,
            "dropped": churn.dropped,
            "refused": churn.refused,
        },
        faults=tuple(dict.fromkeys(churn.faults)),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deletions", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    faults = 0
    with TemporaryDirectory() as directory, start_redis(Path(directory) / "redis") as server:
        for url in (server.url, f"sqlite:///{directory}/contexts.db"):
            random = Random(options.seed)  # noqa: S311 - to be repeated, not to be secret
            outcome = asyncio.run(run(url, options.deletions, random))
            print(url.partition(":")[0], outcome, sep=": ")
            faults += len(outcome.faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
