"""Lists of tools that outlive their process, and are there before a new catalog is."""

import asyncio
import logging
from weakref import WeakKeyDictionary

from gateway.catalog import Catalog, Make, View
from gateway.sources import ListFiles

_LOG = logging.getLogger("gateway")


class Lists:
    """Finds the lists that this process or one before it has made, and makes the others.

    A list stays the same for all that its view was made of (`View.origins`) and the `form` that
    names what it is and who made it.
    """

    def __init__(self, files: ListFiles | None = None) -> None:
        self._files = files
        self._loop = asyncio.get_running_loop()
        self._unkept: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._makers: WeakKeyDictionary[View, dict[str, Make]] = WeakKeyDictionary()
        self._ready: WeakKeyDictionary[View, dict[str, bytes]] = WeakKeyDictionary()

    def recall(self, view: View, form: str, make: Make) -> bytes:
        """A list of `view`. Whoever asks keeps it: it is handed out once."""
        self._makers.setdefault(view, {})[form] = make
        ready = self._ready.get(view, {}).pop(form, None)
        return self._found(view, form, make) if ready is None else ready

    def renew(self, old: Catalog, new: Catalog) -> None:
        """Makes those lists of `new` that were asked of `old`. To be called in a thread."""
        for api in (None, *(old.apis.keys() & new.apis.keys())):
            # A copy: a request may add a form while the lists of the others are made.
            makers = dict(self._makers.get(old.view(api), {}))
            view = new.view(api)
            self._makers[view] = dict(makers)
            self._ready[view] = {f: self._found(view, f, make) for f, make in makers.items()}

    async def keep(self) -> None:
        """Writes lists to disk as they are made, until cancelled."""
        while True:
            name, data = await self._unkept.get()
            if self._files is None:
                continue
            try:
                await asyncio.to_thread(self._files.keep, name, data)
            except OSError as error:
                _LOG.warning("a list of tools is not kept for the next start: %s", error)

    def _found(self, view: View, form: str, make: Make) -> bytes:
        if self._files is None or not view.origins:
            return make(view)
        name = repr((form, view.origins))
        found = self._files.find(name)
        if found is None:
            found = make(view)
            self._loop.call_soon_threadsafe(self._unkept.put_nowait, (name, found))
        return found
