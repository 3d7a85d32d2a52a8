"""`redis://`, `rediss://`: contexts in one Redis (6.2 or later) that any number of gateways share.

Keys of one principal carry its hash tag, so all of them stand in one Cluster slot:

    PREFIX{HASH}:context:ID    the record as JSON, expiring with the context
    PREFIX{HASH}:single        sorted set of ids by expiry: contexts of one update so far
    PREFIX{HASH}:named         the same for all others

A record is replaced by compare-and-set on its first bytes (`record_token`) in one script.
"""

import asyncio
import hashlib
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError

from gateway.errors import StoreUnavailable, UnreadableRecord
from gateway.interfaces import Change, Page, Stored
from gateway.policy import Principal
from gateway.stores.record import (
    MAX_RECORD_BYTES,
    RecentRecords,
    Record,
    StoreLimits,
    decode_cursor,
    decode_record,
    encode_cursor,
    encode_record,
    is_applied,
    next_record,
    record_token,
)

_LOG = logging.getLogger(__name__)

KEY_PREFIX = "ocp-gateway:"
MAX_CONNECTIONS = 32
OPERATION_SECONDS = 1.0
"""For a connection, for one command and for a free connection, each."""
UPDATE_SECONDS = 3.0
_MAX_CONFLICTS = 32
_MAX_PAUSE_SECONDS = 0.05

