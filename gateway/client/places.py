"""A place at an API, waited for, had and given back."""

import asyncio

from gateway.policy.lanes import Entry, Lane


class Place:
    """One request's place in a lane in which `limit` may run; `leave` gives it back."""

    def __init__(self, lane: Lane[asyncio.Future[None]], *, limit: int) -> None:
        self._lane = lane
        self._limit = limit

    async def is_taken(self, until: float) -> bool:
        """Waits for it until then, on the loop's clock."""
        entry = self._lane.enter(limit=self._limit)
        if entry is not Entry.WAITS:
            return entry is Entry.RUNS
        turn = asyncio.get_running_loop().create_future()
        self._lane.wait(turn)
        try:
            async with asyncio.timeout_at(until):
                await turn
        except TimeoutError:
            # At this very moment it may have got it.
            return not self._lane.give_up(turn)
        except asyncio.CancelledError:
            if not self._lane.give_up(turn):
                self.leave()
            raise
        return True

    def leave(self) -> None:
        turn = self._lane.leave(limit=self._limit)
        # Whoever is being cancelled at this moment hands it on itself.
        if turn is not None and not turn.done():
            turn.set_result(None)
