"""One conversation with the gateway through the official MCP client of either generation."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import (
    CallToolResult,
    PromptReference,
    RequestParamsMeta,
    ResourceLink,
    ResourceTemplateReference,
)

from tests.support.gateway_process import COMMAND, PATIENCE_SECONDS, child_environment

_ROOT = Path(__file__).parents[2]
_MCP1_PYTHON = _ROOT / ".venv-mcp1" / "bin" / "python"
_MCP1_CLIENT = Path(__file__).with_name("mcp1_client.py")
CONTEXT_KEY = "io.opencontextprotocol/context-id"
RECORDED_KEY = "io.opencontextprotocol/recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """`/mcp`, or the door of one API."""

    url: str
    api: str | None = None

    @property
    def endpoint(self) -> str:
        return self.url + ("/mcp" if self.api is None else f"/mcp/{self.api}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stdio:
    """The arguments after `ocp-gateway`, and the directory to run in."""

    arguments: tuple[str, ...]
    directory: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    tool: str
    arguments: Mapping[str, object]
    context_id: str | None = None

    @property
    def meta(self) -> RequestParamsMeta | None:
        if self.context_id is None:
            return None
        # The type is open (PEP 728), which mypy does not know yet.
        return cast("RequestParamsMeta", {CONTEXT_KEY: self.context_id})


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What the client saw: every tool as published, every result in wire form.

    `offered`: what the steps beside tool calls gave, an error as its `code` and `data`.
    """

    revision: str
    tools: tuple[Mapping[str, object], ...]
    results: tuple[Mapping[str, object], ...]
    offered: tuple[Mapping[str, object], ...] = ()

    @property
    def names(self) -> set[object]:
        return {tool["name"] for tool in self.tools}


Step = tuple[object, ...]
"""The name of a client's method that is not about tools, and its arguments as JSON values.

`read_linked` reads the resource that the last call's result links to.
"""


async def converse_modern(
    door: Http | Stdio, calls: Sequence[Call], steps: Sequence[Step] = ()
) -> Conversation:
    """List and call through the 2.x client, which opens with `server/discover`."""
    async with AsyncExitStack() as stack:
        if isinstance(door, Http):
            client = Client(door.endpoint)
        else:
            log = stack.enter_context((door.directory / "stdio.log").open("a"))
            server = StdioServerParameters(
                command=str(COMMAND),
                args=list(door.arguments),
                cwd=door.directory,
                env=child_environment(),
            )
            client = Client(stdio_client(server, errlog=log))
        await stack.enter_async_context(client)
        tools = await client.list_tools()
        results = [
            await client.call_tool(call.tool, dict(call.arguments), meta=call.meta)
            for call in calls
        ]
        offered = [await _offered(client, results, *step) for step in steps]
        return Conversation(
            offered=tuple(offered),
            revision=client.protocol_version,
            tools=tuple(tool.model_dump(mode="json", by_alias=True) for tool in tools.tools),
            results=tuple(r.model_dump(mode="json", by_alias=True) for r in results),
        )


async def _offered(
    client: Client, results: Sequence[CallToolResult], method: object, *args: object
) -> Mapping[str, object]:
    given: Sequence[object] = args
    if method == "read_linked":
        blocks = results[-1].content
        method, given = "read_resource", [b.uri for b in blocks if isinstance(b, ResourceLink)]
    elif method == "complete":
        ref = cast("Mapping[str, str]", args[0])
        named, uri = ref.get("name"), ref.get("uri", "")
        given = (
            PromptReference(name=named) if named else ResourceTemplateReference(uri=uri),
            args[1],
        )
    try:
        result = await getattr(client, str(method))(*given)
    except MCPError as error:
        return {"code": error.error.code, "data": error.error.data}
    wire: Mapping[str, object] = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    return wire


async def converse_legacy(
    door: Http | Stdio, calls: Sequence[Call], steps: Sequence[Step] = ()
) -> Conversation:
    """The same through the 1.x client, which opens with `initialize`, in its own environment."""
    assert _MCP1_PYTHON.exists(), "run `make setup`: the 1.x client's environment is missing"
    transport: dict[str, object] = (
        {"url": door.endpoint}
        if isinstance(door, Http)
        else {
            "command": str(COMMAND),
            "args": door.arguments,
            "cwd": str(door.directory),
            "env": child_environment(),
        }
    )
    plan = {
        "transport": transport,
        "calls": [{"tool": c.tool, "arguments": c.arguments, "meta": c.meta} for c in calls],
        "steps": steps,
    }
    process = await asyncio.create_subprocess_exec(
        _MCP1_PYTHON,
        _MCP1_CLIENT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, err = await process.communicate(json.dumps(plan).encode())
    assert process.returncode == 0, err.decode()
    said = json.loads(out)
    return Conversation(
        revision=said["revision"],
        tools=tuple(said["tools"]),
        results=tuple(said["results"]),
        offered=tuple(said["offered"]),
    )


def text_of(result: Mapping[str, object]) -> str:
    """The text of a result's only block."""
    content = result["content"]
    assert isinstance(content, list)
    (block,) = content
    assert block["type"] == "text"
    text = block["text"]
    assert isinstance(text, str)
    return text


def meta_of(result: Mapping[str, object]) -> Mapping[str, object]:
    meta = result["_meta"]
    assert isinstance(meta, dict)
    return meta
