"""Who waits for another catalog."""

import asyncio

from gateway.catalog import NOTHING_DECLARED, Catalog, Declared


class CatalogWatch:
    """The catalog that serves now, and how often it has been replaced; what is declared stays.

    Whoever remembers the number of what it has seen cannot miss a change between two waits.
    """

    def __init__(self, catalog: Catalog, declared: Declared = NOTHING_DECLARED) -> None:
        self.catalog = catalog
        self.declared = declared
        self.number = 0
        self._news = asyncio.Event()

    def announce(self, catalog: Catalog) -> None:
        """From now on this catalog serves."""
        self.catalog = catalog
        self.number += 1
        self._news.set()
        self._news = asyncio.Event()

    async def after(self, number: int) -> None:
        """Returns once there have been more changes than `number`."""
        while self.number <= number:
            await self._news.wait()
