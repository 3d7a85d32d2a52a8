"""Contexts in one Redis (6.2 or later), or a cluster of them, that any number of gateways share.

How they lie there says `redis_records`; what happens on the way there and back, `redis_errands`;
when it happens, `flights`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from redis.exceptions import RedisError, ResponseError

from gateway.errors import StoreUnavailable, UnreadableRecord
from gateway.interfaces import Change, Page, Stored
from gateway.policy import Principal
from gateway.stores.composing import Step
from gateway.stores.copies import Copies, Key
from gateway.stores.flights import Flights
from gateway.stores.record import (
    Record,
    StoreLimits,
    decode_cursor,
    decode_record,
    encode_cursor,
)
from gateway.stores.redis_connections import RedisServers, Words
from gateway.stores.redis_errands import Line, Reading, Surroundings, unavailable
from gateway.stores.redis_records import Keys, heal_words, keys_of, read_large_words
from gateway.stores.redis_urls import KEY_PREFIX

UPDATE_SECONDS = 3.0
"""The longest that any call takes."""
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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` counts seconds from anywhere."""
        self._servers = servers
        self._prefix = prefix
        self._copies = Copies(clock)
        self._world = Surroundings.of(self._copies, limits)
        self._flights = Flights(servers, clock=clock)
        self._reading: dict[Key, Reading] = {}
        self._lines: dict[Key, Line] = {}
        self._waiting = 0

    async def get(
        self, principal: Principal, context_id: str, *, newest: bool = False
    ) -> Stored | None:
        keys = keys_of(self._prefix, principal)
        record = None if newest else self._copies.fresh((keys.root, context_id))
        if record is None:
            async with self._admitted():
                record = await self._read(keys, context_id)
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
        async with self._admitted():
            line = self._lines.get((keys.root, context_id))
            if line is None:
                line = Line(keys, context_id, self._world, self._lines.pop)
                self._lines[line.key] = line
                self._flights.add(line)
            return await line.join(Step(change=change, expected=expected))

    async def list(self, principal: Principal, cursor: str | None, limit: int) -> Page:
        after = decode_cursor(cursor)
        keys = keys_of(self._prefix, principal)
        async with self._admitted():
            indexes = (("ZRANGE", keys.single, 0, -1), ("ZRANGE", keys.named, 0, -1))
            ids = sorted(name for name in _names(await self._run(*indexes)) if name > after)
            shown = ids[:limit]
            found = await self._run(*(read_large_words(keys, name) for name in shown))
            gone = [name for name, data in zip(shown, found, strict=True) if data == b""]
            if gone:
                await self._run(heal_words(keys, gone))
        return Page(
            items=tuple(_readable(found)),
            next_cursor=encode_cursor(ids[limit - 1]) if len(ids) > limit else None,
        )

    async def ping(self) -> None:
        async with self._admitted():
            [answer] = await self._run(("PING",))
            if isinstance(answer, RedisError):
                raise unavailable(answer)

    async def aclose(self) -> None:
        await self._flights.aclose()
        await self._servers.aclose()

    async def _read(self, keys: Keys, context_id: str) -> Record | None:
        reading = self._reading.get((keys.root, context_id))
        if reading is None:
            reading = Reading(keys, context_id, self._world, self._reading.pop)
            self._reading[reading.key] = reading
            self._flights.add(reading)
        return await reading.join()

    @asynccontextmanager
    async def _admitted(self) -> AsyncIterator[None]:
        """Bounds how many wait, and each one's time."""
        if self._waiting >= MAX_WAITING:
            raise StoreUnavailable("too many calls wait for the context store")
        self._waiting += 1
        try:
            async with asyncio.timeout(UPDATE_SECONDS):
                yield
        except TimeoutError as error:
            raise unavailable(error) from error
        finally:
            self._waiting -= 1

    async def _run(self, *commands: Words) -> Answers:
        """The answers, refusals among them; StoreUnavailable where one was lost."""
        answers = await self._servers.run(commands) if commands else []
        for answer in answers:
            if isinstance(answer, RedisError) and not isinstance(answer, ResponseError):
                raise unavailable(answer)
        return answers


def _names(indexes: list[object]) -> set[str]:
    names = set[str]()
    for members in indexes:
        if not isinstance(members, list):
            raise unavailable(members)
        names.update(member.decode() for member in members)
    return names


def _readable(values: list[object]) -> list[Stored]:
    items = []
    for data in values:
        # Empty: gone since the index was read. An error: of another type.
        if isinstance(data, bytes) and data:
            try:
                items.append(decode_record(data).stored)
            except UnreadableRecord:
                continue
    return items
