"""What every store keeps of a context, and the one rule by which an update moves it on."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import orjson

from gateway.context import AgentContext, from_mapping, head_mapping, is_header_id
from gateway.errors import BadRequest, PayloadTooLarge, UnreadableRecord, VersionConflict
from gateway.interfaces import Change, Stored
from gateway.stores.history import HistoryText, write_history

FORMAT = 1
MAX_RECORD_BYTES = 16 * 1024 * 1024
REMEMBERED_OPERATIONS = 32
_HISTORY = b'"history":['


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


def is_out_of_sight(version: int, now: Record | None) -> bool:
    """Whether `now` has moved on from a version, 0 for none, by more changes than it remembers."""
    return now is not None and now.version - version > len(now.operations)


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
        operations=(change.operation_id, *earlier)[:REMEMBERED_OPERATIONS],
        named=record is not None,
        context=context,
    )


def encode_record(record: Record, history: HistoryText | None = None) -> bytes:
    """The record as JSON; `record_token` is its beginning.

    `history` is the text of this record's history where the caller has it already. Raises
    PayloadTooLarge.
    """
    context = record.context
    text = history or write_history(context.history, None)
    members = head_mapping(context)
    members["history"] = orjson.Fragment(b"[%b]" % text.data)
    if context.taken:
        members["taken"] = dict(context.taken)
    data = orjson.dumps(
        {
            "format": FORMAT,
            "version": record.version,
            "operations": record.operations,
            "named": record.named,
            "context": members,
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


def decode_head(data: bytes) -> Record | None:
    """The record without its history (and what follows that), of its first bytes.

    None: these are too few, or `encode_record` did not write them.
    """
    head, found, _ = data.partition(_HISTORY)
    try:
        # In a text each quote is escaped; as a member of something deeper it leaves that open.
        return _record(orjson.loads(head + _HISTORY + b"]}}")) if found else None
    except (ValueError, RecursionError):
        return None


def is_of_later_version(data: bytes) -> bool:
    """Whether a later version of this program wrote these bytes: then they are nobody's fault."""
    try:
        value = orjson.loads(data)
    except (ValueError, RecursionError):
        return False
    found = value.get("format") if isinstance(value, dict) else None
    return type(found) is int and found > FORMAT


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
        context=_context(value.get("context")),
    )


def _context(members: object) -> AgentContext:
    context = from_mapping(members)
    taken = members.get("taken", {}) if isinstance(members, dict) else {}
    if not isinstance(taken, dict) or not all(isinstance(text, str) for text in taken.values()):
        raise ValueError("digests are text")
    return replace(context, taken=taken) if taken else context


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
