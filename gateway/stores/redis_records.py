"""How a context lies in Redis, and the commands that read, replace and set it aside.

Keys of one principal carry its hash tag, so all of them stand in one Cluster slot:

    PREFIX{HASH}:context:ID      the record as JSON, expiring with the context
    PREFIX{HASH}:single          sorted set of ids by expiry: contexts of one update so far
    PREFIX{HASH}:named           the same for all others
    PREFIX{HASH}:quarantine:ID   what stood in a record's place and could not be read
    PREFIX{HASH}:quarantine      sorted set of those ids by the time they were set aside

A record is replaced by compare-and-set on its first bytes (`record_token`) in one script.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from gateway.policy import Principal
from gateway.stores.composing import Composed
from gateway.stores.record import MAX_RECORD_BYTES, StoreLimits, record_token
from gateway.stores.redis_connections import Words

LARGE_BYTES = 256 * 1024
"""A record from this size on travels alone, so that small ones do not wait behind it."""
QUARANTINE_SECONDS = 604_800
MAX_QUARANTINED = 16
"""Unreadable values of one principal that are kept."""
_COMPARED_BYTES = 4096

# KEYS: record, single, named. ARGV: token ('' = there must be no record), new record ('' = delete),
# its milliseconds to live, the index it belongs to (2 or 3), the one it was in (0: none known),
# most contexts, id, record key prefix, most bytes of an answer.
# Answers: {ids that made room...} when done, else what is there ('' = nothing, 0 = too large).
# SET is the first to write: a server out of memory refuses it only while nothing has been written.
# Evicted records are deleted under keys made here; the hash tag keeps them in the declared slot.
_COMPARE_AND_SET = """
local there = redis.pcall('GETRANGE', KEYS[1], 0, math.max(#ARGV[1] - 1, 0))
if type(there) == 'table' then return there end
if there ~= ARGV[1] then
  if redis.call('STRLEN', KEYS[1]) >= tonumber(ARGV[9]) then return 0 end
  return redis.call('GETRANGE', KEYS[1], 0, -1)
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
if ARGV[4] ~= ARGV[5] then
  redis.call('ZREM', KEYS[2], ARGV[7])
  redis.call('ZREM', KEYS[3], ARGV[7])
end
local evicted = {}
if ARGV[2] == '' then return evicted end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[1] == '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
  local surplus = redis.call('ZCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3]) - ARGV[6] + 1
  for _ = 1, math.min(surplus, 100) do
    local oldest = redis.call('ZPOPMIN', KEYS[2])
    if #oldest == 0 then oldest = redis.call('ZPOPMIN', KEYS[3]) end
    redis.call('DEL', ARGV[8] .. oldest[1])
    evicted[#evicted + 1] = oldest[1]
  end
end
local index = KEYS[tonumber(ARGV[4])]
redis.call('ZADD', index, string.format('%.0f', now + ARGV[3]), ARGV[7])
redis.call('PEXPIRE', index, ARGV[3])
return evicted
"""
_SCRIPT_SHA = hashlib.sha1(_COMPARE_AND_SET.encode(), usedforsecurity=False).hexdigest()

# KEYS: record, quarantined value, index of those. ARGV: how the value begins, its length (-1: it is
# no string, -2: more than may be read), id, prefix of quarantined values, milliseconds that they
# live, how many are kept, most bytes of a record. What has changed since it was looked at stays.
_SET_ASIDE = """
if redis.call('TYPE', KEYS[1]).ok == 'string' then
  local length = redis.call('STRLEN', KEYS[1])
  if ARGV[2] == '-2' then
    if length <= tonumber(ARGV[7]) then return 0 end
  elseif length ~= tonumber(ARGV[2]) then return 0 end
  if redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) ~= ARGV[1] then return 0 end
elseif ARGV[2] ~= '-1' or redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
local time = redis.call('TIME')
redis.call('ZADD', KEYS[3], time[1], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[5])
for _ = 1, redis.call('ZCARD', KEYS[3]) - ARGV[6] do
  local oldest = redis.call('ZPOPMIN', KEYS[3])
  redis.call('DEL', ARGV[4] .. oldest[1])
end
return 1
"""

# KEYS: single, named. ARGV: record key prefix, ids. Those without a record leave the indexes.
_HEAL = """
for i = 2, #ARGV do
  if redis.call('EXISTS', ARGV[1] .. ARGV[i]) == 0 then
    redis.call('ZREM', KEYS[1], ARGV[i])
    redis.call('ZREM', KEYS[2], ARGV[i])
  end
end
return 1
"""


@dataclass(frozen=True, slots=True)
class Keys:
    """A principal's keys. Its name is hashed: no name can break out of the tag or meet another."""

    root: str

    @property
    def records(self) -> str:
        return f"{self.root}context:"

    @property
    def single(self) -> str:
        return f"{self.root}single"

    @property
    def named(self) -> str:
        return f"{self.root}named"

    @property
    def quarantine(self) -> str:
        return f"{self.root}quarantine"


def keys_of(prefix: str, principal: Principal) -> Keys:
    return _keys_of(prefix, principal.name)


@lru_cache(maxsize=1024)
def _keys_of(prefix: str, name: str) -> Keys:
    return Keys(f"{prefix}{{{hashlib.sha256(name.encode()).hexdigest()}}}:")


def read_words(keys: Keys, context_id: str, *, most: int = LARGE_BYTES) -> Words:
    """Reads a record up to `most` bytes: a value of any size costs a bounded answer."""
    return ("GETRANGE", keys.records + context_id, 0, most - 1)


def read_large_words(keys: Keys, context_id: str) -> Words:
    """One byte more than a record may have, so that one too many shows."""
    return read_words(keys, context_id, most=MAX_RECORD_BYTES + 1)


def replace_words(
    keys: Keys, context_id: str, step: Composed, limits: StoreLimits, *, known_script: bool = True
) -> Words:
    """Puts `step.after` in the place of `step.before`; the script is sent unless it is known."""
    before, after = step.before, step.after
    seconds = after.seconds_to_live(limits) if after else 0.0
    return (
        *(("EVALSHA", _SCRIPT_SHA) if known_script else ("EVAL", _COMPARE_AND_SET)),
        3,
        keys.records + context_id,
        keys.single,
        keys.named,
        record_token(before) if before else b"",
        step.data or b"",
        max(1, round(seconds * 1000)),
        3 if after and after.named else 2,
        0 if before is None or after is None else 3 if before.named else 2,
        limits.max_contexts_per_principal,
        context_id,
        keys.records,
        LARGE_BYTES,
    )


def set_aside_words(keys: Keys, context_id: str, seen: bytes | None) -> Words:
    """Takes `seen`, if it is still there, out of a record's place; None: it is no string."""
    beginning = (seen or b"")[:_COMPARED_BYTES]
    length = -1 if seen is None else -2 if len(seen) > MAX_RECORD_BYTES else len(seen)
    return (
        *("EVAL", _SET_ASIDE, 3),
        *(keys.records + context_id, f"{keys.quarantine}:{context_id}", keys.quarantine),
        *(beginning, length, context_id, f"{keys.quarantine}:", QUARANTINE_SECONDS * 1000),
        *(MAX_QUARANTINED, MAX_RECORD_BYTES),
    )


def heal_words(keys: Keys, ids: Sequence[str]) -> Words:
    """Takes ids whose record has gone out of the indexes."""
    return ("EVAL", _HEAL, 2, keys.single, keys.named, keys.records, *ids)
