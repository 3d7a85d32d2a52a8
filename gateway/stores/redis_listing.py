"""A page of a principal's contexts, out of Redis: read in slices, decoded off the event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from gateway.errors import StoreUnavailable, UnreadableRecord
from gateway.interfaces import Page, Stored
from gateway.stores.paging import HEAD_BYTES, PAGE_BYTES, SLICE, listed
from gateway.stores.record import encode_cursor
from gateway.stores.redis_connections import Words
from gateway.stores.redis_records import Keys, heal_words, read_large_words, read_words

Run = Callable[[Sequence[Words]], Awaitable[list[object]]]
"""The answers to commands, refusals among them; raises StoreUnavailable where one was lost."""


async def read_page(run: Run, keys: Keys, after: str, limit: int) -> Page:
    """Up to `limit` contexts behind the id `after`; ids without a record leave the indexes."""
    indexes = await run([("ZRANGE", keys.single, 0, -1), ("ZRANGE", keys.named, 0, -1)])
    ids = await asyncio.to_thread(_behind, after, indexes)
    wanted, shown, room = ids[:limit], 0, PAGE_BYTES
    items, gone = list[Stored](), list[str]()
    while shown < len(wanted) and room > 0:
        names = wanted[shown : shown + SLICE]
        heads = await run([read_words(keys, name, most=HEAD_BYTES) for name in names])
        made = await asyncio.to_thread(_all_listed, heads)
        for name, head, item in zip(names, heads, made, strict=True):
            size, found = len(head) if isinstance(head, bytes) else 0, item
            if size == HEAD_BYTES and item is None:
                found, size = await _read_whole(run, keys, name)
            items += () if found is None else (found,)
            gone += (name,) if head == b"" else ()
            shown, room = shown + 1, room - size
            if room <= 0:
                break
    if gone:
        await run([heal_words(keys, gone)])
    more = len(ids) > shown
    return Page(items=tuple(items), next_cursor=encode_cursor(ids[shown - 1]) if more else None)


async def _read_whole(run: Run, keys: Keys, name: str) -> tuple[Stored | None, int]:
    [data] = await run([read_large_words(keys, name)])
    if not isinstance(data, bytes):
        return None, 0
    with suppress(UnreadableRecord):
        return await asyncio.to_thread(listed, data, whole=True), len(data)
    return None, len(data)


def _behind(after: str, indexes: Sequence[object]) -> list[str]:
    names = set[str]()
    for members in indexes:
        if not isinstance(members, list):
            raise StoreUnavailable("the context store failed: its index cannot be read")
        names.update(member.decode() for member in members)
    return sorted(name for name in names if name > after)


def _all_listed(heads: Sequence[object]) -> list[Stored | None]:
    """What each shows; None where it is no record, or too short a part of one to tell."""
    return [_listed(head) if isinstance(head, bytes) and head else None for head in heads]


def _listed(head: bytes) -> Stored | None:
    try:
        return listed(head, whole=len(head) < HEAD_BYTES)
    except UnreadableRecord:
        return None
