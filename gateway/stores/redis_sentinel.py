"""Redis behind Sentinel: the master of a service, as its sentinels name it."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.stores.redis_connections import RedisServer, Words
from gateway.stores.redis_urls import Address

_LOG = logging.getLogger(__name__)

SENTINEL_SECONDS = 0.5
"""To connect to a sentinel, and for its answer: two that are gone leave time for the third."""
MASTER_SECONDS = 5.0
"""How long what Sentinel said of the master is believed while nothing contradicts it."""
_PAUSE_SECONDS = 0.25


class SentinelServers:
    """The master of one service, as its sentinels name it.

    They are asked again after a failure and every MASTER_SECONDS, so that a master which
    they have given up is left even while it goes on answering.
    """

    def __init__(
        self,
        sentinels: Sequence[RedisServer],
        service: str,
        server_at: Callable[[Address], RedisServer],
    ) -> None:
        self._sentinels = list(sentinels)
        self._service = service
        self._server_at = server_at
        self._asking = asyncio.Lock()
        self._ask_after = 0.0
        self._address: Address | None = None
        self._master: RedisServer | None = None

    async def run(self, commands: Sequence[Words]) -> list[object]:
        await self._find_master()
        if self._master is None:
            return [RedisConnectionError("no sentinel names a master")] * len(commands)
        answers = [_seen(answer) for answer in await self._master.run(commands)]
        if any(isinstance(answer, RedisConnectionError | RedisTimeoutError) for answer in answers):
            self._ask_after = 0.0
        return answers

    async def aclose(self) -> None:
        for sentinel in self._sentinels:
            await sentinel.aclose()
        if self._master is not None:
            await self._master.aclose()

    async def _find_master(self) -> None:
        now = asyncio.get_running_loop().time
        if now() < self._ask_after:
            return
        async with self._asking:
            if now() < self._ask_after:
                return
            address = await self._ask()
            # While no sentinel answers, the master that is known may well be there.
            patience = _PAUSE_SECONDS if address is None else MASTER_SECONDS
            self._ask_after = now() + patience
            if address is not None and address != self._address:
                await self._follow(address)

    async def _ask(self) -> Address | None:
        question: Words = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service)
        for sentinel in tuple(self._sentinels):
            # Last until it has answered: who gives up on it now does not begin with it again.
            self._sentinels.remove(sentinel)
            self._sentinels.append(sentinel)
            [answer] = await sentinel.run([question])
            match answer:
                case [bytes(host), bytes(port)] if host and port.isdigit():
                    self._sentinels.remove(sentinel)
                    self._sentinels.insert(0, sentinel)
                    return host.decode(errors="replace"), int(port)
        return None

    async def _follow(self, address: Address) -> None:
        former, self._master = self._master, self._server_at(address)
        self._address = address
        if former is not None:
            _LOG.warning(
                "Redis Sentinel names another master: updates that the former one acknowledged"
                " and had not passed on are lost"
            )
            await former.aclose()


def _seen(answer: object) -> object:
    """READONLY: what was the master when the sentinels were asked is one no more."""
    if isinstance(answer, ReadOnlyError):
        return RedisConnectionError("the master became a replica")
    return answer
