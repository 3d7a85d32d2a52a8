"""Many callers at several stores that share what they keep, some of which leave without waiting.

Nothing acknowledged may be lost, nothing be there twice, no caller may get another context's value,
and what a store hands out has all that was promised before it was asked.
"""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from random import Random

from gateway.context import RecordCall
from gateway.errors import StoreUnavailable
from gateway.interfaces import ContextStore, Stored
from gateway.policy import ANONYMOUS
from gateway.stores.copies import COPY_SECONDS
from tests.support.checker import Heard, Ledger, misfits
from tests.support.contexts import a_context, append, mark_of

WORKERS = 48
"""At each store: more on one context than a record remembers changes of."""
CONTEXTS = 6
HOT = 0.5
"""The share of all entries that one of the contexts gets."""
ENTRIES = 200
"""In one context; then the next one takes its place."""
LEAVING_SECONDS = 0.05
"""The longest that an impatient caller waits."""
CALM_WRITES = 64


class Storm:
    """The workers at all stores, what they were told and what they have seen."""

    def __init__(self, random: Random) -> None:
        self.ledger = Ledger()
        self.faults: list[str] = []
        self.cancelled = 0
        self._random = random
        self._numbers = count()
        self._marks = count()
        self._places = [self._fresh_context() for _ in range(CONTEXTS)]
        self._deserted: Counter[str] = Counter()
        # When each mark of a context was promised.
        self._promised: dict[str, dict[str, float]] = {}

    @property
    def deserted(self) -> Iterable[str]:
        """The contexts of callers that are about to leave."""
        return self._deserted

    async def rage(self, stores: Sequence[ContextStore], over: Callable[[], bool]) -> None:
        """Until `over`."""
        async with asyncio.TaskGroup() as group:
            for store in stores:
                for _ in range(WORKERS):
                    group.create_task(self._work(store, over))

    async def _work(self, store: ContextStore, over: Callable[[], bool]) -> None:
        while not over():
            act = self._random.choice((self._append, self._append, self._append, self._read))
            await act(store)

    async def _append(self, store: ContextStore) -> None:
        context_id, change = self._next()
        if self._random.random() < 0.3:
            heard = await self._leave(store, context_id, change)
        else:
            heard = await self._update(store, context_id, change)
        if heard is not Heard.ACKNOWLEDGED and self._random.random() < 0.5:
            # As the gateway does for a caller that has left: the same change once more.
            heard = await self._update(store, context_id, change)
        self._hear(context_id, change, heard)

    def _hear(self, context_id: str, change: RecordCall, heard: Heard) -> None:
        mark = mark_of(change.entry)
        self.ledger.hear(context_id, mark, heard)
        if heard is Heard.ACKNOWLEDGED:
            self._promised.setdefault(context_id, {})[mark] = time.monotonic()

    async def _update(self, store: ContextStore, context_id: str, change: RecordCall) -> Heard:
        try:
            stored = await store.update(ANONYMOUS, context_id, change)
        except StoreUnavailable:
            return Heard.DENIED
        self._look(context_id, stored, {mark_of(change.entry)})
        return Heard.ACKNOWLEDGED

    async def _leave(self, store: ContextStore, context_id: str, change: RecordCall) -> Heard:
        """Ask and do not wait for the answer, which comes later on that connection."""
        self._deserted[context_id] += 1
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._update(store, context_id, change))
            await asyncio.wait([task], timeout=self._random.uniform(0, LEAVING_SECONDS))
            self.cancelled += task.cancel()
        self._deserted -= Counter([context_id])
        return Heard.NOTHING if task.cancelled() else task.result()

    async def _read(self, store: ContextStore) -> None:
        context_id, _ = self._random.choice(self._places)
        newest = self._random.random() < 0.7
        # Else the answer may come from a copy, of a known age at most.
        latest = time.monotonic() - (0 if newest else COPY_SECONDS)
        since = self._promised.get(context_id, {})
        promised = {mark for mark, told in since.items() if told <= latest}
        try:
            stored = await store.get(ANONYMOUS, context_id, newest=newest)
            if self._random.random() < 0.1:
                page = await store.list(ANONYMOUS, None, 100)
                self.faults += (fault for item in page.items for fault in _foreign(item))
        except StoreUnavailable:
            return
        if stored is not None or promised:
            self._look(context_id, stored, promised)

    def _look(self, context_id: str, stored: Stored | None, promised: set[str]) -> None:
        """Whatever a store hands out is this context, whole, with all that was promised before."""
        if stored is None:
            self.faults.append(f"{context_id} was handed out as absent")
            return
        self.faults += (f"{context_id} was handed out: {m}" for m in misfits(context_id, stored))
        missing = promised - {mark_of(entry) for entry in stored.context.history}
        self.faults += (f"{context_id} was handed out without {mark}" for mark in missing)

    def _next(self) -> tuple[str, RecordCall]:
        place = 0 if self._random.random() < HOT else self._random.randrange(CONTEXTS)
        context_id, entries = self._places[place]
        if next(entries) == ENTRIES:
            self._places[place] = context_id, entries = self._fresh_context()
        return context_id, self.change(context_id)

    def change(self, context_id: str) -> RecordCall:
        """The next entry of a context that is tagged with its id."""
        change = append(f"m{next(self._marks)}", context_id=context_id)
        self.ledger.ask(context_id, mark_of(change.entry))
        return replace(change, fresh=replace(a_context(context_id), current_goal=context_id))

    def _fresh_context(self) -> tuple[str, "count[int]"]:
        return f"ocp-{next(self._numbers):08x}", count()

    async def calm(self, store: ContextStore) -> None:
        """Without faults, more callers at once than there are connections are all served."""

        async def write(context_id: str) -> None:
            change = self.change(context_id)
            heard = await self._update(store, context_id, change)
            self._hear(context_id, change, heard)
            if heard is not Heard.ACKNOWLEDGED:
                self.faults.append(f"{context_id}: not served when all was calm")

        async with asyncio.TaskGroup() as group:
            for _ in range(CALM_WRITES):
                context_id, _ = self._fresh_context()
                group.create_task(write(context_id))


def _foreign(item: Stored) -> Iterator[str]:
    """A list shows contexts without their histories."""
    context = item.context
    if context.current_goal != context.context_id:
        yield f"{context.context_id} was listed with the goal {context.current_goal}"


def unheard_errors() -> list[str]:
    """A list that gets every error that no code hears of, from now on in this event loop."""
    unheard: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, told: unheard.append(f"nobody heard: {told}"))
    return unheard


def still_running() -> Iterator[str]:
    """Tasks that somebody has left behind."""
    gc.collect()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        yield f"still running: {task}"
