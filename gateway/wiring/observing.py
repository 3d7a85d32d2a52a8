"""Telemetry put together: who counts, what is read, who may look."""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from gateway.engine import Gateway
from gateway.server.entrance import Entrance
from gateway.server.metrics import MetricsEndpoint
from gateway.telemetry import (
    CONTENT_TYPE,
    NO_SPANS,
    Number,
    Observatory,
    Sources,
    Spans,
    Tally,
)

_LOG = logging.getLogger("gateway")

CLOSE_SECONDS = 3.0
"""How long the last spans may take to leave."""
_RECEIVERS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def open_observatory(directory: Path | None = None, spans: Spans = NO_SPANS) -> Observatory:
    """What this process tells. `directory` is that of all processes of one gateway."""
    if directory is not None:
        # The library reads this whenever it opens a file.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
    return Observatory(
        monotonic=time.monotonic,
        new_id=lambda: secrets.token_hex(16),
        directory=directory,
        spans=spans,
    )


@asynccontextmanager
async def traced_observatory(directory: Path | None) -> AsyncIterator[Observatory]:
    """The same, with spans where somebody asks for traces."""
    async with tracing(os.environ) as spans:
        yield open_observatory(directory, spans)


@asynccontextmanager
async def tracing(environ: Mapping[str, str]) -> AsyncIterator[Spans]:
    """Spans for OpenTelemetry where its environment variables name a receiver."""
    if not _wants_traces(environ):
        yield NO_SPANS
        return
    try:
        from gateway.telemetry.tracing import Tracing  # noqa: PLC0415 - an extra, and heavy
    except ImportError:
        # A cluster may set these for every pod: no reason not to serve.
        _LOG.warning("OTEL_* asks for traces, which need the extra: ocp-gateway[otel]")
        yield NO_SPANS
        return
    traces = Tracing()
    try:
        yield traces.spans
    finally:
        await asyncio.to_thread(traces.close, CLOSE_SECONDS)


def _wants_traces(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    return any(environ.get(name) for name in _RECEIVERS)


def metrics_of(observatory: Observatory, *, is_public: bool = True) -> MetricsEndpoint:
    return MetricsEndpoint(observatory.render, content_type=CONTENT_TYPE, is_public=is_public)


@asynccontextmanager
async def observing(
    observatory: Observatory, gateway: Gateway, runner: web.AppRunner
) -> AsyncIterator[None]:
    """Figures are kept current as long as it is open."""
    _add_entrance(observatory, runner)
    sources = Sources(gateway=gateway, peers=lambda: _peers(runner))
    observatory.read_from(sources, started=time.time())
    async with observatory.keeping():
        yield


def _add_entrance(observatory: Observatory, runner: web.AppRunner) -> None:
    """What never reaches the application, or has taken too long to."""

    def entrance() -> Entrance | None:
        return runner.server if isinstance(runner.server, Entrance) else None

    observatory.add_number(
        "connections", Number(about="Connections of callers.", read=lambda: len(_peers(runner)))
    )
    observatory.add_tally(
        "refused_requests",
        Tally(
            about="Requests refused before anything of them was judged but their form.",
            label="code",
            read=lambda: door.refused if (door := entrance()) else {},
        ),
    )
    observatory.add_tally(
        "late_connections",
        Tally(
            about="Connections closed because their callers took too long.",
            label="phase",
            read=lambda: door.late if (door := entrance()) else {},
        ),
    )


def _peers(runner: web.AppRunner) -> list[str]:
    connections = runner.server.connections if runner.server is not None else ()
    names = (
        connection.transport.get_extra_info("peername")
        for connection in connections
        if connection.transport is not None
    )
    return [name[0] if isinstance(name, tuple) else "-" for name in names]
