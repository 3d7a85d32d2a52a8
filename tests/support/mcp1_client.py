"""A conversation through the 1.x MCP client: a plan (JSON) on stdin, what happened on stdout.

Runs under .venv-mcp1, whose `mcp` package excludes the one of the main environment.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack

from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import PromptReference, ResourceTemplateReference
from pydantic import AnyUrl


async def converse(plan: dict[str, object]) -> dict[str, object]:
    transport = plan["transport"]
    async with AsyncExitStack() as stack:
        if "url" in transport:
            door = streamable_http_client(transport["url"])
        else:
            door = stdio_client(StdioServerParameters(**transport))
        read, write, *_ = await stack.enter_async_context(door)
        session = await stack.enter_async_context(ClientSession(read, write))
        opened = await session.initialize()
        await session.send_ping()
        tools = await session.list_tools()
        results = [
            await session.call_tool(call["tool"], call["arguments"], meta=call["meta"])
            for call in plan["calls"]
        ]
        return {
            "revision": opened.protocolVersion,
            "tools": [tool.model_dump(mode="json", by_alias=True) for tool in tools.tools],
            "results": [result.model_dump(mode="json", by_alias=True) for result in results],
            "offered": [await offered(session, results, *step) for step in plan["steps"]],
        }


async def offered(session: ClientSession, results, method: str, *args: object) -> dict[str, object]:
    """What a resource, prompt or completion method answers, or the code of its error."""
    match method, args:
        case "read_resource", (uri,):
            args = (AnyUrl(uri),)
        case "read_linked", ():
            links = [block.uri for block in results[-1].content if block.type == "resource_link"]
            method, args = "read_resource", tuple(links)
        case "complete", ({"name": name}, argument):
            args = (PromptReference(type="ref/prompt", name=name), argument)
        case "complete", ({"uri": uri}, argument):
            args = (ResourceTemplateReference(type="ref/resource", uri=uri), argument)
    try:
        result = await getattr(session, method)(*args)
    except McpError as error:
        return {"code": error.error.code, "data": error.error.data}
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)


json.dump(asyncio.run(converse(json.load(sys.stdin))), sys.stdout)
