"""JSON as it crosses the wire: one strict door in, one line out."""

import json
from collections.abc import Mapping

import orjson

from gateway.json_weight import weigh_json
from gateway.mcp.errors import PARSE_ERROR, RpcError

MAX_DEPTH = 100
"""Well under the 254 levels that orjson can write again."""
MAX_PARTS = 250_000
"""Objects, arrays and members of objects: about 0.1 s of reading."""
LARGE = 262_144
"""Bytes from which on reading is worth a thread."""

# orjson turns integers beyond 64 bits into floats without a word; 19 digits may be such a one. To
# look for them so takes a fifth of the time of a pattern.
_LONG_NUMBER = b"0" * 19
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)

# str.splitlines() in a client splits an event or a line at these three; JSON may escape them.
_LINE_BREAKS = (
    (b"\xc2\x85", b"\\u0085"),
    (b"\xe2\x80\xa8", b"\\u2028"),
    (b"\xe2\x80\xa9", b"\\u2029"),
)


def parse_json(data: bytes) -> object:
    """The value of one JSON text.

    UTF-8 only; no NaN, no Infinity, no number beyond a double's range, no lone surrogate, at most
    MAX_DEPTH levels and MAX_PARTS parts; integers keep every digit; of duplicate keys the last
    wins. Raises RpcError (-32700).
    """
    _check_weight(data)
    try:
        value: object = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        # orjson's message is about syntax and position, never a copy of the input.
        raise RpcError(PARSE_ERROR, f"Not valid JSON: {error}") from error
    if _LONG_NUMBER in data.translate(_DIGITS):
        # orjson has judged the text already, so json only adds the digits (and, at the depth
        # just checked, cannot exhaust the stack).
        exact: object = json.loads(data.decode())
        return exact
    return value


def _check_weight(data: bytes) -> None:
    # No text nests deeper than it has opening brackets, which spares nearly every message the look.
    opening = data.count(b"{") + data.count(b"[")
    if opening <= MAX_DEPTH and opening + data.count(b":") <= MAX_PARTS:
        return
    parts, depth = weigh_json(data, MAX_PARTS)
    if parts > MAX_PARTS:
        reason = f"JSON with more than {MAX_PARTS} objects, arrays and members"
        raise RpcError(PARSE_ERROR, reason)
    if depth > MAX_DEPTH:
        raise RpcError(PARSE_ERROR, f"JSON nested deeper than {MAX_DEPTH} levels")


def encode_json(value: object) -> bytes:
    """Compact UTF-8 JSON on a single line. Text that UTF-8 cannot carry becomes `?`."""
    try:
        data = orjson.dumps(value, default=_plain)
    except orjson.JSONEncodeError:
        # Integers beyond 64 bits and lone surrogates, which orjson refuses to write.
        text = json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
        )
        data = text.encode("utf-8", "replace")
    for mark, escape in _LINE_BREAKS:
        if mark in data:
            data = data.replace(mark, escape)
    return data


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    message = f"{type(value).__name__} is not JSON"
    raise TypeError(message)
