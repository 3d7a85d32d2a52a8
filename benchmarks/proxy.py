"""Proxied requests: the gateway beside a bare aiohttp proxy and nginx, in one run."""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks.measuring import (
    CLIENT_CORE,
    SERVER_CORE,
    Server,
    alternate,
    cpu_seconds,
    pin,
    ratio,
    serving,
    table,
)
from benchmarks.proxy_upstream import LARGE_BYTES
from tests.support.nginx import NginxServer, nginx_executable
from tests.support.redis_server import start_redis

STREAMS = 1_000
_BARE, _NGINX = "bare aiohttp proxy", "nginx proxy_pass"
_ONE, _TWO = "gateway, 1 worker", "gateway, 2 workers"
_SPREAD = "gateway, 2 workers on both cores"
_OCP = "gateway, 1 worker, in contexts on Redis"
_CONVERSATION = 50
"""Requests in one context before the next one begins."""
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
_HTTP = """
  upstream api {{ server {upstream}; keepalive 64; }}
  server {{
    listen @LISTEN@;
    client_max_body_size 20m;
    location / {{
      proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_request_buffering off;
    }}
    location /events {{
      proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A request below `path` of a proxy; `each` on each of so many connections at once."""

    method: str
    path: str
    body: int
    connections: int
    each: int

    def request(self, prefix: str, context_id: str | None = None) -> bytes:
        context = f"OCP-Context-ID: {context_id}\r\n" if context_id else ""
        length = f"Content-Length: {self.body}\r\n" if self.body else ""
        head = f"{self.method} {prefix}{self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        return f"{head}Accept: */*\r\n{context}{length}\r\n".encode() + b"." * self.body


@dataclass(slots=True)
class Contender:
    """A proxy, the prefix of its paths, and what single requests took in its rounds."""

    server: Server
    prefix: str
    seconds: dict[str, list[float]]
    in_contexts: bool = False

    def request(self, kind: Kind) -> bytes:
        context_id = f"ocp-{uuid4().hex}" if self.in_contexts else None
        return kind.request(self.prefix, context_id)

    def pids(self) -> list[int]:
        children = Path(f"/proc/{self.server.pid}/task/{self.server.pid}/children").read_text()
        return [self.server.pid, *map(int, children.split())]

    def cpu(self) -> float:
        return sum(map(cpu_seconds, self.pids()))

    def memory_kib(self) -> int:
        sizes = (Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in self.pids())
        return sum(map(int, sizes)) * _PAGE_KIB


def measure(rounds: int, each: int) -> str:
    """Markdown tables. `each` is the number of small requests per connection and round."""
    kinds = {
        "small GET": Kind(method="GET", path="/small", body=0, connections=16, each=each),
        "10 MB download": Kind(method="GET", path="/large", body=0, connections=4, each=3),
        "10 MB upload": Kind(method="POST", path="/small", body=LARGE_BYTES, connections=4, each=3),
    }
    pin(CLIENT_CORE)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        contenders = _contenders(stack, Path(name))
        parts = [_measured(what, kind, contenders, rounds) for what, kind in kinds.items()]
        parts.append(_memory(contenders))
    missing = "" if _NGINX in contenders else f"\n\n{_NGINX}: no nginx was found"
    return f"{rounds} rounds\n\n" + "\n\n".join(parts) + missing


def _measured(what: str, kind: Kind, contenders: Mapping[str, Contender], rounds: int) -> str:
    runs = {name: _runner(contender, kind) for name, contender in contenders.items()}
    for run in runs.values():
        run()
    for contender in contenders.values():
        contender.seconds[kind.method + kind.path] = []
    figures = alternate(runs, rounds)
    rows = []
    for name, contender in contenders.items():
        taken = sorted(contender.seconds[kind.method + kind.path])
        rows.append(
            [
                name,
                f"{sorted(figures[name])[rounds // 2]:,.0f}",
                ratio(figures[name], figures[_BARE]),
                ratio(figures[name], figures[_NGINX]) if _NGINX in figures else "-",
                f"{taken[len(taken) // 2] * 1000:.1f} / {taken[len(taken) * 99 // 100] * 1000:.1f}",
            ]
        )
    heads = [what, "requests per CPU-second", f"x {_BARE}", f"x {_NGINX}", "p50 / p99 ms"]
    return table(heads, rows)


def _runner(contender: Contender, kind: Kind) -> Callable[[], float]:
    def run() -> float:
        before = contender.cpu()
        asyncio.run(_load(contender, kind))
        return kind.connections * kind.each / (contender.cpu() - before)

    return run


async def _load(contender: Contender, kind: Kind) -> None:
    seconds = contender.seconds.setdefault(kind.method + kind.path, [])
    async with asyncio.TaskGroup() as group:
        for _ in range(kind.connections):
            group.create_task(_converse(contender, kind, seconds))


async def _converse(contender: Contender, kind: Kind, seconds: list[float]) -> None:
    parts = urlsplit(contender.server.url)
    request = b""
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20)
    for turn in range(kind.each):
        if turn % _CONVERSATION == 0:
            request = contender.request(kind)
        started = time.perf_counter()
        writer.write(request)
        await writer.drain()
        await _read_answer(reader)
        seconds.append(time.perf_counter() - started)
    writer.close()
    await writer.wait_closed()


async def _read_answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, counted, rest = head.partition(b"\r\ncontent-length:")
    if not head.startswith(b"http/1.1 200") or not counted:
        raise RuntimeError(f"not a measured 200: {head.decode('latin-1')}")
    left = int(rest.split(b"\r\n", 1)[0])
    while left:
        piece = await reader.read(min(left, 1 << 18))
        if not piece:
            raise RuntimeError("the answer was cut")
        left -= len(piece)


def _memory(contenders: Mapping[str, Contender]) -> str:
    rows = []
    for name, contender in contenders.items():
        asyncio.run(_hold(contender, 50))
        before = contender.memory_kib()
        after = asyncio.run(_hold(contender, STREAMS))
        rows.append([name, f"{before / 1024:.0f}", f"{(after - before) / STREAMS:.1f}"])
    return table([f"{STREAMS:,} open event streams", "MB before", "KiB for each"], rows)


async def _hold(contender: Contender, streams: int) -> int:
    """The memory while all of them are open, and each has had an event."""
    parts = urlsplit(contender.server.url)
    request = Kind(method="GET", path="/events", body=0, connections=0, each=0).request(
        contender.prefix
    )

    async def open_one() -> asyncio.StreamWriter:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(request)
        await reader.readuntil(b"data: {}\n\n")
        return writer

    writers = [await open_one() for _ in range(streams)]
    memory = contender.memory_kib()
    for writer in writers:
        writer.transport.abort()
    return memory


def _contenders(stack: ExitStack, directory: Path) -> dict[str, Contender]:
    def start(core: int, *words: str) -> Server:
        command = [sys.executable, "-m", *words]
        return stack.enter_context(serving(command, core=core, directory=directory))

    def contender(server: Server, prefix: str = "") -> Contender:
        return Contender(server, prefix, {})

    upstream = start(CLIENT_CORE, "benchmarks.proxy_upstream")
    found = {_BARE: contender(start(SERVER_CORE, "benchmarks.bare", "proxy", upstream.url))}
    if nginx_executable() is not None:
        http = _HTTP.format(upstream=upstream.url.removeprefix("http://"))
        nginx = stack.enter_context(NginxServer(directory / "nginx", http))
        os.sched_setaffinity(nginx.pid, {SERVER_CORE})
        found[_NGINX] = contender(Server(url=nginx.url, pid=nginx.pid))
    configuration = _configured(directory, upstream)
    redis = stack.enter_context(start_redis(directory / "redis"))
    sqlite = f"sqlite:///{directory}/contexts.db"
    for name, workers, store in (
        (_ONE, 1, sqlite), (_TWO, 2, sqlite), (_SPREAD, 2, sqlite), (_OCP, 1, redis.url),
    ):  # fmt: skip
        server = start(
            SERVER_CORE, "gateway", "serve", str(configuration), "--port", "0",
            "--store", store, "--workers", str(workers), "--log-level", "warning",
        )  # fmt: skip
        found[name] = contender(server, "/apis/bench")
    found[_OCP].in_contexts = True
    _spread(found[_SPREAD])
    return found


def _spread(contender: Contender) -> None:
    for pid in contender.pids():
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {CLIENT_CORE, SERVER_CORE})


def _configured(directory: Path, upstream: Server) -> Path:
    done = {"200": {"description": "ok"}}
    names = {"/small": ("get", "post"), "/large": ("get",), "/events": ("get",)}
    paths = {path: {verb: {"responses": done} for verb in verbs} for path, verbs in names.items()}
    info = {"title": "Bench", "version": "1"}
    description = directory / "bench.json"
    description.write_text(json.dumps({"openapi": "3.1.0", "info": info, "paths": paths}))
    api = {
        "name": "bench",
        "spec": str(description),
        "base_url": upstream.url,
        "max_concurrency": 2 * STREAMS,
        "max_body_bytes": 2 * LARGE_BYTES,
    }
    file = directory / "gateway.yaml"
    file.write_text(json.dumps({"apis": [api]}))
    return file
