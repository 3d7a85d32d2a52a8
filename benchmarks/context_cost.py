"""What a context costs a proxied request: the same gateway with and without, store by store."""

import asyncio
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

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
from gateway.context import HistoryEntry, encode_session, new_context, rfc3339
from tests.support.redis_server import start_redis

_HERE = Path(__file__).parent
_PATH = "/repos/octo/hello-world"
_PLAIN = "no context"
_ENTRIES = 20
"""Of some 200 bytes each, so that every context is one of about 4 KB, new with each call."""
_CONFIG = """
store: {{max_history: {entries}}}
apis:
  - {{name: plain, spec: {spec}, base_url: "{upstream}", ocp_headers: "off"}}
  - {{name: ids, spec: {spec}, base_url: "{upstream}", ocp_headers: ids}}
  - {{name: full, spec: {spec}, base_url: "{upstream}", ocp_headers: full}}
"""


def _requests(api: str, *, agent: bool = False) -> Requests:
    """GETs through one API: of a context of its own for each connection, but for `plain`.

    An `agent` sends its session with each, as the OCP libraries do: with one entry more.
    """

    def request(number: int, turn: int) -> bytes:
        context = "" if api == "plain" else f"OCP-Context-ID: ocp-{number:032x}\r\n"
        if agent:
            context += f"OCP-Session: {_session(f'ocp-{number:032x}', turn)}\r\n"
        return (
            f"GET /apis/{api}{_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n{context}\r\n"
        ).encode()

    return request


def _session(context_id: str, turn: int) -> str:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    entries = tuple(
        HistoryEntry(
            timestamp=rfc3339(start + timedelta(seconds=number)),
            action="tool_call:reposGet",
            api_endpoint="GET /repos/{owner}/{repo}",
            result="HTTP 200",
        )
        for number in range(turn, turn + _ENTRIES)
    )
    encoded = encode_session(replace(new_context(context_id, "agent", start), history=entries))
    if encoded is None:
        raise ValueError("no session of that")
    return encoded


def _start(stack: ExitStack, directory: Path) -> dict[str, tuple[Server, Requests]]:
    def start(command: list[str], core: int) -> Server:
        return stack.enter_context(serving(command, core=core, directory=directory))

    python = [sys.executable, "-m"]
    upstream = start([*python, "benchmarks.upstream"], CLIENT_CORE)
    # The server's processor time is not the gateway's: it runs where the load does.
    redis = stack.enter_context(start_redis(directory / "redis", "--appendfsync", "everysec"))
    config = directory / "gateway.yaml"
    config.write_text(
        _CONFIG.format(entries=_ENTRIES, spec=_HERE / "api.yaml", upstream=upstream.url)
    )
    stores = {
        "memory": "memory://",
        "sqlite": f"sqlite:///{directory}/contexts.db",
        "redis": redis.url,
    }
    contenders: dict[str, tuple[Server, Requests]] = {}
    for store, url in stores.items():
        gateway = start(
            [*python, "gateway", "serve", str(config), "--port", "0", "--store", url,
             "--log-level", "warning"],
            SERVER_CORE,
        )  # fmt: skip
        if store == "memory":
            contenders[_PLAIN] = (gateway, _requests("plain"))
            contenders["full, an agent's session merged"] = (gateway, _requests("full", agent=True))
        for api in ("ids", "full"):
            contenders[f"{api}, {store}"] = (gateway, _requests(api))
    return contenders


def measure(rounds: int, each: int) -> str:
    """A Markdown table. `each` is the number of requests per connection and round."""
    pin(CLIENT_CORE)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        contenders = _start(stack, Path(name))

        def run(server: Server, requests: Requests) -> float:
            before = cpu_seconds(server.pid)
            asyncio.run(load(server.url, requests, each=each))
            return each * CONNECTIONS / (cpu_seconds(server.pid) - before)

        for server, requests in contenders.values():
            asyncio.run(load(server.url, requests, each=_ENTRIES + 5))
        measured = alternate(
            {
                name: partial(run, server, requests)
                for name, (server, requests) in contenders.items()
            },
            rounds,
        )
    rows = [
        [
            name,
            f"{sorted(figures)[len(figures) // 2]:,.0f}",
            ratio(figures, measured[_PLAIN]),
            "" if name == _PLAIN else ratio(figures, measured[f"{name.split(',')[0]}, memory"]),
        ]
        for name, figures in measured.items()
    ]
    heads = ["proxied GET", "requests per CPU-second", f"x {_PLAIN}", "x the same in memory"]
    return f"{rounds} rounds of {each * CONNECTIONS:,} requests each\n\n" + table(heads, rows)