# KEYS: record, single, named. ARGV: token ('' = there must be no record), new record ('' = delete),
# its milliseconds to live, the index it belongs to (2 or 3), most contexts, id, record key prefix.
# SET is the first to write: a server out of memory refuses it only while nothing has been written.
# Evicted records are deleted under keys made here; the hash tag keeps them in the declared slot.
_COMPARE_AND_SET = """
if ARGV[1] == '' then
  if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
elseif redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) ~= ARGV[1] then
  return 0
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
redis.call('ZREM', KEYS[2], ARGV[6])
redis.call('ZREM', KEYS[3], ARGV[6])
if ARGV[2] == '' then return 1 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[1] == '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
  local surplus = redis.call('ZCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3]) - ARGV[5] + 1
  for _ = 1, math.min(surplus, 100) do
    local oldest = redis.call('ZPOPMIN', KEYS[2])
    if #oldest == 0 then oldest = redis.call('ZPOPMIN', KEYS[3]) end
    redis.call('DEL', ARGV[7] .. oldest[1])
  end
end
local index = KEYS[tonumber(ARGV[4])]
redis.call('ZADD', index, string.format('%.0f', now + ARGV[3]), ARGV[6])
redis.call('PEXPIRE', index, ARGV[3])
return 1
"""
_SCRIPT_SHA = hashlib.sha1(_COMPARE_AND_SET.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class _Keys:
    """A principal's keys. Its name is hashed: no name can break out of the tag or meet another."""

    root: str

    @classmethod
    def of(cls, prefix: str, principal: Principal) -> "_Keys":
        return cls(f"{prefix}{{{hashlib.sha256(principal.name.encode()).hexdigest()}}}:")

    @property
    def records(self) -> str:
        return f"{self.root}context:"

    @property
    def single(self) -> str:
        return f"{self.root}single"

    @property
    def named(self) -> str:
        return f"{self.root}named"


class RedisStore:
    """A ContextStore in Redis. Nothing is connected before the first call."""

    def __init__(self, url: str, limits: StoreLimits, *, prefix: str = KEY_PREFIX) -> None:
        """`url` is redis://, rediss:// or unix://; ValueError if it cannot be read."""
        self._limits = limits
        self._prefix = prefix
        self._recent = RecentRecords()
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=OPERATION_SECONDS,
            socket_timeout=OPERATION_SECONDS,
            socket_connect_timeout=OPERATION_SECONDS,
            # The library's own retries repeat writes whose answer was lost.
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = Redis.from_pool(pool)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, principal: Principal, context_id: str) -> Stored | None:
        keys = _Keys.of(self._prefix, principal)
        async with _unavailable_in(UPDATE_SECONDS):
            try:
                record = await self._read(keys, context_id)
            except UnreadableRecord:
                _LOG.warning("a stored context cannot be read by this version; treated as absent")
                return None
        return record.stored if record else None

    async def update(
        self,
        principal: Principal,
        context_id: str,
        change: Change,
        *,
        expected: int | None = None,
    ) -> Stored | None:
        keys = _Keys.of(self._prefix, principal)
        name = keys.records + context_id
        # Writers in this process take turns, so only other processes can make them conflict.
        turn = self._turns.setdefault(name, asyncio.Lock())
        async with _unavailable_in(UPDATE_SECONDS), turn:
            try:
                return await self._advance(keys, context_id, change, expected)
            except RedisConnectionError:
                # The answer may have been lost after the change was stored: the operation id
                # tells. A deletion leaves none, so there an absent context is the answer.
                record = await self._read(keys, context_id)
                if record is None and expected and change.apply(None) is None:
                    return None
                return await self._advance(keys, context_id, change, expected)

    async def list(self, principal: Principal, cursor: str | None, limit: int) -> Page:
        after = decode_cursor(cursor)
        keys = _Keys.of(self._prefix, principal)
        async with _unavailable_in(UPDATE_SECONDS):
            members = [
                *await self._redis.zrange(keys.single, 0, -1),
                *await self._redis.zrange(keys.named, 0, -1),
            ]
            ids = sorted(name for name in map(bytes.decode, members) if name > after)
            async with self._redis.pipeline(transaction=False) as pipeline:
                for context_id in ids[:limit]:
                    _ = pipeline.getrange(keys.records + context_id, 0, MAX_RECORD_BYTES)
                found = await pipeline.execute(raise_on_error=False)
        return Page(
            items=tuple(_readable(found)),
            next_cursor=encode_cursor(ids[limit - 1]) if len(ids) > limit else None,
        )

    async def ping(self) -> None:
        async with _unavailable_in(UPDATE_SECONDS):
            await self._command("PING")

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def _advance(
        self, keys: _Keys, context_id: str, change: Change, expected: int | None
    ) -> Stored | None:
        for attempt in range(_MAX_CONFLICTS):
            record = await self._read(keys, context_id)
            if record is not None and is_applied(record, change):
                return record.stored
            after = next_record(record, change, expected)
            if record is None and after is None:
                return None
            if await self._replace(keys, context_id, record, after):
                return after.stored if after else None
            # By chance, or writers of two processes in step let the same one win each time.
            pause = min(_MAX_PAUSE_SECONDS, 0.001 * 2**attempt)
            await asyncio.sleep(random.uniform(0, pause))  # noqa: S311 - no secret
        raise StoreUnavailable("too many writers at once on one context")

    async def _read(self, keys: _Keys, context_id: str) -> Record | None:
        try:
            # A range, so that a value of any size costs a bounded answer.
            name = keys.records + context_id
            data = await self._command("GETRANGE", name, 0, MAX_RECORD_BYTES)
        except ResponseError as error:
            if str(error).startswith("WRONGTYPE"):
                raise UnreadableRecord("a stored context is of another type") from error
            raise
        if not isinstance(data, bytes):
            raise UnreadableRecord("a stored context is not text")
        return self._recent.decode((keys.root, context_id), data) if data else None

    async def _replace(
        self, keys: _Keys, context_id: str, before: Record | None, after: Record | None
    ) -> bool:
        seconds, data = 0.0, b""
        if after is not None:
            seconds, data = after.seconds_to_live(self._limits), encode_record(after)
            self._recent.keep((keys.root, context_id), after, len(data))
        arguments: tuple[str | bytes | int, ...] = (
            3,
            keys.records + context_id,
            keys.single,
            keys.named,
            record_token(before) if before else b"",
            data,
            max(1, round(seconds * 1000)),
            3 if after and after.named else 2,
            self._limits.max_contexts_per_principal,
            context_id,
            keys.records,
        )
        try:
            stored = await self._command("EVALSHA", _SCRIPT_SHA, *arguments)
        except NoScriptError:
            stored = await self._command("EVAL", _COMPARE_AND_SET, *arguments)
        return stored == 1

    async def _command(self, *words: str | bytes | int) -> object:
        answer: object = await self._redis.execute_command(*words)  # type: ignore[no-untyped-call]
        return answer


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


@asynccontextmanager
async def _unavailable_in(seconds: float) -> AsyncIterator[None]:
    """Turns what goes wrong with the server, or takes too long, into StoreUnavailable.

    The message carries the error's kind alone: the library's texts may name host and user.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except (RedisError, OSError, TimeoutError) as error:
        raise StoreUnavailable(f"the context store failed: {type(error).__name__}") from error
