"""History entries as JSON, each made once: versions of a context share all of them but the newest.

What an entry became stays with it, so that a new version costs its new entry and the compression.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import cast

import orjson

from gateway.context.model import HistoryEntry, entry_mapping
from gateway.context.schema import are_valid_entries

_made = attrgetter("_json")
_keep = vars(HistoryEntry)["_json"].__set__  # the value is frozen; this is no part of it
_UNSENDABLE = b""


def entries_json(entries: Sequence[HistoryEntry]) -> list[bytes]:
    """Each entry as JSON, in order, without those that no reader would accept.

    Left out are entries that break the context schema, and those that hold what is not JSON (a
    lone surrogate, an integer beyond 64 bits): one of them would cost the whole session.
    """
    made: list[bytes | None] = list(map(_made, entries))
    if None in made:
        _write([entry for entry in entries if _made(entry) is None])
        made = list(map(_made, entries))
    if not all(made):
        made = list(filter(None, made))
    return cast("list[bytes]", made)


def _write(entries: Sequence[HistoryEntry]) -> None:
    mappings = list(map(entry_mapping, entries))
    texts = list(map(_text, mappings))
    # One look at all of them takes a third of the time that one at each takes.
    if _UNSENDABLE in texts or not are_valid_entries(mappings):
        texts = [
            text if text and are_valid_entries([mapping]) else _UNSENDABLE
            for text, mapping in zip(texts, mappings, strict=True)
        ]
    for entry, text in zip(entries, texts, strict=True):
        _keep(entry, text)


def _text(mapping: dict[str, object]) -> bytes:
    try:
        # A copy: what orjson returns was a whole KB of new memory, however short, and to keep a
        # thousand of those takes five times as long as to make them.
        return orjson.dumps(mapping)[:-1] + b"}"
    except TypeError:
        return _UNSENDABLE
