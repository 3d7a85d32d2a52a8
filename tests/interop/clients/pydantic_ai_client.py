"""The MCP toolset of Pydantic AI, without a model. An error result comes as ModelRetry."""

import json

from fastmcp.client.transports import StdioTransport
from plan import carry_out
from pydantic_ai import ModelRetry
from pydantic_ai.mcp import MCPToolset


async def call_tool(toolset, call):
    try:
        said = await toolset.direct_call_tool(call["tool"], call["arguments"])
    except ModelRetry as retry:
        return True, retry.message
    return False, said if isinstance(said, str) else json.dumps(said)


async def converse(door, calls, user):
    async with MCPToolset(door["url"] if "url" in door else StdioTransport(**door)) as toolset:
        tools = await toolset.list_tools()
        return tools, [await call_tool(toolset, call) for call in calls]


carry_out(converse)
