"""The `OCP-Session` header: a context to text and back.

The protocol names no way to recognise gzip and no unit for its 8 KB, so the limit here is 8,192
characters including the `gzip:` prefix that the OCP libraries read and write.
"""

import base64
import json
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import NoReturn

import orjson

from gateway.context.model import (
    AgentContext,
    HistoryEntry,
    from_mapping,
    head_mapping,
    is_schema_id,
)
from gateway.context.schema import is_valid_context

MAX_SESSION_CHARS = 8_192
MAX_JSON_BYTES = 65_536
"""What is inflated at most, and so what is written at most: nobody gets what we would refuse."""

_PLAIN_JSON_BYTES = 1_024
_GZIP_PREFIX = "gzip:"
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib: 15 bits of window, gzip wrapper only
_GZIP_LEVEL = 1  # 2 to 4 times the speed of level 6 for some 10 % more bytes
_MAX_DEPTH = 100  # far below orjson's 254 when writing, wrappers included
_INT64 = 2**63
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", re.ASCII)
_TEXT_CAPS = (4_096, 2_048, 1_024, 512, 256, 128, 64)


class Reject(StrEnum):
    """Why a session is ignored. Stable names for logs and metrics."""

    TOO_LONG = "session_too_long"
    BASE64 = "session_base64"
    GZIP = "session_gzip"
    TOO_LARGE = "session_too_large"
    JSON = "session_json"
    SCHEMA = "session_schema"
    ID_MISMATCH = "session_id_mismatch"


class _Unfit(ValueError):
    def __init__(self, reason: Reject) -> None:
        super().__init__(reason)
        self.reason = reason


def decode_session(value: str, context_id: str) -> AgentContext | Reject:
    """The context in an `OCP-Session` value, or why it is ignored. Never raises.

    `context_id` is the request's header-valid id: a session of another context is ignored.
    """
    try:
        members = _strict_json(_inflate(value))
    except _Unfit as unfit:
        return unfit.reason
    if not is_valid_context(members):
        return Reject.SCHEMA
    try:
        context = from_mapping(members)
    except ValueError:
        return Reject.SCHEMA
    return context if context.context_id == context_id else Reject.ID_MISMATCH


def _inflate(value: str) -> bytes:
    # Length first: nothing below costs more than its input is long.
    if len(value) > MAX_SESSION_CHARS:
        raise _Unfit(Reject.TOO_LONG)
    compressed = value.startswith(_GZIP_PREFIX)
    data = _base64_decode(value.removeprefix(_GZIP_PREFIX))
    if not compressed and not data.startswith(_GZIP_MAGIC):
        return data
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    try:
        inflated = inflater.decompress(data, MAX_JSON_BYTES + 1)
    except zlib.error:
        raise _Unfit(Reject.GZIP) from None
    if len(inflated) > MAX_JSON_BYTES:
        raise _Unfit(Reject.TOO_LARGE)
    # One whole member and nothing after it (RFC 1952 2.2 allows more; no writer makes them).
    if not inflater.eof or inflater.unused_data:
        raise _Unfit(Reject.GZIP)
    return inflated


def _base64_decode(text: str) -> bytes:
    # RFC 4648 section 4 to the letter: padding and, by re-encoding (3.5), canonical last bits.
    if not text or _BASE64.fullmatch(text) is None:
        raise _Unfit(Reject.BASE64)
    data = base64.b64decode(text)
    if base64.b64encode(data[-(len(data) % 3 or 3) :]).decode() != text[-4:]:
        raise _Unfit(Reject.BASE64)
    return data


