"""Contexts in one Redis (6.2 or later), or a cluster of them, that any number of gateways share.

How they lie there says `redis_records`; what happens on the way there and back, `redis_errands`
and `redis_lines`; when it happens, `flights`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from redis.exceptions import RedisError, ResponseError

from gateway.errors import StoreBusy
from gateway.interfaces import Change, Page, Stored
from gateway.policy import Principal
from gateway.stores.composing import Step
from gateway.stores.copies import Copies, Key
from gateway.stores.deadlines import Deadlines
from gateway.stores.flights import Flights
from gateway.stores.record import Record, StoreLimits, decode_cursor
from gateway.stores.redis_connections import RedisServers, Words
from gateway.stores.redis_errands import Reading, Surroundings, unavailable
from gateway.stores.redis_lines import Line
from gateway.stores.redis_listing import read_page
from gateway.stores.redis_records import Keys, keys_of
from gateway.stores.redis_urls import KEY_PREFIX

UPDATE_SECONDS = 3.0
MAX_WAITING = 4096
"""Calls that wait for Redis at the same time."""

Answers = list[object]


class RedisStore:
    """A ContextStore in Redis. Nothing is connected before the first call."""

    def __init__(
        self,
        servers: RedisServers,
        limits: StoreLimits,
        *,
        prefix: str = KEY_PREFIX,
        patience: float = UPDATE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`patience`: the longest that a call takes, in seconds. `clock` counts from anywhere."""
        self._servers = servers
        self._prefix = prefix
        self._copies = Copies(clock)
        self._world = Surroundings.of(self._copies, limits)
        self._flights = Flights(servers, clock=clock)
        self._reading: dict[Key, Reading] = {}
        self._lines: dict[Key, Line] = {}
        self._patience = patience
        self._deadlines = Deadlines(patience, "the context store failed: no answer in time")
        self._waiting = 0

    async def get(
        self, principal: Principal, context_id: str, *, newest: bool = False
    ) -> Stored | None:
        keys = keys_of(self._prefix, principal)
        record = None if newest else self._copies.fresh((keys.root, context_id))
        if record is None:
            self._enter()
            try:
                record = await self._deadlines.wait(self._read(keys, context_id))
            finally:
                self._waiting -= 1
        return record.stored if record else None

    async def update(
        self,
        principal: Principal,
        context_id: str,
        change: Change,
        *,
        expected: int | None = None,
    ) -> Stored | None:
        keys = keys_of(self._prefix, principal)
        self._enter()
        try:
            line = self._lines.get((keys.root, context_id))
            if line is None:
                line = Line(keys, context_id, self._world, self._lines.pop)
                self._lines[line.key] = line
                self._flights.add(line)
            return await self._deadlines.wait(line.join(Step(change=change, expected=expected)))
        finally:
            self._waiting -= 1

    async def list(self, principal: Principal, cursor: str | None, limit: int) -> Page:
        after = decode_cursor(cursor)
        async with self._admitted():
            return await read_page(self._run, keys_of(self._prefix, principal), after, limit)

    async def ping(self) -> None:
        async with self._admitted():
            [answer] = await self._run([("PING",)])
            if isinstance(answer, RedisError):
                raise unavailable(answer)

    async def aclose(self) -> None:
        await self._flights.aclose()
        await self._servers.aclose()

    def _read(self, keys: Keys, context_id: str) -> "asyncio.Future[Record | None]":
        reading = self._reading.get((keys.root, context_id))
        if reading is None:
            reading = Reading(keys, context_id, self._world, self._reading.pop)
            self._reading[reading.key] = reading
            self._flights.add(reading)
        return reading.join()

    def _enter(self) -> None:
        if self._waiting >= MAX_WAITING:
            raise StoreBusy("too many calls wait for the context store")
        self._waiting += 1

    @asynccontextmanager
    async def _admitted(self) -> AsyncIterator[None]:
        """Bounds how many wait, and each one's time."""
        self._enter()
        try:
            async with asyncio.timeout(self._patience):
                yield
        except TimeoutError as error:
            raise unavailable(error) from error
        finally:
            self._waiting -= 1

    async def _run(self, commands: Sequence[Words]) -> Answers:
        """The answers, refusals among them; StoreUnavailable where one was lost."""
        answers = await self._servers.run(commands)
        for answer in answers:
            if isinstance(answer, RedisError) and not isinstance(answer, ResponseError):
                raise unavailable(answer)
        return answers
