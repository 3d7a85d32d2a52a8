"""The configuration kept current: read again when its file changes, taken over when it is good.

A configuration that cannot be used leaves the old one as it is.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.config import Config
from gateway.errors import ConfigError
from gateway.server.health import Readiness
from gateway.sources import FileWatch
from gateway.wiring.live_settings import LiveSettings
from gateway.wiring.loading import Loaded, load_apis, located
from gateway.wiring.reloading import Reloading
from gateway.wiring.settling import Settlement, named_as, settle

_LOG = logging.getLogger("gateway")
MAX_FAULTS = 20
"""Of a configuration, in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigSource:
    """Where the configuration comes from: `read` raises ConfigError; `file` may be None."""

    read: Callable[[], Config]
    file: Path | None = None


class Reconfiguring:
    """Keeps one gateway at its configuration while `run` runs.

    `config` is what serves; its APIs may lack names, `loaded` are the same ones with theirs.
    `settings` are kept at what is no API's.
    """

    def __init__(
        self,
        config: Config,
        loaded: Sequence[Loaded],
        source: ConfigSource,
        *,
        reloading: Reloading,
        settings: tuple[LiveSettings, Readiness],
    ) -> None:
        pairs = zip(config.apis, loaded, strict=True)
        self._names = {api.spec: it.name for api, it in pairs if api.name is None}
        self.config = replace(config, apis=tuple(it.config for it in loaded))
        self._source = source
        self._reloading = reloading
        self._live, self._readiness = settings
        self._fault = ""
        self._waiting: tuple[str, ...] = ()

    async def run(self, asked: asyncio.Event, descriptions: asyncio.Event) -> None:
        """Runs until cancelled. Whenever `asked` is set, so is `descriptions` after the reading."""
        watch = FileWatch((self._source.file,)) if self._source.file else None
        while True:
            if await _changed_or(asked, watch):
                asked.clear()
                await self._read()
                descriptions.set()
            else:
                await self._read()

    async def _read(self) -> None:
        try:
            wanted = await asyncio.to_thread(self._source.read)
            settled = settle(self.config, named_as(self._names, wanted))
            await self._take(settled)
            fault = ""
        except ConfigError as error:
            fault = "; ".join(error.faults[:MAX_FAULTS])
        except Exception:  # noqa: BLE001 - the loop outlives a mistake in the program
            _LOG.exception("unexpected failure with the configuration")
            fault = "unexpected failure"
        if fault and fault != self._fault:
            _LOG.error("the configuration cannot be used, the old one holds: %s", fault)
        elif self._fault and not fault:
            _LOG.info("the configuration is good again")
        self._fault = fault
        ailments = {"configuration": "the configuration is not current"} if fault else {}
        self._readiness.ailments = ailments

    async def _take(self, settled: Settlement) -> None:
        self._live.adopt(settled.config)
        self._readiness.needs_all = settled.config.server.ready_when == "all"
        if settled.anew or settled.gone:
            loaded = await load_apis(replace(settled.config, apis=settled.anew))
            await self._reloading.exchange(loaded, settled.gone)
            self._say(loaded, settled.gone)
        self.config = settled.config
        if settled.waiting and settled.waiting != self._waiting:
            _LOG.warning("changed, and needs a restart: %s", ", ".join(settled.waiting))
        self._waiting = settled.waiting

    def _say(self, loaded: Sequence[Loaded], gone: Sequence[str]) -> None:
        known = {api.name for api in self.config.apis}
        for api in loaded:
            if api.fault is not None:
                fault = located(api.config, api.fault)
                _LOG.error("description of %s not loaded: %s", api.name, fault)
            _LOG.info("API %s %s", api.name, "has other settings" if api.name in known else "added")
        for name in gone:
            _LOG.info("API %s removed", name)


async def _changed_or(asked: asyncio.Event, watch: FileWatch | None) -> bool:
    """Whether it was asked for; else the watched file has changed."""
    waits: list[asyncio.Future[object]] = [asyncio.ensure_future(asked.wait())]
    if watch is not None:
        waits.append(asyncio.ensure_future(watch.changed()))
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    return asked.is_set()
