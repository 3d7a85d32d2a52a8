"""A writer that goes on whatever happens to the store, and what must hold of all it has written."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.errors import StoreUnavailable
from gateway.interfaces import ContextStore
from gateway.policy import ANONYMOUS
from tests.support.contexts import append, tools_of


@dataclass
class Appender:
    """Appends `NAME-NUMBER` to one context, each once, until it is stopped.

    `pause`: seconds between two, so that a context does not grow past all bounds meanwhile.
    """

    store: ContextStore
    context_id: str
    name: str = "entry"
    pause: float = 0.005
    acknowledged: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    _stopped: bool = False
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def attempts(self) -> int:
        return len(self.acknowledged) + len(self.unanswered)

    async def run(self) -> None:
        while not self._stopped:
            entry = f"{self.name}-{self.attempts}"
            change = append(entry, context_id=self.context_id)
            try:
                await self.store.update(ANONYMOUS, self.context_id, change)
            except StoreUnavailable:
                self.unanswered.append(entry)
            else:
                self.acknowledged.append(entry)
            self._moved.set()
            await asyncio.sleep(self.pause)

    def stop(self) -> None:
        self._stopped = True

    async def until(self, acknowledged: int) -> None:
        while len(self.acknowledged) < acknowledged:
            self._moved.clear()
            await self._moved.wait()

    async def stored(self) -> list[str]:
        """What the store holds now, each entry once and counted."""
        found = await self.store.get(ANONYMOUS, self.context_id, newest=True)
        assert found is not None
        entries = tools_of(found.context)
        assert len(set(entries)) == len(entries), "an entry stands twice"
        assert found.context.session is not None
        assert found.context.session.interaction_count == len(entries)
        return [entry for entry in entries if entry.startswith(f"{self.name}-")]


def count_lost(acknowledged: Sequence[str], stored: Sequence[str]) -> int:
    """How many of the last are gone; none before them, and the others are in their order."""
    present = set(stored)
    kept = [entry for entry in acknowledged if entry in present]
    assert kept == list(acknowledged[: len(kept)]), "a hole in what was acknowledged"
    assert kept == [entry for entry in stored if entry in set(kept)], "another order"
    return len(acknowledged) - len(kept)
