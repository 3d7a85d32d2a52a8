"""`python -m benchmarks.breadth DIR...`: load every description found, and say what went wrong.

Each document becomes a catalog whose every schema is compiled and checked, in a worker process with
a bound on time and memory. The floor is parsing alone. Linux only (memory peaks).
"""

import argparse
import asyncio
import gc
import multiprocessing
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from benchmarks.measuring import table
from gateway.catalog import read_catalog
from gateway.errors import GatewayError
from gateway.openapi import Description, read_description
from gateway.sources import Snapshot, Source, parse
from tests.support.proofs import declared, faults_of

T = TypeVar("T")

MEMORY_BYTES = 6 * 1024**3
SHOWN_FAULTS = 5
_SUFFIXES = frozenset({".json", ".yaml", ".yml"})
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one file. Times in CPU-seconds.

    `parse` is the floor; `load` is parsing, reading and naming, `whole` all that and every schema
    and digest. `failure` says why it is no catalog, `faults` what is wrong with the one it is.
    """

    name: str
    is_description: bool = True
    parse: float = 0.0
    load: float = 0.0
    whole: float = 0.0
    operations: int = 0
    tools: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    failure: str = ""
    faults: Sequence[str] = ()


def load_file(path: Path, name: str) -> Result:
    """Load the description in `path` and check the outcome; whatever happens is in the Result."""
    try:
        snapshot = asyncio.run(Source(str(path)).read())
        if snapshot is None or not _is_description(snapshot):
            return Result(name=name, is_description=False)
        return _load(name, snapshot)
    except GatewayError as error:
        return Result(name=name, failure=f"refused: {error}")
    except MemoryError:
        return Result(name=name, failure="memory")
    except Exception as error:  # noqa: BLE001 - the very thing that is looked for
        return Result(name=name, failure=f"broken: {type(error).__name__}: {error}"[:300])


def _is_description(snapshot: Snapshot) -> bool:
    """Whether the file says so: other JSON and parts of descriptions lie in the same folders."""
    root = parse(snapshot.texts.root)
    return isinstance(root, dict) and bool({"openapi", "swagger"} & root.keys())


def _load(name: str, snapshot: Snapshot) -> Result:
    texts = (snapshot.texts.root, *snapshot.texts.parts.values())
    floor = _timed(lambda: [parse(text) for text in texts])[1]
    # What reading several documents has parsed is parsed again, within the time.
    unopened = replace(snapshot, opened=None)
    description, opening = _timed(
        lambda: read_description(unopened.open().document, api="api"),
    )
    catalog, naming = _timed(lambda: read_catalog(description))
    _, rest = _timed(lambda: [tool.digest for tool in catalog.tools.values()])
    return Result(
        name=name,
        parse=floor,
        load=opening + naming,
        whole=opening + naming + rest,
        operations=len(declared(description)),
        tools=len(catalog.tools),
        skipped=_skipped(description),
        faults=tuple(islice(faults_of(description, catalog), SHOWN_FAULTS)),
    )


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    gc.collect()
    started = time.process_time()
    made = work()
    return made, time.process_time() - started


def _skipped(description: Description) -> dict[str, int]:
    """How many operations were left out for each reason, names taken out of the reasons."""
    return Counter(
        re.sub(r"'[^']*'|\"[^\"]*\"", "'...'", p.message.partition(": ")[2] or p.message)
        for p in description.problems
        if p.severity == "error"
    )


def _work(connection: Connection) -> None:
    """A worker: loads what it is told to, one file after the other."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    while (job := connection.recv()) is not None:
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak (proc(5))
        connection.send((load_file(*job), _peak_megabytes()))
        gc.collect()


