"""A context to `OCP-Session`: always schema-valid, always within the limit, always the same bytes.

What is too long is trimmed in a fixed order: the oldest history, foreign session members, the ends
of long texts, API addresses.
"""

import binascii
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

import orjson
from isal import isal_zlib

from gateway.context.decoding import GZIP_PREFIX, GZIP_WINDOW, MAX_JSON_BYTES, MAX_SESSION_CHARS
from gateway.context.entries import entries_json
from gateway.context.model import AgentContext, HistoryEntry, head_mapping, is_schema_id
from gateway.context.schema import is_valid_context
from gateway.context.sharing import is_of_apis
from gateway.context.trimming import longest_history

_PLAIN_JSON_BYTES = 1_024
_GZIP_LEVEL = 1
_SURELY_SHORT = 24_576  # its compressed form fits, nearly always
_TEXT_CAPS = (4_096, 2_048, 1_024, 512, 256, 128, 64)
_BATCH = 64


def encode_session(context: AgentContext, *, apis: frozenset[str] | None = None) -> str | None:
    """The `OCP-Session` value, at most 8,192 characters and schema-valid, or None.

    What is too long loses its oldest history first, then foreign session members, the ends of long
    texts, and API addresses. Of the history only what has to do with `apis` (None = all), without
    entries that no reader would accept. None: the id is not schema-valid, another member is not,
    or nothing that fits is left.
    """
    if not is_schema_id(context.context_id):
        return None
    members = head_mapping(context)
    try:
        head = _head(members)
    except TypeError:  # orjson: a lone surrogate, an integer beyond 64 bits
        return None
    if not is_valid_context(members):
        return None
    if apis is None and len(context.history) <= _BATCH:
        text = _whole(head, entries_json(context.history))
        if text is not None:
            return text
    entries = _newest(context.history, apis, MAX_JSON_BYTES - len(head) - 2)
    text = _whole(head, entries)
    if text is None and len(head) + 2 <= MAX_JSON_BYTES:
        text = _with_less_history(head, entries)
    return text or _without_history(context)


def _whole(head: bytes, entries: Sequence[bytes]) -> str | None:
    """Everything, where it is so short that it is worth the try."""
    data = _joined(head, entries)
    text = _written(data) if len(data) <= _SURELY_SHORT else None
    return text if text is not None and len(text) <= MAX_SESSION_CHARS else None


def _head(members: dict[str, object]) -> bytes:
    # `history` stands last and empty in the head, so that entries go before its closing `]}`.
    return orjson.dumps(members)[:-2]


def _newest(history: Sequence[HistoryEntry], apis: frozenset[str] | None, room: int) -> list[bytes]:
    """As many of the newest entries, as JSON, as `room` bytes hold; in order."""
    entries: list[bytes] = []
    for end in range(len(history), 0, -_BATCH):
        batch: Sequence[HistoryEntry] = history[max(0, end - _BATCH) : end]
        if apis is not None:
            batch = [entry for entry in batch if is_of_apis(entry, apis)]
        made = entries_json(batch)
        room -= sum(map(len, made)) + len(made)
        if room < 0:
            return _without_oldest(made, -room) + entries
        entries = made + entries
    return entries


def _without_oldest(entries: list[bytes], excess: int) -> list[bytes]:
    ends = list(accumulate(len(entry) + 1 for entry in entries))
    return entries[bisect_left(ends, excess) + 1 :]


def _joined(head: bytes, entries: Sequence[bytes]) -> bytes:
    return b"".join((head, b",".join(entries), b"]}"))


def _with_less_history(head: bytes, entries: Sequence[bytes]) -> str | None:
    return longest_history(
        entries,
        lambda count: _written(_joined(head, entries[len(entries) - count :])),
        head=len(head),
        limit=MAX_SESSION_CHARS,
    )


def _without_history(context: AgentContext) -> str | None:
    for less in _shortened(context):
        data = _head(head_mapping(less)) + b"]}"
        if len(data) <= MAX_JSON_BYTES and len(text := _written(data)) <= MAX_SESSION_CHARS:
            return text
    return None


def _written(data: bytes) -> str:
    if len(data) <= _PLAIN_JSON_BYTES:
        return binascii.b2a_base64(data, newline=False).decode()
    # No time goes into the wrapper: same context, same bytes.
    packed = isal_zlib.compress(data, _GZIP_LEVEL, GZIP_WINDOW)
    return GZIP_PREFIX + binascii.b2a_base64(packed, newline=False).decode()


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
