"""What every store keeps of a context, and the one rule by which an update moves it on."""

import base64
import binascii
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import orjson

from gateway.context import AgentContext, from_mapping, head_mapping, is_header_id
from gateway.errors import BadRequest, PayloadTooLarge, UnreadableRecord, VersionConflict
from gateway.interfaces import Change, Stored

FORMAT = 1
MAX_RECORD_BYTES = 16 * 1024 * 1024
MAX_RECENT_BYTES = 8 * 1024 * 1024
_REMEMBERED_OPERATIONS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLimits:
    """Seconds and counts. A context lives `new_ttl_seconds` until a second update."""

    ttl_seconds: float = 604_800
    new_ttl_seconds: float = 3_600
    max_contexts_per_principal: int = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`operations` are the ids of the latest changes, newest first, never empty.

    `named` is False until a second update: such a context lives shorter and is evicted first.
    """

    version: int
    operations: tuple[str, ...]
    named: bool
    context: AgentContext

    @property
    def stored(self) -> Stored:
        return Stored(context=self.context, version=self.version)

    def seconds_to_live(self, limits: StoreLimits) -> float:
        return limits.ttl_seconds if self.named else limits.new_ttl_seconds


def is_applied(record: Record | None, change: Change) -> bool:
    """Whether this very change is in the record already (its answer got lost on the way)."""
    return record is not None and change.operation_id in record.operations


def next_record(record: Record | None, change: Change, expected: int | None) -> Record | None:
    """The record after a change that is not applied yet; None where the context ends or stays away.

    Raises VersionConflict, and whatever `change.apply` raises.
    """
    version = record.version if record else 0
    if expected is not None and expected != version:
        raise VersionConflict(f"the context has version {version}, not {expected}")
    context = change.apply(record.context if record else None)
    if context is None:
        return None
    earlier = record.operations if record else ()
    return Record(
        version=version + 1,
        operations=(change.operation_id, *earlier)[:_REMEMBERED_OPERATIONS],
        named=record is not None,
        context=context,
    )


def encode_record(record: Record) -> bytes:
    """The record as JSON; `record_token` is its beginning."""
    data = orjson.dumps(
        {
            "format": FORMAT,
            "version": record.version,
            "operations": record.operations,
            "named": record.named,
            # orjson writes the entries, a long context's bulk, without a mapping made of each.
            "context": {**head_mapping(record.context), "history": record.context.history},
        }
    )
    if len(data) > MAX_RECORD_BYTES:
        raise PayloadTooLarge(f"a context takes at most {MAX_RECORD_BYTES} bytes")
    return data


def record_token(record: Record) -> bytes:
    """The first bytes of the encoded record, which no other state of any context shares.

    The version alone would not do: a context that was deleted and made anew counts from 1 again.
    """
    newest = orjson.dumps(record.operations[0])
    return b'{"format":%d,"version":%d,"operations":[%b' % (FORMAT, record.version, newest)


def decode_record(data: bytes) -> Record:
    """The record that `encode_record` wrote; raises UnreadableRecord for anything else."""
    try:
        return _record(orjson.loads(data) if len(data) <= MAX_RECORD_BYTES else None)
    except (ValueError, RecursionError) as error:
        raise UnreadableRecord("a stored context cannot be read by this version") from error


def _record(value: object) -> Record:
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ValueError("another format")
    version, named, operations = (value.get(key) for key in ("version", "named", "operations"))
    if type(version) is not int or version < 1 or not isinstance(named, bool):
        raise ValueError("no version or no flag")
    if not isinstance(operations, list) or not operations:
        raise ValueError("no operations")
    if not all(isinstance(operation, str) for operation in operations):
        raise ValueError("operation ids are text")
    return Record(
        version=version,
        operations=tuple(cast("Sequence[str]", operations)),
        named=named,
        context=from_mapping(value.get("context")),
    )


class RecentRecords:
    """Decoded records of late: bytes that begin with a known record's token need no decoding.

    What is kept may be stale, or may never have been stored: then its token does not match.
    """

    def __init__(self, max_bytes: int = MAX_RECENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._known: OrderedDict[tuple[str, str], tuple[Record, int]] = OrderedDict()

    def decode(self, key: tuple[str, str], data: bytes) -> Record:
        """As `decode_record`."""
        record, size = self._known.get(key, (None, 0))
        if record is not None and size == len(data) and data.startswith(record_token(record)):
            self._known.move_to_end(key)
            return record
        record = decode_record(data)
        self.keep(key, record, len(data))
        return record

    def keep(self, key: tuple[str, str], record: Record, size: int) -> None:
        """`size` is that of the encoded record, in bytes."""
        self._bytes += size - self._known.pop(key, (None, 0))[1]
        self._known[key] = (record, size)
        while self._bytes > self._max_bytes:
            self._bytes -= self._known.popitem(last=False)[1][1]


def encode_cursor(context_id: str) -> str:
    """A cursor that goes on after this id."""
    return base64.urlsafe_b64encode(context_id.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> str:
    """The id after which a page starts, "" for the first; BadRequest for a cursor not ours."""
    if cursor is None:
        return ""
    try:
        after = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        context_id = after.decode()
    except (binascii.Error, ValueError):
        context_id = ""
    if not is_header_id(context_id):
        raise BadRequest("the cursor is not one of this list")
    return context_id
