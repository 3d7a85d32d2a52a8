"""Ten thousand clients that wait for news: what they cost, how soon they hear, what they leave."""

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from benchmarks.measuring import CLIENT_CORE, SERVER_CORE, Server, cpu_seconds, serving, table

STREAMS = 10_000
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
_SPARE = 200
"""Descriptors that a process needs beside its streams."""
_PATIENCE = 120.0
_IDLE_SECONDS = 30.0


def measure(streams: int = STREAMS) -> str:
    """A Markdown table. Fewer streams where the system allows no more descriptors."""
    streams = min(streams, _allow_descriptors() - _SPARE)
    with tempfile.TemporaryDirectory() as name:
        description, report = Path(name) / "api.json", Path(name) / "handlers"
        _describe(description, tools=1)
        command = [
            sys.executable, "-m", "benchmarks.listening", str(report), "serve", "--port", "0",
            "--store", "memory://", "--log-level", "warning",
            "--spec", f"bench={description}", "--base-url", "bench=http://127.0.0.1:9",
        ]  # fmt: skip
        with serving(command, core=SERVER_CORE, directory=Path(name)) as server:
            return _measure(server, streams, description, lambda: _handlers(server, report))


def _measure(server: Server, streams: int, description: Path, handlers: Callable[[], int]) -> str:
    # What a first connection brings along for good is not what one more costs.
    with _Clients(server.url, 100):
        _describe(description, tools=2)
        time.sleep(1)
    _wait(lambda: handlers() == 0)
    descriptors, memory = _descriptors(server), _memory_kib(server)
    with _Clients(server.url, streams) as clients:
        time.sleep(1)
        each = (_memory_kib(server) - memory) / streams
        busy = cpu_seconds(server.pid)
        time.sleep(_IDLE_SECONDS)
        idle = (cpu_seconds(server.pid) - busy) / _IDLE_SECONDS
        changed = time.monotonic()
        _describe(description, tools=3)
        heard = clients.all_heard() - changed
        later = (_memory_kib(server) - memory) / streams
    died = time.monotonic()
    _wait(lambda: handlers() == 0 and _descriptors(server) <= descriptors)
    gone = time.monotonic() - died
    rows = [
        ["streams", f"{streams:,}"],
        ["memory of each, KiB", f"{each:.1f}"],
        ["the same after a change, KiB", f"{later:.1f}"],
        ["a core's share while idle, pings included", f"{idle:.1%}"],
        ["from a changed file to the last client, s", f"{heard:.2f}"],
        ["from the clients' death to no handler and no descriptor, s", f"{gone:.2f}"],
    ]
    return table(["", ""], rows)


class _Clients:
    """A process that holds the streams, killed in the end."""

    def __init__(self, url: str, streams: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.listening_clients", url, str(streams)],
            cwd=Path(__file__).parents[1],
            stdout=subprocess.PIPE,
            preexec_fn=lambda: os.sched_setaffinity(0, {CLIENT_CORE}),  # noqa: PLW1509
        )

    def __enter__(self) -> Self:
        self._line()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def all_heard(self) -> float:
        """When the last one heard of a change, on the clock that all processes share."""
        return float(self._line())

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the clients gave up")
        return line


def _describe(path: Path, *, tools: int) -> None:
    done = {"200": {"description": "ok"}}
    paths = {f"/t{n}": {"get": {"operationId": f"t{n}", "responses": done}} for n in range(tools)}
    info = {"title": "Bench", "version": "1"}
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps({"openapi": "3.1.0", "info": info, "paths": paths}))
    aside.replace(path)


def _allow_descriptors() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = STREAMS + 2 * _SPARE
    allowed = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
    return max(soft, allowed)


def _memory_kib(server: Server) -> int:
    return int(Path(f"/proc/{server.pid}/statm").read_text().split()[1]) * _PAGE_KIB


def _descriptors(server: Server) -> int:
    return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))


def _handlers(server: Server, report: Path) -> int:
    """How many connections have a handler, asked of the process itself."""
    report.unlink(missing_ok=True)
    os.kill(server.pid, signal.SIGUSR1)
    _wait(report.exists)
    return int(report.read_text())


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("gave up waiting")
        time.sleep(0.02)


def _report_handlers(report: Path) -> None:
    tasks = asyncio.all_tasks(asyncio.get_running_loop())
    names = [getattr(task.get_coro(), "__qualname__", "") for task in tasks]
    handlers = names.count("RequestHandler._handle_request")
    aside = report.with_suffix(".new")
    aside.write_text(str(handlers))
    aside.replace(report)


if __name__ == "__main__":
    # The gateway itself, which tells how many handlers it has when it is asked.
    from gateway.__main__ import main

    report_to = Path(sys.argv.pop(1))
    signal.signal(signal.SIGUSR1, lambda *_: _report_handlers(report_to))
    main()
