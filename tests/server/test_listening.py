"""Telling many subscribers, with outlets that write down what they are given."""

import asyncio
import json
import logging
from dataclasses import dataclass, field

import pytest

from gateway.catalog import Subject, Topic
from gateway.engine import CatalogWatch
from gateway.mcp import Subscribe
from gateway.server.listening import MAX_BACKLOG, Listening, know_nothing
from gateway.server.session_records import MAX_WATCHED, SessionNotes
from gateway.server.subscribers import Subscriber
from tests.support.listening import AFTER, BEFORE, PATIENCE, pets, until
from tests.support.mcp_core import NOW, SERVER


@dataclass(slots=True)
class Notebook:
    """An outlet that never sends anything."""

    backlog: int = 0
    pings: int = 0
    dropped: bool = False
    said: list[str] = field(default_factory=list)

    def send(self, message: bytes, event_id: str = "") -> None:
        assert not event_id
        value = json.loads(message)
        self.said.append(value.get("method", "result"))

    def ping(self) -> None:
        self.pings += 1

    def drop(self) -> None:
        self.dropped = True


def modern(outlet: Notebook, *subjects: Subject) -> Subscriber:
    subscribe = Subscribe(id=1, server=SERVER, subjects=subjects or (Topic.TOOLS,))
    return Subscriber(outlet=outlet, catalog=BEFORE, subscribe=subscribe)


def listening(watch: CatalogWatch | None = None, *, ping_seconds: float = 15.0) -> Listening:
    return Listening(watch or CatalogWatch(BEFORE), clock=lambda: NOW, ping_seconds=ping_seconds)


async def test_nothing_runs_while_nobody_listens() -> None:
    before = asyncio.all_tasks()
    everybody = listening()
    assert asyncio.all_tasks() == before
    await everybody.aclose()
    await everybody.open(modern(Notebook()))
    assert asyncio.all_tasks() == before


async def test_who_listens_from_an_older_catalog_is_told_at_once() -> None:
    everybody, late = listening(CatalogWatch(AFTER)), Notebook()
    await everybody.open(modern(late))
    assert late.said == ["notifications/tools/list_changed"]
    await everybody.aclose()
    assert late.said[1:] == ["result"]


async def test_who_has_left_is_not_told() -> None:
    everybody, gone, there = listening(), Notebook(), Notebook()
    leaver = modern(gone)
    await everybody.open(leaver)
    await everybody.open(modern(there))
    everybody.forget(leaver)
    everybody.forget(leaver)
    everybody.watch.announce(AFTER)
    await until(lambda: bool(there.said))
    everybody.end(leaver)
    assert (gone.said, len(everybody)) == ([], 1)
    await everybody.aclose()


@pytest.mark.parametrize("what", ["a notice", "an end"])
async def test_who_leaves_too_much_unread_is_dropped_without_a_word(what: str) -> None:
    everybody, slow, quick = listening(), Notebook(), Notebook()
    await everybody.open(modern(slow))
    await everybody.open(modern(quick))
    slow.backlog, quick.backlog = MAX_BACKLOG + 1, MAX_BACKLOG
    if what == "a notice":
        everybody.watch.announce(AFTER)
        await until(lambda: bool(quick.said))
        assert len(everybody) == 1
    everybody.close()
    assert (slow.dropped, slow.said, quick.dropped) == (True, [], False)
    assert quick.said[-1] == "result"
    await everybody.aclose()


async def test_who_has_not_read_the_last_sign_of_life_gets_no_other() -> None:
    everybody, slow, quick = listening(ping_seconds=0.001), Notebook(backlog=1), Notebook()
    await everybody.open(modern(slow))
    await everybody.open(modern(quick))
    await until(lambda: quick.pings > 2)
    assert slow.pings == 0
    await everybody.aclose()


async def test_a_mistake_in_one_round_does_not_silence_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    everybody, outlet = listening(), Notebook()
    subscriber = modern(outlet, Topic.RESOURCES)
    await everybody.open(subscriber)
    working, subscriber.outlet = subscriber.outlet, None  # type: ignore[assignment]
    everybody.watch.announce(pets("listPets", title="Animals"))
    with caplog.at_level(logging.ERROR):
        await until(lambda: "telling subscribers failed" in caplog.text)
    subscriber.outlet = working
    everybody.watch.announce(BEFORE)
    await until(lambda: bool(outlet.said))
    await everybody.aclose()


async def test_whoever_watches_much_keeps_nobody_waiting() -> None:
    uris = frozenset(f"gateway://tools/t{n}" for n in range(MAX_WATCHED))

    async def look(_: bytes) -> SessionNotes:
        return SessionNotes(watched=uris)

    everybody, outlet = Listening(CatalogWatch(pets()), clock=lambda: NOW, look=look), Notebook()
    subscriber = Subscriber(outlet=outlet, catalog=pets(), session=b"s")
    await everybody.open(subscriber)
    everybody.watch.announce(pets(*(f"t{n}" for n in range(MAX_WATCHED))))
    await until(lambda: len(outlet.said) == 1 + MAX_WATCHED)
    await everybody.aclose()
    # A session's stream ends without a word.
    assert set(outlet.said) == {
        "notifications/tools/list_changed",
        "notifications/resources/updated",
    }


async def test_a_newer_stream_of_a_session_ends_the_older() -> None:
    everybody = listening()
    older = Subscriber(outlet=Notebook(), catalog=BEFORE, session=b"s")
    older.ended = asyncio.get_running_loop().create_future()
    await everybody.open(older)
    newer = Subscriber(outlet=Notebook(), catalog=BEFORE, session=b"s")
    await everybody.open(newer)
    async with asyncio.timeout(PATIENCE):
        await older.ended
    everybody.forget(older)
    assert len(everybody) == 1
    everybody.end_session(b"s")
    everybody.end_session(b"s")
    assert len(everybody) == 0
    await everybody.aclose()


async def test_of_a_session_nothing_is_known_where_nothing_is_noted() -> None:
    assert await know_nothing(b"s") == SessionNotes()
