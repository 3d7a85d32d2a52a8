"""Canonical JSON and digests: the same definition has the same digest everywhere."""

import json
from hashlib import sha256

import orjson


def canonical(value: object) -> bytes:
    """`value` as UTF-8 JSON with sorted keys and no spaces."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # Integers beyond 64 bits, which orjson does not write.
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return text.encode()


def digest_of(value: object) -> str:
    """SHA-256 of the canonical JSON, 64 lower-case hex digits."""
    return sha256(canonical(value)).hexdigest()
