"""The board of gateways that share a Redis, or a cluster of them.

Keys, each in a Cluster slot of its own:

    PREFIXsession:PAGE   hash of notes by name
    PREFIXbox:BOX        list of the one value that somebody waits for
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from redis.exceptions import (
    AskError,
    ClusterDownError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)

from gateway.errors import StoreBusy, StoreUnavailable
from gateway.stores.memory_board import refuse_large
from gateway.stores.redis_connections import RedisServers, Words
from gateway.stores.redis_errands import unavailable
from gateway.stores.redis_servers import connect_beside
from gateway.stores.redis_urls import RedisAddress

PATIENCE_SECONDS = 3.0
"""The longest that anything takes but the waiting for a box; so long an outage ends that, too."""
SLICE_SECONDS = 5.0
"""How long one BLPOP waits. A server that has vanished without a word is noticed after it."""
MAX_CONNECTIONS = 4
"""For everything else, which is short: a burst shall not open as many as it has commands."""
MAX_TAKING = 128
"""Those who wait for a box at the same time, each on a connection of its own."""
_PAUSE_SECONDS = 0.1
_PASSING = (AskError, ClusterDownError, ReadOnlyError, TryAgainError)

# KEYS: page. ARGV: name, milliseconds, value (absent: the note goes).
_NOTE = """
if ARGV[3] then redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
else return redis.call('HDEL', KEYS[1], ARGV[1]) end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
"""
# KEYS: box. ARGV: value, milliseconds. One script: a list that no command has given an end stays.
_POST = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""


class RedisBoard:
    """A SessionBoard in Redis. Nothing is connected before the first call."""

    def __init__(self, servers: RedisServers, waiting: RedisServers, *, prefix: str) -> None:
        """`waiting`: the same servers, over connections on which BLPOP waits SLICE_SECONDS."""
        self._servers = servers
        self._waiting = waiting
        self._prefix = prefix
        self._taking = 0

    async def note(self, page: str, name: str, value: bytes | None, *, seconds: float) -> None:
        refuse_large(value)
        words: Words = ("EVAL", _NOTE, 1, self._page(page), name, _milliseconds(seconds))
        await self._ask(words if value is None else (*words, value))

    async def notes(self, page: str) -> Mapping[str, bytes]:
        answer = await self._ask(("HGETALL", self._page(page)))
        flat = answer if isinstance(answer, list) else []
        return {name.decode(): value for name, value in zip(flat[::2], flat[1::2], strict=True)}

    async def post(self, box: str, value: bytes, *, seconds: float) -> None:
        refuse_large(value)
        await self._ask(("EVAL", _POST, 1, self._box(box), value, _milliseconds(seconds)))

    async def take(self, box: str, *, seconds: float) -> bytes | None:
        if self._taking >= MAX_TAKING:
            raise StoreBusy("too many questions wait for their answers")
        self._taking += 1
        try:
            return await self._wait(self._box(box), seconds)
        finally:
            self._taking -= 1

    async def aclose(self) -> None:
        await self._servers.aclose()
        await self._waiting.aclose()

    async def _wait(self, key: str, seconds: float) -> bytes | None:
        now = asyncio.get_running_loop().time
        end, failing_since = now() + seconds, float("inf")
        while (left := end - now()) > 0:
            # Redis takes 0 for "for ever".
            slice_seconds = max(0.01, min(SLICE_SECONDS, left))
            [answer] = await self._waiting.run([("BLPOP", key, f"{slice_seconds:.3f}")])
            match answer:
                case [_, bytes(value)]:
                    return value
                case None:
                    failing_since = float("inf")
                case _ if _is_refusal(answer) or now() - failing_since > PATIENCE_SECONDS:
                    raise _failure(answer)
                case _:
                    # A failover takes a moment, and people take longer.
                    failing_since = min(failing_since, now())
                    await asyncio.sleep(_PAUSE_SECONDS)
        return None

    async def _ask(self, words: Words) -> object:
        async with _in_time():
            [answer] = await self._servers.run([words])
        if isinstance(answer, Exception):
            raise _failure(answer)
        return answer

    def _page(self, page: str) -> str:
        return f"{self._prefix}session:{page}"

    def _box(self, box: str) -> str:
        return f"{self._prefix}box:{box}"


def open_redis_board(address: RedisAddress) -> RedisBoard:
    return RedisBoard(
        connect_beside(address, connections=MAX_CONNECTIONS),
        connect_beside(address, blocking_seconds=SLICE_SECONDS, connections=MAX_TAKING),
        prefix=address.prefix,
    )


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield
    except TimeoutError as error:
        raise unavailable(error) from error


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _is_refusal(answer: object) -> bool:
    """What no waiting changes: rights, memory. UNBLOCKED: the server has become a replica."""
    passing = isinstance(answer, _PASSING) or str(answer).startswith("UNBLOCKED")
    return isinstance(answer, ResponseError) and not passing


def _failure(answer: object) -> StoreUnavailable:
    """A refusal of what sessions need says nothing of how contexts fare: the store is well."""
    if _is_refusal(answer):
        return StoreBusy(f"the context store refuses sessions: {type(answer).__name__}")
    return unavailable(answer)
