"""A board behind the guard of the store that it shares a place with."""

from collections.abc import Mapping

from gateway.interfaces import SessionBoard
from gateway.stores.breaker import GuardedStore


class GuardedBoard:
    """A SessionBoard that fails at once while the store is down, and tells it of its failures."""

    def __init__(self, board: SessionBoard, guard: GuardedStore) -> None:
        self._board = board
        self._guard = guard

    async def note(self, page: str, name: str, value: bytes | None, *, seconds: float) -> None:
        await self._guard.write_beside(lambda: self._board.note(page, name, value, seconds=seconds))

    async def notes(self, page: str) -> Mapping[str, bytes]:
        return await self._guard.look_beside(lambda: self._board.notes(page))

    async def post(self, box: str, value: bytes, *, seconds: float) -> None:
        await self._guard.write_beside(lambda: self._board.post(box, value, seconds=seconds))

    async def take(self, box: str, *, seconds: float) -> bytes | None:
        # It takes as long as people take: its time says nothing about the store.
        return await self._board.take(box, seconds=seconds)

    async def aclose(self) -> None:
        await self._board.aclose()
