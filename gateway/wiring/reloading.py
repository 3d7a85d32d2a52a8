"""Descriptions kept current: read again when they may have changed, swapped in when they are good.

A text that cannot be used, or a source that cannot be reached, leaves the old catalog serving.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from gateway.catalog import Catalog
from gateway.engine import Freshness, Gateway
from gateway.errors import DescriptionError
from gateway.sources import FileWatch, Prepared, Snapshot
from gateway.wiring.collecting import collector_at_rest
from gateway.wiring.loading import Loaded, build_api, keep_copy, located
from gateway.wiring.preparing import for_next_start

_LOG = logging.getLogger("gateway")

RETRY_SECONDS = (5.0, 10.0, 20.0, 40.0, 60.0)
# For what has never been there: an API that starts together with its sidecar takes a few seconds.
FIRST_SECONDS = (1.0, 2.0, 4.0)
# Waits are spread by this share either way, so that many gateways do not ask at one moment.
JITTER = 0.2
MAX_FAULT = 500


class _Live:
    """One API's description as it changes."""

    def __init__(self, loaded: Loaded, now: datetime) -> None:
        self.loaded = loaded
        watched = loaded.source.is_watchable and loaded.config.reload_seconds
        self.watch = FileWatch(loaded.source.files) if watched else None
        self.lock = asyncio.Lock()
        self.upstream = loaded.upstream
        self.digest = loaded.digest
        self.loaded_at = now if loaded.catalog is not None else None
        # What is wrong with the text read last, and the digest of the text refused last.
        self.fault = loaded.fault
        self.refused: tuple[str, DescriptionError] | None = None
        # Whether the source has held a good text since the start.
        self.confirmed = loaded.fault is None
        self.failures = 0 if self.confirmed else 1
        # On the loop's clock, which is the gateway's stopwatch, too.
        self.due: float | None = None
        self.told = _bounded(loaded.fault)
        self.task: asyncio.Task[None] | None = None
        # Whether another one has taken its place.
        self.is_retired = False

    def retire(self) -> None:
        """From now on nothing that it reads is taken."""
        self.is_retired = True
        if self.task is not None:
            self.task.cancel()

    def seconds_to_wait(self) -> float | None:
        """Until the source is read again for no other reason; None is for ever."""
        if self.failures:
            waits = RETRY_SECONDS if self.loaded_at else (*FIRST_SECONDS, *RETRY_SECONDS)
            return waits[min(self.failures, len(waits)) - 1]
        return self.loaded.config.reload_seconds or None if self.watch is None else None

    async def changed(self) -> None:
        """Returns when a watched file has changed; never for what is not watched."""
        if self.watch is None:
            await asyncio.Event().wait()
        else:
            # The last reading may have found that it refers to others.
            self.watch.paths = self.loaded.source.files
            await self.watch.changed()


