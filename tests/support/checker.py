"""The judge of what a context store kept: each acknowledged entry once, nobody else's, counted."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.context import HistoryEntry
from gateway.interfaces import Stored
from gateway.policy import ANONYMOUS
from tests.support.contexts import opened

MarkOf = Callable[[HistoryEntry], str]


class Heard(StrEnum):
    """What a writer heard of an entry. Only ACKNOWLEDGED is a promise."""

    ACKNOWLEDGED = "acknowledged"
    DENIED = "denied"
    NOTHING = "nothing"


class Ledger:
    """What writers asked for and what they heard. A mark is unique within its context."""

    def __init__(self) -> None:
        self.heard: dict[str, dict[str, Heard]] = {}

    def ask(self, context_id: str, mark: str) -> None:
        """Before anything is sent: from here on the entry may be there."""
        marks = self.heard.setdefault(context_id, {})
        assert mark not in marks, "a mark is used once"
        marks[mark] = Heard.NOTHING

    def hear(self, context_id: str, mark: str, heard: Heard) -> None:
        self.heard[context_id][mark] = heard

    def tally(self) -> Counter[Heard]:
        return Counter(heard for marks in self.heard.values() for heard in marks.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`faults` are what must not be, in words; `unpromised` entries are there without a promise."""

    contexts: int
    heard: Counter[Heard]
    present: int
    unpromised: Counter[Heard]
    faults: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        tally = ", ".join(f"{self.heard[heard]:,} {heard}" for heard in Heard)
        yield f"{self.heard.total():,} entries in {self.contexts:,} contexts: {tally}"
        denied, silent = self.unpromised[Heard.DENIED], self.unpromised[Heard.NOTHING]
        yield (
            f"{self.present:,} present; of those {denied:,} were denied and of {silent:,} nothing"
            " was heard"
        )


def judge(ledger: Ledger, kept: Mapping[str, Stored | None], mark_of: MarkOf) -> Verdict:
    """Compare what was promised with what is `kept`, by context id.

    Every context's goal must be its id, and nothing but the ledger's entries may have moved it.
    """
    present: Counter[Heard] = Counter()
    faults: list[str] = []
    for context_id, marks in ledger.heard.items():
        stored = kept.get(context_id)
        found = [mark_of(entry) for entry in stored.context.history] if stored else []
        present.update(marks[mark] for mark in set(found) if mark in marks)
        faults += (f"{context_id}: {fault}" for fault in _faults(marks, found))
        if stored is not None:
            faults += (f"{context_id}: {fault}" for fault in misfits(context_id, stored))
    return Verdict(
        contexts=len(ledger.heard),
        heard=ledger.tally(),
        present=present.total(),
        unpromised=Counter({h: n for h, n in present.items() if h is not Heard.ACKNOWLEDGED}),
        faults=tuple(faults),
    )


def _faults(marks: Mapping[str, Heard], found: list[str]) -> Iterator[str]:
    times = Counter(found)
    for mark, heard in marks.items():
        if heard is Heard.ACKNOWLEDGED and mark not in times:
            yield f"{mark} was acknowledged and is lost"
    for mark, number in times.items():
        if mark not in marks:
            yield f"{mark} belongs elsewhere"
        if number > 1:
            yield f"{mark} is there {number} times"


def misfits(context_id: str, stored: Stored) -> Iterator[str]:
    """What one state of a tagged context, that only appends have moved, says against itself."""
    context, entries = stored.context, len(stored.context.history)
    counted = context.session.interaction_count if context.session else None
    if context.context_id != context_id or context.current_goal != context_id:
        yield f"holds {context.context_id} with the goal {context.current_goal}"
    if counted != entries:
        yield f"counts {counted} of {entries} entries"
    if stored.version != entries:
        yield f"has version {stored.version} after {entries} entries"


async def read_all(url: str, ledger: Ledger) -> dict[str, Stored | None]:
    """Every context of the ledger, through a store that has seen none of it."""
    async with opened(url) as store:
        return {
            context_id: await store.get(ANONYMOUS, context_id, newest=True)
            for context_id in ledger.heard
        }
