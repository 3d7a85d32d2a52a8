"""MCP: lists, calls and searches of a large catalog, beside `POST /tools` and beside FastMCP."""

import asyncio
import json
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from benchmarks.load_client import CONNECTIONS, Requests, load
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
from benchmarks.traffic import Contexts
from gateway.catalog import Catalog, View, read_catalog
from gateway.openapi import read_description
from gateway.search.index import ToolIndex

_ARGUMENTS = {"owner": "octo", "repo": "hello-world"}
_QUESTION = "create an issue in a repository"
_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
_CONFIG = """
store: {{url: "memory://"}}
mcp: {{tools: {tools}}}
apis: [{{name: github, spec: {spec}, base_url: "{upstream}"}}]
"""
_PLAIN, _MODERN, _LEGACY = "POST /tools/{name}", "tools/call, 2026-07-28", "tools/call, 2025-11-25"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Seconds from the request to the first byte and to the last, and the body."""

    first: float
    last: float
    body: bytes


def _request(path: str, body: object, headers: Mapping[str, str]) -> bytes:
    data = orjson.dumps(body)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Accept: application/json, text/event-stream\r\n{lines}Content-Length: {len(data)}\r\n\r\n"
    ).encode() + data


def _modern(method: str, **params: object) -> bytes:
    named = {"Mcp-Name": str(params["name"])} if "name" in params else {}
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method, **named}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": _META}}
    return _request("/mcp", message, headers)


def _call(name: str) -> bytes:
    return _modern("tools/call", name=name, arguments=_ARGUMENTS)


def _legacy_call(server: Server, name: str) -> bytes:
    """A call in a session that is opened for it."""
    params = {
        "protocolVersion": "2025-11-25",
        "clientInfo": {"name": "bench", "version": "1"},
        "capabilities": {},
    }
    message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    door = HTTPConnection(urlsplit(server.url).netloc)
    head = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    door.request("POST", "/mcp", json.dumps(message), head)
    answer = door.getresponse()
    session = answer.headers["Mcp-Session-Id"]
    answer.read()
    door.close()
    headers = {"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": session}
    call = {"name": name, "arguments": _ARGUMENTS}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    return _request("/mcp", message, headers)


def _in_contexts(request: bytes) -> Requests:
    """The request in conversations of some calls, as the other measurements have them."""
    contexts = Contexts()
    line, _, rest = request.partition(b"\r\n")

    def make(connection: int, turn: int) -> bytes:
        context = contexts.headers(connection, turn)["OCP-Context-ID"]
        return b"\r\n".join((line, f"OCP-Context-ID: {context}".encode(), rest))

    return make


def _exchange(server: Server, request: bytes) -> Answer:
    """One request on a connection of its own, read as fast as Python can."""
    parts = urlsplit(server.url)
    buffer = bytearray(2**20)
    with socket.create_connection((parts.hostname, parts.port)) as door:
        door.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        start, pieces, first = time.perf_counter(), list[bytes](), 0.0
        while size := door.recv_into(buffer):
            first = first or time.perf_counter() - start
            pieces.append(bytes(buffer[:size]))
        last = time.perf_counter() - start
    head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"not a 200: {head.decode('latin-1')}")
    return Answer(first=first, last=last, body=body)


def _milliseconds(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1e3:,.2f}"


def _lists(servers: Mapping[str, tuple[Server, int]], rounds: int) -> str:
    """Each server with how often it is asked in a round."""
    request = _modern("tools/list")
    answers: dict[str, list[Answer]] = {name: [] for name in servers}

    def ask(name: str, server: Server, times: int) -> float:
        before = cpu_seconds(server.pid)
        answers[name] += [_exchange(server, request) for _ in range(times)]
        return (cpu_seconds(server.pid) - before) / times

    for server, _ in servers.values():  # a first list is made, and later ones are not
        _exchange(server, request)
    measured = alternate(
        {name: partial(ask, name, server, times) for name, (server, times) in servers.items()},
        rounds,
    )
    own = next(iter(measured.values()))
    rows = [
        [
            name,
            f"{len(answers[name][0].body):,}",
            _milliseconds([each.last - each.first for each in answers[name]]),
            _milliseconds([each.last for each in answers[name]]),
            _milliseconds(list(figures)),
            ratio(figures, own),
        ]
        for name, figures in measured.items()
    ]
    heads = ["tools/list", "bytes", "ms, first byte to last", "ms, whole", "ms of CPU", "x CPU"]
    return table(heads, rows)


def _per_cpu_second(server: Server, request: bytes, each: int) -> Callable[[], float]:
    def run() -> float:
        before = cpu_seconds(server.pid)
        asyncio.run(load(server.url, _in_contexts(request), each=each))
        return each * CONNECTIONS / (cpu_seconds(server.pid) - before)

    return run


def _one_per_cpu_second(server: Server, request: bytes) -> Callable[[], float]:
    def run() -> float:
        before = cpu_seconds(server.pid)
        _exchange(server, request)
        return 1 / (cpu_seconds(server.pid) - before)

    return run


def _calls(runs: Mapping[str, Callable[[], float]], rounds: int) -> str:
    for run in runs.values():
        run()
    measured = alternate(runs, rounds)
    rows = [
        [name, f"{statistics.median(figures):,.1f}", ratio(figures, measured[_PLAIN])]
        for name, figures in measured.items()
    ]
    return table(["calls", "per CPU-second", f"x {_PLAIN}"], rows)


def _searching(view: View) -> str:
    start = time.process_time()
    index = ToolIndex(view)
    made = time.process_time() - start
    times: list[float] = []
    for question in (_QUESTION, "delete", "who has starred a repository"):
        for _ in range(20):
            start = time.process_time()
            index.find(question)
            times.append(time.process_time() - start)
    return (
        f"An index of {len(view.tools):,} tools is made in {made * 1e3:,.0f} ms; "
        f"a question takes {_milliseconds(times)} ms (CPU time)."
    )


def _tokens(body: bytes) -> int:
    """As the gateway counts them: a quarter of the bytes of the tools' definitions."""
    return -(-len(orjson.dumps(orjson.loads(body)["result"]["tools"])) // 4)


def measure(description: Path, rounds: int, each: int, peers: Path | None) -> str:
    """Markdown tables. `peers` is the Python of an environment that has FastMCP."""
    pin(CLIENT_CORE)
    text = description.read_bytes()
    view = Catalog([read_catalog(read_description(orjson.loads(text), api="github"))]).view()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)

        def start(command: list[str], core: int) -> Server:
            return stack.enter_context(serving(command, core=core, directory=directory))

        upstream = start([sys.executable, "-m", "benchmarks.upstream"], CLIENT_CORE)

        def gateway(tools: str) -> Server:
            config = directory / f"{tools}.yaml"
            config.write_text(
                _CONFIG.format(tools=tools, spec=description.resolve(), upstream=upstream.url)
            )
            command = [sys.executable, "-m", "gateway", "serve", str(config), "--port", "0"]
            return start([*command, "--log-level", "warning"], SERVER_CORE)

        listing, searching = gateway("list"), gateway("search")
        lists = {"gateway": (listing, 20), "gateway, mcp.tools: search": (searching, 20)}
        plain = _request("/tools/reposGet", _ARGUMENTS, {})
        through = _modern(
            "tools/call", name="callTool", arguments={"name": "reposGet", "arguments": _ARGUMENTS}
        )
        question = _modern("tools/call", name="searchTools", arguments={"query": _QUESTION})
        calls = {
            _PLAIN: _per_cpu_second(listing, plain, each),
            _MODERN: _per_cpu_second(listing, _call("reposGet"), each),
            _LEGACY: _per_cpu_second(listing, _legacy_call(listing, "reposGet"), each),
            "callTool": _per_cpu_second(searching, through, each),
            "searchTools": _per_cpu_second(searching, question, each),
        }
        if peers is not None:
            script = str(Path(__file__).with_name("fastmcp_server.py"))
            command = [str(peers), "-W", "ignore", script, str(description.resolve()), upstream.url]
            peer = start(command, SERVER_CORE)
            lists["FastMCP from_openapi"] = (peer, 1)
            # A call takes it seconds.
            calls["FastMCP, tools/call"] = _one_per_cpu_second(peer, _call("repos_get"))
        parts = [f"{rounds} rounds; {each * CONNECTIONS:,} calls in each", _lists(lists, rounds)]
        tokens = [_tokens(_exchange(s, _modern("tools/list")).body) for s in (listing, searching)]
        parts += [
            f"{tokens[0]:,} tokens, or {tokens[1]:,} with `mcp.tools: search`.",
            _calls(calls, rounds),
            _searching(view),
        ]
    return "\n\n".join(parts)
