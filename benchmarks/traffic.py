"""Requests per CPU-second of the gateway, beside bare aiohttp programs."""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

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

_HERE = Path(__file__).parent
_ARGUMENTS = {"owner": "octo", "repo": "hello-world"}
_CONVERSATION = 50
"""Calls on one context before the next one starts."""
_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
_HANDLER, _PROXY = "bare aiohttp + orjson handler", "bare aiohttp proxy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    server: Server
    requests: Requests


def _post(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Accept: application/json, text/event-stream\r\n{lines}"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class Contexts:
    """An OCP-Context-ID for each conversation of a connection."""

    def __init__(self) -> None:
        self._ids: dict[int, str] = {}

    def headers(self, connection: int, turn: int) -> dict[str, str]:
        if turn % _CONVERSATION == 0:
            self._ids[connection] = f"ocp-{uuid4().hex}"
        return {"OCP-Context-ID": self._ids[connection]}


def _tool_requests() -> Requests:
    contexts, body = Contexts(), orjson.dumps(_ARGUMENTS)
    return lambda number, turn: _post("/tools/reposGet", body, contexts.headers(number, turn))


def _mcp_requests() -> Requests:
    contexts = Contexts()
    routing = {
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": "reposGet",
    }

    def request(number: int, turn: int) -> bytes:
        params = {"name": "reposGet", "arguments": _ARGUMENTS, "_meta": _META}
        message = {"jsonrpc": "2.0", "id": turn, "method": "tools/call", "params": params}
        return _post("/mcp", orjson.dumps(message), routing | contexts.headers(number, turn))

    return request


def _get(path: str) -> Requests:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n".encode()
    return lambda _number, _turn: request


def _get_in_context(path: str) -> Requests:
    contexts = Contexts()

    def request(number: int, turn: int) -> bytes:
        context_id = contexts.headers(number, turn)["OCP-Context-ID"]
        return (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n"
            f"OCP-Context-ID: {context_id}\r\n\r\n"
        ).encode()

    return request


def _contenders(stack: ExitStack, directory: Path) -> dict[str, Contender]:
    def start(command: list[str], core: int) -> Server:
        return stack.enter_context(serving(command, core=core, directory=directory))

    python = [sys.executable, "-m"]
    upstream = start([*python, "benchmarks.upstream"], CLIENT_CORE)

    def gateway(store: str) -> Server:
        return start(
            [
                *python, "gateway", "serve", "--port", "0", "--store", store,
                "--log-level", "warning",
                "--spec", f"bench={_HERE / 'api.yaml'}", "--base-url", f"bench={upstream.url}",
            ],
            SERVER_CORE,
        )  # fmt: skip

    handler = start([*python, "benchmarks.bare", "handler"], SERVER_CORE)
    proxy = start([*python, "benchmarks.bare", "proxy", upstream.url], SERVER_CORE)
    memory, sqlite = gateway("memory://"), gateway(f"sqlite:///{directory}/contexts.db")
    path = "/repos/octo/hello-world"
    found = {
        _HANDLER: Contender(server=handler, requests=_mcp_requests()),
        _PROXY: Contender(server=proxy, requests=_get(path)),
        "proxied, no context": Contender(server=memory, requests=_get(f"/apis/bench{path}")),
    }
    for store, server in (("memory", memory), ("sqlite", sqlite)):
        found |= {
            f"proxied, {store}": Contender(
                server=server, requests=_get_in_context(f"/apis/bench{path}")
            ),
            f"POST /tools, {store}": Contender(server=server, requests=_tool_requests()),
            f"MCP tools/call, {store}": Contender(server=server, requests=_mcp_requests()),
        }
    return found


def _per_cpu_second(contender: Contender, each: int) -> Callable[[], float]:
    def run() -> float:
        before = cpu_seconds(contender.server.pid)
        asyncio.run(load(contender.server.url, contender.requests, each=each))
        return each * CONNECTIONS / (cpu_seconds(contender.server.pid) - before)

    return run


def measure(rounds: int, each: int) -> str:
    """A Markdown table. `each` is the number of requests per connection and round."""
    pin(CLIENT_CORE)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        contenders = _contenders(stack, Path(name))
        for contender in contenders.values():
            asyncio.run(load(contender.server.url, contender.requests, each=_CONVERSATION))
        measured = alternate(
            {name: _per_cpu_second(c, each) for name, c in contenders.items()}, rounds
        )
    rows = [
        [
            name,
            f"{sorted(figures)[len(figures) // 2]:,.0f}",
            ratio(figures, measured[_HANDLER]),
            ratio(figures, measured[_PROXY]),
        ]
        for name, figures in measured.items()
    ]
    heads = ["", "requests per CPU-second", f"x {_HANDLER}", f"x {_PROXY}"]
    return f"{rounds} rounds of {each * CONNECTIONS:,} requests each\n\n" + table(heads, rows)