def _peak_megabytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class _Worker:
    """A process that is replaced when it takes too long or dies."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._start()

    def _start(self) -> None:
        self._connection, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def load(self, path: Path, name: str) -> tuple[Result, float]:
        """The result and the process's peak in MB."""
        self._connection.send((path, name))
        try:
            if self._connection.poll(self._seconds):
                result, memory = self._connection.recv()
                return result, memory
            failure = f"more than {self._seconds:g} s"
        except EOFError:
            failure = "the process died"
        self.stop()
        self._start()
        return Result(name=name, failure=failure), 0.0

    def stop(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()


def load_all(directories: Sequence[Path], seconds: float) -> Iterator[tuple[Result, float]]:
    """The result of every JSON and YAML file below each directory, in the order of the names."""
    worker = _Worker(seconds)
    try:
        for directory in directories:
            for path in sorted(p for p in directory.rglob("*") if p.suffix in _SUFFIXES):
                yield worker.load(path, str(path.relative_to(directory)))
    finally:
        worker.stop()


def report(found: Iterable[tuple[Result, float]]) -> tuple[str, bool]:
    """Markdown, and whether all is well."""
    pairs = [(result, memory) for result, memory in found if result.is_description]
    results = [result for result, _ in pairs]
    bad = [result for result in results if result.failure or result.faults]
    lines = [_totals(results, len(bad)), "", "## Left out", ""]
    for reason, names in sorted(_reasons(results).items()):
        lines.append(f"- {names.total():,} x {reason}: {', '.join(names)}")
    lines += ["", "## Failed", ""]
    for result in bad:
        lines += [
            f"- {result.name}: {fault}" for fault in (result.failure, *result.faults) if fault
        ]
    lines += ["", "## Slowest and largest", "", _slowest(pairs)]
    return "\n".join(lines), not bad


def _reasons(results: Iterable[Result]) -> dict[str, Counter[str]]:
    """How often each reason occurs in each file."""
    found: dict[str, Counter[str]] = {}
    for result in results:
        for reason, count in result.skipped.items():
            found.setdefault(reason, Counter())[result.name] += count
    return found


def _totals(results: Sequence[Result], bad: int) -> str:
    parse_time = sum(result.parse for result in results)
    rows = [
        ["descriptions", f"{len(results):,}"],
        ["without error", f"{len(results) - bad:,} ({1 - bad / max(len(results), 1):.2%})"],
        ["operations", f"{sum(result.operations for result in results):,}"],
        ["tools", f"{sum(result.tools for result in results):,}"],
        ["parsing alone, CPU-s", f"{parse_time:.1f}"],
    ]
    for name, seconds in (
        ("to catalogs", sum(result.load for result in results)),
        ("to catalogs, schemas and digests made", sum(result.whole for result in results)),
    ):
        rows.append([f"{name}, CPU-s", f"{seconds:.1f} ({seconds / max(parse_time, 1e-9):.2f} x)"])
    return table(["", ""], rows)


def _slowest(pairs: Sequence[tuple[Result, float]]) -> str:
    worst = sorted(pairs, key=lambda pair: -pair[0].whole)[:8]
    largest = sorted(pairs, key=lambda pair: -pair[1])[:4]
    rows = [
        [r.name, f"{r.parse:.2f}", f"{r.load:.2f}", f"{r.whole:.2f}", f"{memory:.0f}"]
        for r, memory in {pair[0].name: pair for pair in (*worst, *largest)}.values()
    ]
    heads = ["", "parsed, CPU-s", "catalog", "with schemas", "peak with checks, MB"]
    return table(heads, rows)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.breadth", description=__doc__)
    parser.add_argument("directories", type=Path, nargs="+", metavar="DIR")
    parser.add_argument("--seconds", type=float, default=120, help="for each file (%(default)s)")
    options = parser.parse_args()
    started = time.perf_counter()
    text, is_well = report(_shown(load_all(options.directories, options.seconds)))
    print(text)
    print(f"\n{time.perf_counter() - started:.0f} s in all, checks included.")
    return 0 if is_well else 1


def _shown(found: Iterable[tuple[Result, float]]) -> Iterator[tuple[Result, float]]:
    for number, pair in enumerate(found, 1):
        if sys.stderr.isatty():
            print(f"\r{number:,} {pair[0].name[:60]:60}", end="", file=sys.stderr)
        yield pair


if __name__ == "__main__":
    sys.exit(main())
