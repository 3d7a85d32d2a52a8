"""The MCP servers of the OpenAI Agents SDK, without a model."""

from agents.mcp import MCPServerStdio, MCPServerStreamableHttp
from plan import carry_out, text_of


async def converse(door, calls, user):
    server = MCPServerStreamableHttp if "url" in door else MCPServerStdio
    async with server(params=door) as gateway:
        tools = await gateway.list_tools()
        results = [await gateway.call_tool(call["tool"], call["arguments"]) for call in calls]
        return tools, [(result.is_error, text_of(result.content)) for result in results]


carry_out(converse)
