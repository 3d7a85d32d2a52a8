"""How long a description takes to become a catalog, in units of parsing its JSON."""

import gc
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from benchmarks.measuring import SERVER_CORE, alternate, pin, ratio, table
from gateway.catalog import ApiCatalog, read_catalog
from gateway.openapi import read_description

_BASELINE = "orjson.loads alone"


def measure(description: Path, rounds: int) -> str:
    """A Markdown table for the JSON description at `description`."""
    pin(SERVER_CORE)
    data = description.read_bytes()
    contenders = {
        _BASELINE: lambda: orjson.loads(data),
        "to a catalog": lambda: _catalog(data),
        "to a catalog, digests made": lambda: _digests(data),
    }
    tools = len(_catalog(data).tools)
    figures = alternate({n: _timed(work) for n, work in contenders.items()}, rounds)
    rows = [
        [name, f"{1000 * min(times):.0f}", ratio(times, figures[_BASELINE])]
        for name, times in figures.items()
    ]
    megabytes = len(data) / 1e6
    return f"{description.name}: {megabytes:.1f} MB, {tools} tools, {rounds} rounds\n\n" + table(
        ["", "best, ms", "x orjson.loads: median (range)"], rows
    )


def _catalog(data: bytes) -> ApiCatalog:
    return read_catalog(read_description(orjson.loads(data), api="api"))


def _digests(data: bytes) -> tuple[str, ...]:
    return tuple(tool.digest for tool in _catalog(data).tools.values())


def _timed(work: Callable[[], object]) -> Callable[[], float]:
    """Seconds of one run. The collector runs as it does in the gateway; its debts of an earlier
    contender are paid, and what this one made is thrown away, outside of the measured time.
    """

    def run() -> float:
        gc.collect()
        start = time.perf_counter()
        made = work()
        seconds = time.perf_counter() - start
        del made
        return seconds

    return run
