"""Lists of contexts: what is read for them, and how much at once."""

from dataclasses import replace

from gateway.interfaces import Stored
from gateway.stores.record import decode_head, decode_record

HEAD_BYTES = 4096
"""Of each record, where they hold all that stands before the history."""
PAGE_BYTES = 4 * 1024 * 1024
"""A page ends when so many have been read: a thousand heads, or some records with long texts."""
SLICE = 64
"""Contexts that are read at a time, so that calls get in between."""


def listed(data: bytes, *, whole: bool) -> Stored | None:
    """What a list shows of a record, of its first bytes or of all.

    None: the first bytes do not tell. Raises UnreadableRecord.
    """
    record = decode_head(data)
    if record is None and whole:
        full = decode_record(data)
        record = replace(full, context=replace(full.context, history=(), taken={}))
    return record.stored if record else None
