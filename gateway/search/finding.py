"""Searches off the event loop, over indexes that are made at first use."""

import asyncio
from weakref import WeakKeyDictionary

from gateway.catalog import View
from gateway.search.index import ToolIndex


class FullTextSearch:
    """A ToolSearch. Each view has an index, made when it is first searched and gone with it."""

    def __init__(self) -> None:
        self._indexes: WeakKeyDictionary[View, ToolIndex] = WeakKeyDictionary()
        self._making = asyncio.Lock()

    async def find(self, view: View, question: str, *, api: str | None = None) -> tuple[str, ...]:
        index = self._indexes.get(view)
        if index is None:
            async with self._making:  # whoever comes meanwhile takes what the first one makes
                index = self._indexes.get(view)
                if index is None:
                    index = self._indexes[view] = await asyncio.to_thread(ToolIndex, view)
        return await asyncio.to_thread(index.find, question, api)
