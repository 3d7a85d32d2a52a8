"""A description as a client reads it: JSON, cleaned, as much of it as there is room for."""

from collections.abc import Iterator, Mapping

import orjson

from gateway.openapi import Document, clean_data, clean_text

MAX_WHOLE = 1_048_576
"""Bytes of JSON. What is larger would fill a client's memory, and takes long to write."""

# Their members are written one by one, and read from disk no sooner than that.
_LARGE = ("paths", "components", "definitions", "webhooks")


def description_text(document: Document, *, limit: int = MAX_WHOLE) -> tuple[bytes, bool]:
    """The root document as JSON, and whether that is all of it.

    At most `limit` bytes, then what does not fit is cut off in the middle. What it refers to in
    other documents is not in it.
    """
    text = bytearray(b"{")
    for key, value in document.root.items():
        text += _name(key, first=len(text) == 1)
        for piece in _pieces(value) if key in _LARGE else iter((_written(value),)):
            text += piece
            if len(text) > limit:
                return bytes(text[:limit]), False
    text += b"}"
    return bytes(text[:limit]), len(text) <= limit


def _pieces(value: object, levels: int = 2) -> Iterator[bytes]:
    if not isinstance(value, dict) or not levels:
        yield _written(value)
        return
    yield b"{"
    for number, key in enumerate(value):
        yield _name(key, first=not number)
        yield from _pieces(value[key], levels - 1)
    yield b"}"


def _name(key: object, *, first: bool) -> bytes:
    return (b"" if first else b",") + orjson.dumps(clean_text(str(key))) + b":"


def _written(value: object) -> bytes:
    """JSON without what nobody sees; null for what is nested beyond writing it."""
    try:
        return orjson.dumps(_exact(clean_data(value)))
    except (orjson.JSONEncodeError, RecursionError, ValueError):
        return b"null"


def _exact(value: object) -> object:
    """Integers that orjson refuses as they are."""
    if isinstance(value, Mapping):
        return {key: _exact(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_exact(part) for part in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return orjson.Fragment(str(value))
    return value