class Reloading:
    """Keeps the APIs of one gateway current while `run` runs."""

    def __init__(
        self,
        gateway: Gateway,
        apis: Sequence[Loaded],
        *,
        now: Callable[[], datetime],
        fraction: Callable[[], float],
        renew: Callable[[Catalog, Catalog], None] | None = None,
    ) -> None:
        """`fraction` gives a random number from 0 up to 1.

        `renew` is called in a thread with the old and the new catalog before the new one serves.
        """
        self._gateway = gateway
        self._now = now
        self._fraction = fraction
        self._renew = renew
        self._apis = {loaded.name: _Live(loaded, now()) for loaded in apis}
        self._taking = asyncio.Lock()
        self._group: asyncio.TaskGroup | None = None
        for live in self._apis.values():
            self._publish(live)

    async def run(self, asked: asyncio.Event) -> None:
        """Runs until cancelled. Whenever `asked` is set, everything is read at once."""
        async with asyncio.TaskGroup() as self._group:
            for live in self._apis.values():
                self._begin(live)
            while True:
                await asked.wait()
                asked.clear()
                _LOG.info("reading every description again")
                await self.reload_all()

    async def reload_all(self) -> None:
        await asyncio.gather(*map(self._reload, tuple(self._apis.values())))

    async def exchange(self, come: Sequence[Loaded], gone: Iterable[str]) -> None:
        """Takes in APIs that are new or configured anew, and lets go of others, all at once.

        One that could not be loaded anew goes on as it was, and is tried again.
        """
        fresh = {loaded.name: _Live(loaded, self._now()) for loaded in come}
        left = {name: self._apis[name] for name in {*gone, *fresh} & self._apis.keys()}
        for live in left.values():
            live.retire()
        async with self._taking:
            kept = {n: live for n, live in self._apis.items() if n not in left}
            self._apis = {**kept, **fresh}
            await self._swap(fresh, set(gone) - fresh.keys())
        for name, live in fresh.items():
            if live.loaded_at is None and name in left:
                live.loaded_at = left[name].loaded_at
            self._publish(live)
            self._begin(live)

    async def _swap(self, fresh: Mapping[str, _Live], gone: AbstractSet[str]) -> None:
        gateway = self._gateway
        made = {name: live.loaded for name, live in fresh.items() if live.loaded.catalog}
        old = gateway.catalog.apis
        catalogs = [old[name] for name in old if name not in gone and name not in made]
        catalogs += [loaded.catalog for loaded in made.values() if loaded.catalog]
        with collector_at_rest():
            whole = await asyncio.to_thread(Catalog, catalogs)
            if self._renew is not None:
                await asyncio.to_thread(self._renew, gateway.catalog, whole)
        upstreams = {n: upstream for n, upstream in gateway.upstreams.items() if n not in gone}
        upstreams |= {name: it.upstream for name, it in made.items() if it.upstream}
        gateway.become(whole, upstreams, frozenset(self._apis.keys() - whole.apis.keys()))
        gateway.freshness = {n: it for n, it in gateway.freshness.items() if n not in gone}

    def _begin(self, live: _Live) -> None:
        if self._group is not None:
            live.task = self._group.create_task(self._keep_current(live))

    async def _keep_current(self, live: _Live) -> None:
        await self._keep(live, live.loaded.afterwards)
        # It holds a whole description.
        live.loaded = replace(live.loaded, afterwards=None)
        while True:
            seconds = live.seconds_to_wait()
            if seconds is not None:
                seconds *= 1 + JITTER * (2 * self._fraction() - 1)
            if seconds is not None and live.watch is None:
                live.due = asyncio.get_running_loop().time() + seconds
                self._publish(live)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await live.changed()
            await self._reload(live)

    async def _reload(self, live: _Live) -> None:
        async with live.lock:
            fault: DescriptionError | None
            try:
                snapshot = await live.loaded.source.read()
            except DescriptionError as error:
                reached, fault = False, error
            else:
                reached, fault = True, await self._judge(live, snapshot)
            live.confirmed = live.confirmed or (reached and fault is None)
            live.failures = 0 if reached and live.confirmed else live.failures + 1
            self._tell(live, fault)

    async def _judge(self, live: _Live, snapshot: Snapshot | None) -> DescriptionError | None:
        """What is wrong with the text, None for one that serves now; an unchanged one is known."""
        if snapshot is None:
            return live.fault
        live.fault = None
        if snapshot.digest == live.digest:
            return None
        if live.refused is None or live.refused[0] != snapshot.digest:
            live.refused = None
            try:
                await self._take(live, snapshot)
            except DescriptionError as error:
                live.refused = snapshot.digest, error
            except Exception:  # noqa: BLE001 - the loop outlives a mistake in the program
                _LOG.exception("unexpected failure with the description of %s", live.loaded.name)
                fault = DescriptionError("unexpected failure, see the log")
                live.refused = snapshot.digest, fault
        live.fault = live.refused[1] if live.refused else None
        return live.fault

    async def _take(self, live: _Live, snapshot: Snapshot) -> None:
        api = live.loaded.config
        # One at a time, because of the memory, and because two swaps at once would lose one.
        async with self._taking:
            if live.is_retired:
                return
            with collector_at_rest():
                opened = await asyncio.to_thread(snapshot.open)
                built = await build_api(api, opened, snapshot.digest, live.upstream)
                standing = self._gateway.catalog.apis
                others = [standing[name] for name in standing if name != built.catalog.api]
                whole = await asyncio.to_thread(Catalog, (*others, built.catalog))
                if self._renew is not None:
                    await asyncio.to_thread(self._renew, self._gateway.catalog, whole)
                self._gateway.admit(whole, built.upstream)
        live.digest, live.upstream, live.loaded_at = snapshot.digest, built.upstream, self._now()
        tools = len(built.catalog.tools)
        _LOG.info("description of %s loaded, %d tools", live.loaded.name, tools)
        await _to_the_end(keep_copy(api, live.loaded.shelf, snapshot))
        seen = live.loaded.source.seen(snapshot)
        now = Prepared(seen=seen, opened=opened, summary=built.summary)
        await self._keep(live, for_next_start(live.loaded.shelf, None, now))

    async def _keep(self, live: _Live, afterwards: Callable[[], None] | None) -> None:
        """Does what is to be done for the next start, one API after the other."""
        if afterwards is None:
            return
        try:
            async with self._taking:
                await asyncio.to_thread(afterwards)
        except (OSError, ValueError) as error:
            name = live.loaded.name
            _LOG.warning("the next start will read the description of %s anew: %s", name, error)

    def _tell(self, live: _Live, fault: DescriptionError | None) -> None:
        """Shows the state, and logs it where it is another one than before."""
        text = _bounded(fault)
        if text != live.told:
            if text:
                what = "its old one serves" if live.loaded_at else "its API answers 503"
                where = located(live.loaded.config, text)
                _LOG.error("description of %s not loaded, %s: %s", live.loaded.name, what, where)
            else:
                _LOG.info("description of %s is good again", live.loaded.name)
            live.told = text
        self._publish(live)

    def _publish(self, live: _Live) -> None:
        if live.is_retired:
            return
        state = Freshness(loaded_at=live.loaded_at, fault=live.told or None, due=live.due)
        self._gateway.freshness = {**self._gateway.freshness, live.loaded.name: state}


async def _to_the_end(work: Coroutine[object, object, None]) -> None:
    """Does `work` even when cancelled: what serves now may be all that the next start finds."""
    working = asyncio.ensure_future(work)
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await working
        raise


def _bounded(fault: DescriptionError | None) -> str:
    text = "" if fault is None else str(fault)
    return text if len(text) <= MAX_FAULT else f"{text[:MAX_FAULT]}..."
