"""Canonical JSON: the same value is the same bytes everywhere."""

from collections.abc import Mapping

import orjson

# What orjson writes; of larger integers it only takes the text.
_INTEGERS = range(-(2**63), 2**64)


def canonical(value: object) -> bytes:
    """`value` as UTF-8 JSON with sorted keys and no spaces. It may hold canonical fragments."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return orjson.dumps(_writable(value), option=orjson.OPT_SORT_KEYS)


def text_of(value: object) -> bytes:
    """Canonical JSON of what a description holds; empty for what is nested beyond writing it."""
    try:
        return canonical(value)
    except (orjson.JSONEncodeError, RecursionError):
        return b""


def _writable(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _writable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(part) for part in value]
    if isinstance(value, int) and value not in _INTEGERS:
        return orjson.Fragment(str(value))
    return value
