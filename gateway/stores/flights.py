"""Group commit: the commands of one tick, or of the last ones' time, go to Redis together.

Nobody hears anything before its own answer is there.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.stores.redis_connections import RedisServers, Words

_LOG = logging.getLogger(__name__)

FLIGHT_SECONDS = 3.0
OVERTAKE_SECONDS = 0.02
"""A flight that takes longer (a node that is down, a lost packet) holds up nobody else."""
MAX_FLIGHTS = 8
MAX_LARGE_FLIGHTS = 4
MAX_COMMANDS = 256
MAX_FLIGHT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One command. `size` is in bytes, roughly. `alone`: it or its answer is large."""

    words: Words
    size: int = 0
    alone: bool = False


class Errand(Protocol):
    """Somebody's way to Redis and back, as often as it takes."""

    def pack(self) -> Parcel | None:
        """What is to be sent now; None: nothing, the errand is at its end."""
        ...

    def land(self, answer: object, sent: float) -> float | None:
        """Takes the answer to what was packed; in how many seconds to pack again, None: never.

        `sent`: when it left, by the clock. An error instance as an answer is the command's fate.
        """
        ...

    def give_up(self, error: Exception) -> None:
        """Tells everybody who waits for this errand."""
        ...


class Flights:
    """Carries errands. It owns its tasks: whoever waits for an errand may be cancelled freely."""

    def __init__(
        self, servers: RedisServers, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._servers = servers
        self._clock = clock
        self._ready: deque[Errand] = deque()
        self._large: deque[tuple[Errand, Parcel]] = deque()
        self._large_airborne = 0
        self._airborne: set[asyncio.Task[None]] = set()
        self._overdue: set[asyncio.Task[None]] = set()
        self._last: asyncio.Task[None] | None = None
        self._boarding = False
        self._closed = False

    def add(self, errand: Errand) -> None:
        """The errand leaves with the next flight; all that are added in this tick share it."""
        if self._closed:
            errand.give_up(RedisConnectionError("closed"))
            return
        self._ready.append(errand)
        if not self._boarding:
            self._boarding = True
            asyncio.get_running_loop().call_soon(self._depart)

    async def aclose(self) -> None:
        """Waits for what is in the air; what is still on the ground fails."""
        self._closed = True
        while self._ready:
            self._ready.popleft().give_up(RedisConnectionError("closed"))
        while self._large:
            self._large.popleft()[0].give_up(RedisConnectionError("closed"))
        if self._airborne:
            await asyncio.wait(self._airborne)

    def _depart(self) -> None:
        self._boarding = False
        if self._last is None and len(self._airborne) < MAX_FLIGHTS:
            load = self._load()
            if load:
                self._last = self._fly(load)
        while self._large and self._large_airborne < MAX_LARGE_FLIGHTS:
            self._large_airborne += 1
            self._fly([self._large.popleft()]).add_done_callback(self._large_landed)

    def _load(self) -> list[tuple[Errand, Parcel]]:
        load: list[tuple[Errand, Parcel]] = []
        size = 0
        while self._ready and len(load) < MAX_COMMANDS and size < MAX_FLIGHT_BYTES:
            errand = self._ready.popleft()
            parcel = self._pack(errand)
            if parcel is None:
                continue
            if parcel.alone:
                self._large.append((errand, parcel))
                continue
            load.append((errand, parcel))
            size += parcel.size
        return load

    def _pack(self, errand: Errand) -> Parcel | None:
        try:
            return errand.pack()
        except Exception as error:  # noqa: BLE001 - the other errands must get on
            _LOG.exception("a context could not be sent")
            errand.give_up(error)
            return None

    def _fly(self, load: list[tuple[Errand, Parcel]]) -> asyncio.Task[None]:
        # Kept here until it has landed, and awaited by aclose.
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._journey(load))
        self._airborne.add(task)
        task.add_done_callback(self._landed)
        loop.call_later(OVERTAKE_SECONDS, self._overtake, task)
        return task

    async def _journey(self, load: list[tuple[Errand, Parcel]]) -> None:
        sent = self._clock()
        try:
            answers = await self._servers.run([parcel.words for _, parcel in load])
        except asyncio.CancelledError:
            if asyncio.current_task() not in self._overdue:
                raise
            answers = [RedisTimeoutError("no answer")] * len(load)
        except Exception as error:  # noqa: BLE001 - whatever it was, its errands must hear of it
            answers = [error] * len(load)
        for (errand, _), answer in zip(load, answers, strict=True):
            self._land(errand, answer, sent)

    def _land(self, errand: Errand, answer: object, sent: float) -> None:
        try:
            again = errand.land(answer, sent)
        except Exception as error:  # noqa: BLE001 - the others must hear their answers
            _LOG.exception("an answer of the context store could not be handled")
            errand.give_up(error)
            return
        if again is None:
            return
        if again:
            asyncio.get_running_loop().call_later(again, self.add, errand)
        else:
            self.add(errand)

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._airborne.discard(flight)
        self._overdue.discard(flight)
        if self._last is flight:
            self._last = None
        self._depart()

    def _large_landed(self, _flight: asyncio.Task[None]) -> None:
        self._large_airborne -= 1
        self._depart()

    def _overtake(self, flight: asyncio.Task[None]) -> None:
        if flight.done():
            return
        # Few flights come so far: the others are spared a second timer.
        asyncio.get_running_loop().call_later(FLIGHT_SECONDS, self._end, flight)
        if self._last is flight:
            self._last = None
            self._depart()

    def _end(self, flight: asyncio.Task[None]) -> None:
        if not flight.done():
            self._overdue.add(flight)
            flight.cancel()
