"""How long a description takes to become a catalog, in units of parsing its JSON."""

import asyncio
import gc
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from benchmarks.loading_peers import PEERS
from benchmarks.measuring import SERVER_CORE, alternate, pin, ratio, table
from gateway.catalog import ApiCatalog, read_catalog
from gateway.config import Overrides, load_config
from gateway.openapi import Description, Document, read_description
from gateway.openapi.checking import check_document
from gateway.wiring import load_catalog
from gateway.wiring.collecting import collector_at_rest

_BASELINE = "orjson.loads alone"
_AT_REST = "orjson.loads alone, collector at rest"


def measure(description: Path, rounds: int, peers: Path | None) -> str:
    """Markdown tables for the JSON description at `description`.

    `peers` is the Python of an environment in which loading_peers.py finds what it measures.
    """
    pin(SERVER_CORE)
    data = description.read_bytes()
    contenders = {_BASELINE: _timed(lambda: orjson.loads(data))}
    own: dict[str, Callable[[], object]] = {
        _AT_REST: lambda: orjson.loads(data),
        "to a catalog that answers calls": lambda: _catalog(data),
        "to digests": lambda: _digests(data),
        "to digests and every input schema as JSON": lambda: _published(data),
        "checked": lambda: _checked(data),
    }
    contenders |= {name: _rested(_timed(work)) for name, work in own.items()}
    contenders |= {name: _peer(peers, name, description) for name in PEERS if peers}
    catalog = _catalog(data)
    figures = alternate(contenders, rounds)
    rows = [
        [name, f"{1000 * min(times):,.0f}", *_ratios(times, figures)]
        for name, times in figures.items()
    ]
    head = f"{description.name}: {len(data) / 1e6:.1f} MB, {len(catalog.tools)} tools"
    sizes = (
        f"All input schemas are {_size(catalog):.1f} MB of JSON.\n\n{_stall(description, rounds)}"
    )
    columns = ["", "best, CPU ms", "x orjson.loads: median (range)", "x collector at rest"]
    return f"{head}, {rounds} rounds\n\n{table(columns, rows)}\n\n{sizes}"


def _ratios(times: Sequence[float], figures: dict[str, tuple[float, ...]]) -> list[str]:
    return [ratio(times, figures[name]) for name in (_BASELINE, _AT_REST)]


def _description(data: bytes) -> Description:
    return read_description(orjson.loads(data), api="api")


def _catalog(data: bytes) -> ApiCatalog:
    return read_catalog(_description(data))


def _digests(data: bytes) -> ApiCatalog:
    catalog = _catalog(data)
    for tool in catalog.tools.values():
        _ = tool.digest
    return catalog


def _published(data: bytes) -> list[bytes]:
    return [orjson.dumps(tool.input_schema) for tool in _digests(data).tools.values()]


def _size(catalog: ApiCatalog) -> float:
    return sum(len(orjson.dumps(tool.input_schema)) for tool in catalog.tools.values()) / 1e6


def _checked(data: bytes) -> object:
    root = orjson.loads(data)
    return check_document(Document(root), _version(root))


def _version(root: object) -> str:
    version = root.get("openapi", root.get("swagger")) if isinstance(root, dict) else None
    return str(version)[:3]


def _timed(work: Callable[[], object]) -> Callable[[], float]:
    """CPU-seconds of one run. The collector's debts of an earlier contender are paid, and what this
    one made is thrown away, outside of the measured time.
    """

    def run() -> float:
        gc.collect()
        start = time.process_time()
        made = work()
        seconds = time.process_time() - start
        del made
        return seconds

    return run


def _rested(run: Callable[[], float]) -> Callable[[], float]:
    """The same as the gateway loads: without collections meanwhile."""

    def rested() -> float:
        gc.collect()
        gc.disable()
        try:
            return run()
        finally:
            gc.enable()

    return rested


def _peer(python: Path | None, name: str, description: Path) -> Callable[[], float]:
    script = Path(__file__).with_name("loading_peers.py")
    command = [str(python), str(script), name, str(description)]

    def run() -> float:
        ended = subprocess.run(command, check=True, capture_output=True, text=True)
        return float(ended.stdout.split()[-1])

    return run


def _stall(description: Path, rounds: int) -> str:
    """What an event loop notices of a description that is loaded in a thread, as in a reload."""
    spec = str(description.resolve())
    waits = sorted(1000 * asyncio.run(_longest_wait(spec)) for _ in range(rounds))
    return (
        f"Longest wait of an event loop while it is loaded: {statistics.median(waits):.0f} ms "
        f"({waits[0]:.0f}-{waits[-1]:.0f}, clock time)."
    )


async def _longest_wait(spec: str) -> float:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "gateway.yaml"
        api = {"name": "api", "spec": spec, "base_url": "http://127.0.0.1:1"}
        file.write_bytes(orjson.dumps({"apis": [api]}))
        config = load_config(file, overrides=Overrides(), environ={}, cwd=Path(directory))
        loading = asyncio.ensure_future(load_catalog(config))
        longest = 0.0
        with collector_at_rest():
            while not loading.done():
                start = time.perf_counter()
                await asyncio.sleep(0.001)
                longest = max(longest, time.perf_counter() - start)
        await loading
        return longest