def _strict_json(data: bytes) -> dict[str, object]:
    try:
        # orjson holds to the grammar (UTF-8, no NaN, no lone surrogate) but keeps the last of
        # duplicate keys and rounds long integers, which json's hooks see.
        orjson.loads(data)
        value = json.loads(
            data.decode(),
            object_pairs_hook=_unique_members,
            parse_int=_int64,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError):
        raise _Unfit(Reject.JSON) from None
    if not isinstance(value, dict):
        raise _Unfit(Reject.SCHEMA)
    if not _is_shallow(value):
        raise _Unfit(Reject.JSON)
    return value


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _int64(digits: str) -> int:
    if len(digits) > 20 or not -_INT64 <= (number := int(digits)) < _INT64:
        raise ValueError("integer beyond 64 bits")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _is_shallow(value: object) -> bool:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else _items(item))
            if isinstance(child, dict | list)
        ]
        if not level:
            return True
    return False


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def encode_session(context: AgentContext) -> str | None:
    """The `OCP-Session` value, at most 8,192 characters and schema-valid, or None.

    What is too long loses its oldest history first, then foreign session members, the ends of long
    texts, and API addresses. None: the id is not schema-valid, some value is not
    JSON, or nothing that fits is left.
    """
    if not is_schema_id(context.context_id):
        return None
    try:
        return _encode_trimmed(context)
    except TypeError:  # orjson: a lone surrogate, an integer beyond 64 bits
        return None


def _encode_trimmed(context: AgentContext) -> str | None:
    if not is_valid_context(head_mapping(context)):
        return None
    head = _head(context)
    entries = _affordable(len(head), context.history)
    whole = _fit(head, entries)
    if whole is not None:
        return whole
    trimmed = _most_history(head, entries)
    if trimmed is not None:
        return trimmed
    return next(filter(None, (_fit(_head(less), []) for less in _shortened(context))), None)


def _head(context: AgentContext) -> bytes:
    # `history` stands last and empty in the head, so that entries go before its closing `]}`.
    return orjson.dumps(head_mapping(context))[:-2]


def _affordable(used: int, history: tuple[HistoryEntry, ...]) -> list[bytes]:
    """As many of the newest entries as stay within the size that a reader inflates, in order."""
    entries: list[bytes] = []
    for entry in reversed(history):
        encoded = orjson.dumps(entry)
        used += len(encoded) + 1
        if used > MAX_JSON_BYTES - 2:
            break
        entries.append(encoded)
    entries.reverse()
    return entries


def _most_history(head: bytes, entries: list[bytes]) -> str | None:
    best, fits, too_many = None, -1, len(entries)
    while fits + 1 < too_many:
        count = (fits + too_many) // 2
        encoded = _fit(head, entries[len(entries) - count :])
        if encoded is None:
            too_many = count
        else:
            best, fits = encoded, count
    return best


def _fit(head: bytes, entries: list[bytes]) -> str | None:
    data = b"".join((head, b",".join(entries), b"]}"))
    if len(data) <= _PLAIN_JSON_BYTES:
        return base64.b64encode(data).decode()
    if len(data) > MAX_JSON_BYTES:
        return None
    # Unlike gzip.compress, zlib's own wrapper carries no time: same context, same bytes.
    deflater = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    compressed = deflater.compress(data) + deflater.flush()
    length = len(_GZIP_PREFIX) + 4 * math.ceil(len(compressed) / 3)
    if length > MAX_SESSION_CHARS:
        return None
    return _GZIP_PREFIX + base64.b64encode(compressed).decode()


def _shortened(context: AgentContext) -> Iterator[AgentContext]:
    session = context.session
    bare = replace(
        context, history=(), session=session and replace(session, extra={}), api_specs={}
    )
    with_addresses = replace(bare, api_specs=context.api_specs)
    yield with_addresses
    for less in (with_addresses, bare):
        for cap in _TEXT_CAPS:
            yield _cut_texts(less, cap)


def _cut_texts(context: AgentContext, cap: int) -> AgentContext:
    session = context.session
    return replace(
        context,
        agent_type=context.agent_type[:cap],
        user=context.user and context.user[:cap],
        workspace=context.workspace and context.workspace[:cap],
        current_file=context.current_file and context.current_file[:cap],
        current_goal=context.current_goal and context.current_goal[:cap],
        context_summary=context.context_summary and context.context_summary[:cap],
        error_context=context.error_context and context.error_context[:cap],
        recent_changes=tuple(change[:cap] for change in context.recent_changes),
        session=session and replace(session, agent_type=session.agent_type[:cap]),
    )
