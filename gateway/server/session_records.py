"""What legacy sessions have left behind: that they ended, their log level, what they watch.

The id carries everything else (`gateway.mcp.sessions`). This is on the board that all processes
share, and a copy of it here for a few seconds; ask only about sessions whose ids are authentic.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from gateway.errors import BadRequest, StoreUnavailable
from gateway.interfaces import SessionBoard

FRESH_SECONDS = 5.0
"""How long a process may not know what another one has noted."""
MAX_WATCHED = 1_000
MAX_URI = 2_048
_MAX_SEEN = 20_000
_MAX_ENDED = 100_000
_ENDED = "ended"
_LEVEL = "level"
_WATCHED = "watched:"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionNotes:
    """`level`: of `logging/setLevel`, None before. `watched`: URIs of `resources/subscribe`."""

    ended: bool = False
    level: str | None = None
    watched: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Seen:
    notes: SessionNotes
    at: float


class SessionRecords:
    """Reads and writes notes by a session's nonce; a board that is down is no failure here.

    Then a session goes on with what is known of it, or with defaults, and what is written holds in
    this process: the end of a session for good, the rest until the board is back. `until`: when the
    session expires, seconds since the epoch.
    """

    def __init__(
        self,
        board: SessionBoard,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`: seconds since the epoch; `monotonic`: from anywhere, never going back."""
        self._board = board
        self._clock = clock
        self._monotonic = monotonic
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()
        self._ended: OrderedDict[bytes, float] = OrderedDict()

    async def look(self, nonce: bytes) -> SessionNotes:
        if nonce in self._ended:
            return SessionNotes(ended=True)
        seen = self._seen.get(nonce)
        if seen is None or self._monotonic() - seen.at >= FRESH_SECONDS:
            seen = await self._read(nonce, seen)
        return seen.notes

    async def end(self, nonce: bytes, *, until: float) -> None:
        self._seen.pop(nonce, None)
        self._ended[nonce] = until
        now = self._clock()
        while self._ended and (
            len(self._ended) > _MAX_ENDED or next(iter(self._ended.values())) <= now
        ):
            self._ended.popitem(last=False)
        await self._note(nonce, _ENDED, b"1", until)

    async def set_level(self, nonce: bytes, level: str, *, until: float) -> None:
        await self.look(nonce)
        await self._note(nonce, _LEVEL, level.encode(), until)
        self._change(nonce, lambda notes: replace(notes, level=level))

    async def watch(self, nonce: bytes, uri: str, *, until: float) -> None:
        """Raises BadRequest for one too many, or one too long."""
        watched = (await self.look(nonce)).watched
        if uri not in watched and len(watched) >= MAX_WATCHED:
            raise BadRequest(f"A session watches at most {MAX_WATCHED} resources")
        if len(uri) > MAX_URI:
            raise BadRequest(f"A URI has at most {MAX_URI} characters")
        await self._note(nonce, _WATCHED + uri, b"1", until)
        self._change(nonce, lambda notes: replace(notes, watched=notes.watched | {uri}))

    async def unwatch(self, nonce: bytes, uri: str, *, until: float) -> None:
        if uri in (await self.look(nonce)).watched:
            await self._note(nonce, _WATCHED + uri, None, until)
            self._change(nonce, lambda notes: replace(notes, watched=notes.watched - {uri}))

    async def _read(self, nonce: bytes, seen: _Seen | None) -> _Seen:
        try:
            notes = _notes_of(await self._board.notes(nonce.hex()))
        except StoreUnavailable:
            notes = seen.notes if seen else SessionNotes()
        current = self._seen.get(nonce)
        if current is not None and current is not seen:
            return current  # somebody here has written meanwhile, or read later
        return self._keep(nonce, _Seen(notes, self._monotonic()))

    async def _note(self, nonce: bytes, name: str, value: bytes | None, until: float) -> None:
        with suppress(StoreUnavailable):
            await self._board.note(nonce.hex(), name, value, seconds=until - self._clock())

    def _change(self, nonce: bytes, change: Callable[[SessionNotes], SessionNotes]) -> None:
        """In the copy, which is as old as before: others may have noted other things since."""
        seen = self._seen.get(nonce, _Seen(SessionNotes(), self._monotonic()))
        self._keep(nonce, replace(seen, notes=change(seen.notes)))

    def _keep(self, nonce: bytes, seen: _Seen) -> _Seen:
        self._seen[nonce] = seen
        self._seen.move_to_end(nonce)
        if len(self._seen) > _MAX_SEEN:
            self._seen.popitem(last=False)
        return seen


def _notes_of(page: Mapping[str, bytes]) -> SessionNotes:
    level = page.get(_LEVEL)
    return SessionNotes(
        ended=_ENDED in page,
        level=None if level is None else level.decode(errors="replace"),
        watched=frozenset(
            name.removeprefix(_WATCHED) for name in page if name.startswith(_WATCHED)
        ),
    )
