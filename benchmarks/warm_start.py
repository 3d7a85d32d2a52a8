"""`python -m benchmarks.warm_start FILE...`: starting again, in units of parsing it as JSON."""

import argparse
import asyncio
import gc
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import orjson

from benchmarks.measuring import SERVER_CORE, alternate, pin, ratio, table
from gateway.catalog import Catalog
from gateway.config import ApiConfig, Config
from gateway.mcp import V2026_07_28, Server, ToolPages
from gateway.sources import ListFiles, Source
from gateway.wiring.collecting import collector_at_rest
from gateway.wiring.listing import Lists
from gateway.wiring.loading import Loaded, load_apis

_BASELINE = "orjson.loads of it as JSON"
_SPAWN = multiprocessing.get_context("spawn")


async def start(description: Path, lists: Lists, cache: Path | None) -> Loaded:
    """What `serve` does until it can answer, and the first `tools/list`."""
    api = ApiConfig(name="api", spec=str(description), base_url="http://127.0.0.1:9")
    with collector_at_rest():
        (loaded,) = await load_apis(Config(apis=(api,), cache=cache))
    if loaded.catalog is None or loaded.fault is not None:
        raise RuntimeError(f"{description}: {loaded.fault}")
    pages = ToolPages(Server(version="0"), recall=lists.recall)
    pages.page(V2026_07_28, Catalog([loaded.catalog]).view())
    return loaded


def _lists(cache: Path | None) -> Lists:
    return Lists(ListFiles(cache) if cache else None)


async def prepare(description: Path, cache: Path) -> float:
    """A first start with all that it leaves behind; the longest stall meanwhile, in seconds."""
    lists = _lists(cache)
    loaded = await start(description, lists, cache)
    tasks = [asyncio.ensure_future(work) for work in (_longest_stall(), lists.keep())]
    await asyncio.sleep(0.1)
    if loaded.afterwards is not None:
        await asyncio.to_thread(loaded.afterwards)
    for task in tasks:
        task.cancel()
    stall, _ = await asyncio.gather(*tasks, return_exceptions=True)
    return float(str(stall))


async def _longest_stall() -> float:
    longest = 0.0
    try:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - before - 0.001)
    except asyncio.CancelledError:
        return longest


def _timed(description: Path, cache: Path | None) -> float:
    async def measured() -> float:
        _settle()
        before = time.process_time()
        loaded = await start(description, _lists(cache), cache)
        seconds = time.process_time() - before
        del loaded
        return seconds

    return asyncio.run(measured())


def _settle() -> None:
    """The debts of an earlier contender are paid outside of the measured time."""
    gc.unfreeze()
    gc.collect()


def _touched(description: Path, cache: Path) -> float:
    for path in [description, *description.parent.rglob("*.yml")]:
        os.utime(path)
    return _timed(description, cache)


def _json_texts(description: Path) -> Sequence[bytes]:
    snapshot = asyncio.run(Source(str(description)).read())
    if snapshot is None:
        raise RuntimeError("nothing there")
    if description.suffix == ".json":
        return (snapshot.texts.root, *snapshot.texts.parts.values())
    return [orjson.dumps(value) for value in snapshot.open().document.values]


def _parsing(texts: Sequence[bytes]) -> float:
    _settle()
    before = time.process_time()
    values = [orjson.loads(text) for text in texts]
    seconds = time.process_time() - before
    del values
    return seconds


def _memory(description: Path, cache: Path | None) -> float:
    """The peak of a process that starts and lists its tools, in MB."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_report_memory, args=(theirs, description, cache))
    process.start()
    megabytes: float = ours.recv()
    process.join()
    return megabytes


def _report_memory(pipe: Connection, description: Path, cache: Path | None) -> None:
    async def once() -> None:
        await start(description, _lists(cache), cache)

    asyncio.run(once())
    # Not ru_maxrss, which has the peak of the process that this one was forked from.
    status = Path("/proc/self/status").read_text()
    pipe.send(int(status.partition("VmHWM:")[2].split()[0]) / 1000)


def measure(description: Path, directory: Path, rounds: int) -> str:
    """A Markdown table for one description, which is copied into `directory` to be touched."""
    cache, other, copies = directory / "cache", directory / "other", directory / "copies"
    shutil.copytree(description.parent, copies) if description.suffix == ".yml" else copies.mkdir()
    touched = Path(shutil.copy(description, copies))
    stall = asyncio.run(prepare(description, cache))
    asyncio.run(prepare(touched, other))
    texts = _json_texts(description)
    contenders: dict[str, Callable[[], float]] = {
        _BASELINE: lambda: _parsing(texts),
        "cold": lambda: _timed(description, None),
        "warm": lambda: _timed(description, cache),
        "warm, files touched": lambda: _touched(touched, other),
    }
    memory = {"cold": _memory(description, None), "warm": _memory(description, cache)}
    figures = alternate(contenders, rounds)
    rows = [
        [
            name,
            f"{1000 * min(times):.1f}",
            ratio(times, figures[_BASELINE]),
            f"{memory[name]:.0f}" if name in memory else "",
        ]
        for name, times in figures.items()
    ]
    kept = sum(path.stat().st_size for path in cache.glob("*.prepared")) / 1e6
    return (
        f"{description.name}: {rounds} rounds; {kept:.1f} MB prepared; longest stall while that "
        f"was written {1000 * stall:.0f} ms\n\n"
        + table(["", "best, CPU ms", "x orjson.loads: median (range)", "peak, MB"], rows)
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.warm_start", description=__doc__)
    parser.add_argument("descriptions", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=7, help="default: %(default)s")
    options = parser.parse_args()
    pin(SERVER_CORE)
    for description in options.descriptions:
        with tempfile.TemporaryDirectory() as directory:
            print(measure(description.resolve(), Path(directory), options.rounds) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
