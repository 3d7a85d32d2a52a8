"""`OCP-Session` to a context: three wire forms, each read strictly, nothing else.

The protocol names no way to recognise gzip and no unit for its 8 KB, so the limit here is 8,192
characters including the `gzip:` prefix that the OCP libraries read and write.
"""

import binascii
import json
import zlib
from enum import StrEnum
from typing import NoReturn

import orjson

from gateway.context.model import AgentContext, from_valid
from gateway.context.schema import is_valid_context
from gateway.json_weight import outside_texts

MAX_SESSION_CHARS = 8_192
MAX_JSON_BYTES = 65_536
"""What is inflated at most, and so what is written at most: nobody gets what we would refuse."""
MAX_JSON_PARTS = 6_144
"""Objects, arrays and commas outside texts: more than the longest history and the most `api_specs`
have. Beyond that there are open members only, where 300 characters unfold to 20,000 objects."""

GZIP_PREFIX = "gzip:"
GZIP_WINDOW = 31  # zlib: 15 bits of window, gzip wrapper only
_GZIP_MAGIC = b"\x1f\x8b"
_ROOM = 8  # levels of nesting that a record has around a context, and more
_UINT64, _INT64 = 2**64, 2**63
_ANY_DIGIT = bytes(ord("0") if chr(byte) in "0123456789" else byte for byte in range(256))
_LONG_NUMBER = b"0" * 19  # 2**63 has 19 digits


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

    `context_id` is the message's header-valid id: a session of another context is ignored.
    """
    try:
        members = _strict_json(_inflate(value))
    except _Unfit as unfit:
        return unfit.reason
    if not isinstance(members, dict) or not is_valid_context(members):
        return Reject.SCHEMA
    try:
        context = from_valid(members)
    except ValueError:
        return Reject.SCHEMA
    return context if context.context_id == context_id else Reject.ID_MISMATCH


def _inflate(value: str) -> bytes:
    # Length first: nothing below costs more than its input is long.
    if len(value) > MAX_SESSION_CHARS:
        raise _Unfit(Reject.TOO_LONG)
    compressed = value.startswith(GZIP_PREFIX)
    data = _base64_decode(value.removeprefix(GZIP_PREFIX))
    if not compressed and not data.startswith(_GZIP_MAGIC):
        return data
    # Python's own zlib, however much faster others are: these bytes are a stranger's.
    inflater = zlib.decompressobj(GZIP_WINDOW)
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
    # RFC 4648 section 4 to the letter, by encoding again: alphabet, padding, canonical last bits
    # (3.5). Python's strict mode lets some superfluous padding pass.
    try:
        data = binascii.a2b_base64(text)
    except ValueError:
        raise _Unfit(Reject.BASE64) from None
    if not data or binascii.b2a_base64(data, newline=False).decode() != text:
        raise _Unfit(Reject.BASE64)
    return data


def _strict_json(data: bytes) -> object:
    """The value of a JSON text that says everything once and nothing that would be rounded."""
    if _is_crowded(data):
        raise _Unfit(Reject.TOO_LARGE)
    try:
        # orjson holds to the grammar (UTF-8, no NaN, no lone surrogate) but keeps the last of
        # duplicate members and makes integers beyond 64 bits floats.
        value: object = orjson.loads(data)
        # Inside brackets: what is nested so deep that no store could write it is refused.
        written = orjson.dumps([[[[[[[[value]]]]]]]])[_ROOM:-_ROOM]
        if _is_exact(data, written):
            return value
        del value, written  # two readings side by side would take twice the room
        return _read_slowly(data)
    except (ValueError, RecursionError, TypeError):  # orjson writes 254 levels, then TypeError
        raise _Unfit(Reject.JSON) from None


def _is_crowded(data: bytes) -> bool:
    if _parts(data) <= MAX_JSON_PARTS:
        return False
    return sum(map(_parts, outside_texts(data))) > MAX_JSON_PARTS


def _parts(data: bytes) -> int:
    return data.count(b"{") + data.count(b"[") + data.count(b",")


def _is_exact(data: bytes, written: bytes) -> bool:
    """Whether the value of `data`, written again, surely is all that `data` says.

    False where only a slow look can tell.
    """
    # As the gateway and most JSON writers write it: no member twice, no number rounded.
    if written == data:
        return True
    # With spaces, as Python writes it. Without escapes a string is two quotation marks here and
    # there, so a member that was dropped shows in their number.
    return (
        b"\\" not in data
        and written.count(b'"') == data.count(b'"')
        and _LONG_NUMBER not in data.translate(_ANY_DIGIT)
    )


def _read_slowly(data: bytes) -> object:
    return json.loads(
        data.decode(),
        object_pairs_hook=_unique_members,
        parse_int=_integer,
        parse_constant=_refuse,
    )


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -_INT64 <= (number := int(digits)) < _UINT64:
        raise ValueError("integer beyond 64 bits")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
