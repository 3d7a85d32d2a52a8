"""The server as one process, or as several behind one port."""

import asyncio
import logging
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from shutil import rmtree

from gateway.config import Config
from gateway.config.secret import Secret, read_secret
from gateway.errors import ConfigError
from gateway.stores import SharedResults
from gateway.telemetry import forget_worker
from gateway.wiring.crew import METRICS, RESULTS, WorkerPlace
from gateway.wiring.doors import Doors, open_doors, url_of
from gateway.wiring.ending import end_within
from gateway.wiring.reconfiguring import ConfigSource
from gateway.wiring.serving import serve
from gateway.wiring.settling import settle
from gateway.wiring.supervising import Supervisor

_LOG = logging.getLogger("gateway")

NewLoop = Callable[[], asyncio.AbstractEventLoop]
_KEY_BYTES = 32


def run(
    config: Config,
    *,
    announce: Callable[[str], None],
    new_loop: NewLoop,
    source: ConfigSource | None = None,
) -> int:
    """Serves until a signal ends it; the exit code. `announce` gets the URL once all accept.

    With several workers every one of them returns from here, too. Raises what `serve` does.
    """
    doors = open_doors(config.server)
    if doors.probes:
        _LOG.info("answering probes on %s", url_of(doors.probes, doors.probes[0].getsockname()[0]))
    if config.server.workers == 1:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(
                serve(
                    config,
                    announce=announce,
                    source=source,
                    doors=doors,
                    end_within=end_within,
                )
            )
        return 0
    url = url_of(doors.main, config.server.host)
    key = read_secret(secrets.token_hex(_KEY_BYTES), {})
    config = _with_state_key(config, key)
    if source is not None:
        read = source.read
        source = replace(source, read=lambda: _with_state_key(read(), key))
    place = _supervise(config, doors, lambda: announce(url))
    if isinstance(place, int):
        return place
    work = serve(
        _current(config, source) if place.is_restarted else config,
        announce=lambda _: place.accepts(),
        source=source,
        doors=doors,
        place=place,
        end_within=end_within,
    )
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(work)
    if place.is_orphan and place.directory is not None:
        rmtree(place.directory, ignore_errors=True)
    return 0


def _current(config: Config, source: ConfigSource | None) -> Config:
    """What the other workers have by now; they kept `config` if the file is no good."""
    if source is None:
        return config
    with suppress(ConfigError):
        return settle(config, source.read()).config
    return config


def _supervise(config: Config, doors: Doors, announce: Callable[[], None]) -> WorkerPlace | int:
    directory = Path(tempfile.mkdtemp(prefix="ocp-gateway-"))
    place: WorkerPlace | int = 1
    try:
        for name in (METRICS, RESULTS):
            (directory / name).mkdir(mode=0o700)
        place = Supervisor(
            size=config.server.workers,
            drain_seconds=config.server.drain_seconds,
            announce=announce,
            leave=doors.close,
            forget=partial(_forget, directory),
            directory=directory,
        ).run()
    finally:
        if isinstance(place, int):  # a worker shall leave it to the others
            rmtree(directory, ignore_errors=True)
    return place


def _forget(directory: Path, process: int) -> None:
    forget_worker(directory / METRICS, process)
    SharedResults(directory / RESULTS).forget(process)


def _with_state_key(config: Config, key: Secret) -> Config:
    """What one worker has signed, the others believe; several machines need a key of their own."""
    if config.mcp.state_key is not None:
        return config
    return replace(config, mcp=replace(config.mcp, state_key=key))
