"""How long YAML takes to become values, in units of the parsers that it could be left to."""

import gc
import multiprocessing
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path

import orjson
import yaml
import yaml_rs

from benchmarks.measuring import alternate, ratio, table
from gateway.sources.yaml_text import parse_carefully, parse_yaml

_FAST = "yaml-rs alone"
_OURS = "parse_yaml"
_USUAL = "PyYAML's CSafeLoader"
_READERS: Mapping[str, Callable[[bytes], object]] = {
    _FAST: lambda data: yaml_rs.load(data, parse_datetime=False),
    _OURS: parse_yaml,
    _USUAL: lambda data: yaml.load(data, yaml.CSafeLoader),
    "parse_carefully": parse_carefully,
}
_SPAWN = multiprocessing.get_context("spawn")


class _Block(yaml.CSafeDumper):
    """Writes as people do: nothing twice removed, text of many lines as `|`."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _represent(dumper: _Block, text: str) -> yaml.ScalarNode:
    # PyYAML quotes only what YAML 1.1 takes for a number, and `012` is none there.
    style = "|" if "\n" in text else "'" if text[:1] in tuple("0123456789+-.") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Block.add_representer(str, _represent)


def measure(description: Path, rounds: int) -> str:
    """Markdown tables: the JSON description at `description` as YAML, and YAML files beside it."""
    value = orjson.loads(description.read_bytes())
    text = yaml.dump(value, Dumper=_Block, sort_keys=False, allow_unicode=True, width=10_000)
    data = text.encode()
    if parse_yaml(data) != value:
        raise RuntimeError(f"{description.name} is not the same as YAML")
    beside = sorted(description.parent.glob("*.yaml"))
    documents = {f"{description.name} as YAML": data} | {p.name: p.read_bytes() for p in beside}
    return "\n\n".join(_compare(name, data, rounds) for name, data in documents.items())


def _compare(name: str, data: bytes, rounds: int) -> str:
    figures = alternate({n: _timed(read, data) for n, read in _READERS.items()}, rounds)
    rows = [
        [
            reader,
            f"{1000 * min(times):.0f}",
            ratio(times, figures[_FAST]),
            ratio(figures[_USUAL], times),
            *_apart(reader, data),
        ]
        for reader, times in figures.items()
    ]
    heads = ["", "best, CPU ms", f"x {_FAST}", f"times as fast as {_USUAL}", "MB", "stall, ms"]
    return f"{name}: {len(data) / 1e6:.1f} MB, {rounds} rounds\n\n{table(heads, rows)}"


def _timed(read: Callable[[bytes], object], data: bytes) -> Callable[[], float]:
    def run() -> float:
        gc.collect()
        start = time.thread_time()
        made = read(data)
        seconds = time.thread_time() - start
        del made
        return seconds

    return run


def _apart(reader: str, data: bytes) -> tuple[str, str]:
    """What a process of its own says: peak memory that reading added, and the longest stall."""
    ours, theirs = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_report, args=(reader, data, theirs))
    process.start()
    memory, stall = ours.recv()
    process.join()
    return f"{memory:.0f}", f"{1000 * stall:.0f}"


def _report(reader: str, data: bytes, pipe: Connection) -> None:
    before = _peak()
    thread = threading.Thread(target=_READERS[reader], args=(data,))
    thread.start()
    # As an event loop would that wants to run: how long is it kept from it?
    longest, last = 0.0, time.perf_counter()
    while thread.is_alive():
        time.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    thread.join()
    pipe.send((_peak() - before, longest))


def _peak() -> float:
    """The most memory that this program has had, in MB; rusage counts what it was forked from."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
