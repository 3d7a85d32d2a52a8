"""Tells whoever listens that the catalog has changed: all streams of all eras, from one task."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence

from gateway.catalog import can_be_told
from gateway.engine import CatalogWatch
from gateway.mcp import Heard, farewell, heard_of, withdrawal
from gateway.server.session_records import SessionNotes
from gateway.server.subscribers import Subscriber
from gateway.server.telling import Notice, Round, Watched, missed_news

_LOG = logging.getLogger(__name__)

WINDOW_SECONDS = 0.1
"""Changes that follow one another this closely are told together."""
PING_SECONDS = 15.0
MAX_BACKLOG = 32_768
"""Bytes that a subscriber may leave unread; from twice as many on, aiohttp would wait for it."""
# After this many subscribers, or URIs of one, everybody else has a turn.
_SLICE = 128

Look = Callable[[bytes], Awaitable[SessionNotes]]


async def know_nothing(_: bytes) -> SessionNotes:
    """What is noted of a session where nothing is."""
    return SessionNotes()


class Listening:
    """The subscribers of one process. Costs nothing while there are none.

    `look` gives what is noted of a legacy session; `clock`: seconds since the epoch.
    """

    def __init__(
        self,
        watch: CatalogWatch,
        *,
        clock: Callable[[], float],
        look: Look = know_nothing,
        ping_seconds: float = PING_SECONDS,
    ) -> None:
        self.watch = watch
        self._clock = clock
        self._look = look
        self._ping_seconds = ping_seconds
        self._open: dict[Subscriber, None] = {}
        self._sessions: dict[bytes, Subscriber] = {}
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._open)

    async def open(self, subscriber: Subscriber, heard: Heard | None = None) -> None:
        """From now on tell it of what is not as in its catalog, or as it has `heard` before.

        The older stream of the same session ends.
        """
        if subscriber.session is not None:
            self.end_session(subscriber.session)
            self._sessions[subscriber.session] = subscriber
        self._open[subscriber] = None
        if self._task is None and not self._closing:
            # Owned here and awaited in `aclose`; a group would tie it to the first stream.
            self._task = asyncio.create_task(self._run(self.watch.number))  # noqa: TID251
        if heard is not None:
            watched = await self._watched_by(subscriber)
            self._say(subscriber, missed_news(subscriber, heard, watched, self.watch.declared))
        await self._tell((subscriber,))
        if self._closing:
            self.end(subscriber)

    async def heard(self, subscriber: Subscriber) -> Heard:
        """What a subscriber knows before it has been told anything."""
        watched = await self._watched_by(subscriber)
        return heard_of(subscriber.catalog, subscriber.api, watched, self.watch.declared)

    def end(self, subscriber: Subscriber) -> None:
        """Ends a stream that is still open, in good order."""
        if subscriber in self._open and not self._drop_if_slow(subscriber):
            self.forget(subscriber)
            if subscriber.subscribe is not None:
                subscriber.outlet.send(farewell(subscriber.subscribe))
                if subscriber.is_line:
                    subscriber.outlet.send(withdrawal(subscriber.subscribe))
            subscriber.end()

    def end_session(self, session: bytes) -> None:
        """Ends the stream of a legacy session, if it has one here."""
        subscriber = self._sessions.get(session)
        if subscriber is not None:
            self.end(subscriber)

    def forget(self, subscriber: Subscriber) -> None:
        """There is nobody behind it any more."""
        self._open.pop(subscriber, None)
        if subscriber.session is not None and self._sessions.get(subscriber.session) is subscriber:
            del self._sessions[subscriber.session]

    def close(self) -> None:
        """Ends every stream, and those that are still to come."""
        self._closing = True
        for subscriber in tuple(self._open):
            self.end(subscriber)

    async def aclose(self) -> None:
        """Ends every stream and stops telling."""
        self.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, number: int) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_telling(number))
            group.create_task(self._keep_alive())

    async def _keep_telling(self, number: int) -> None:
        while True:
            await self.watch.after(number)
            await asyncio.sleep(WINDOW_SECONDS)
            number = self.watch.number
            await _survive(self._tell(tuple(self._open)))

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._ping_seconds)
            await _survive(self._sweep())

    async def _tell(self, subscribers: Iterable[Subscriber]) -> None:
        this = Round(self.watch.declared)
        behind = [each for each in subscribers if each.catalog is not self.watch.catalog]
        for some in _slices(behind):
            notes = await self._notes(some)
            for subscriber in some:
                if subscriber in self._open:
                    watched = _watched(notes.get(subscriber))
                    # Not the catalog of when the round began, which somebody may know already.
                    self._say(subscriber, this.news(subscriber, self.watch.catalog, watched))
                    if len(watched) > _SLICE:
                        await asyncio.sleep(0)
            await asyncio.sleep(0)

    def _say(self, subscriber: Subscriber, notices: Sequence[Notice]) -> None:
        if notices and not self._drop_if_slow(subscriber):
            for message, event_id in notices:
                subscriber.outlet.send(message, event_id)

    def _drop_if_slow(self, subscriber: Subscriber) -> bool:
        # Asked before something is said, which nobody has had the time to read.
        slow = subscriber.outlet.backlog > MAX_BACKLOG
        if slow:
            self.forget(subscriber)
            subscriber.outlet.drop()
        return slow

    async def _sweep(self) -> None:
        now = self._clock()
        for some in _slices(tuple(self._open)):
            notes = await self._notes(some)
            for subscriber in some:
                known = notes.get(subscriber)
                if subscriber.expires_at <= now or (known is not None and known.ended):
                    self.end(subscriber)
                elif subscriber in self._open and not subscriber.outlet.backlog:
                    subscriber.outlet.ping()
            await asyncio.sleep(0)

    async def _watched_by(self, subscriber: Subscriber) -> Watched:
        notes = await self._notes((subscriber,))
        return _watched(notes.get(subscriber))

    async def _notes(self, subscribers: Sequence[Subscriber]) -> Mapping[Subscriber, SessionNotes]:
        """What is noted of the legacy ones among them; others have nothing noted."""
        legacy = {each: each.session for each in subscribers if each.session is not None}
        found = await asyncio.gather(*(self._look(session) for session in legacy.values()))
        return dict(zip(legacy, found, strict=True))


def _watched(notes: SessionNotes | None) -> Watched:
    return () if notes is None else tuple(sorted(filter(can_be_told, notes.watched)))


def _slices(subscribers: Sequence[Subscriber]) -> Iterator[Sequence[Subscriber]]:
    for start in range(0, len(subscribers), _SLICE):
        yield subscribers[start : start + _SLICE]


async def _survive(work: Coroutine[object, object, None]) -> None:
    """Does it; a mistake of ours in one round must not silence all later ones."""
    try:
        await work
    except Exception:  # noqa: BLE001 - the loop outlives a mistake in the program
        _LOG.exception("telling subscribers failed")
