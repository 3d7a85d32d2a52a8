"""The tools that langchain-mcp-adapters makes, as an agent would invoke them."""

from langchain_mcp_adapters.client import MultiServerMCPClient
from plan import carry_out


async def invoke(tools, call):
    # A ToolCall, so that the answer is a ToolMessage, which has a status.
    request = {"type": "tool_call", "id": "1", "name": call["tool"], "args": call["arguments"]}
    message = await tools[call["tool"]].ainvoke(request)
    return message.status == "error", message.text


async def converse(door, calls, user):
    transport = "streamable_http" if "url" in door else "stdio"
    tools = await MultiServerMCPClient({"gateway": {"transport": transport, **door}}).get_tools()
    named = {tool.name: tool for tool in tools}
    return tools, [await invoke(named, call) for call in calls]


carry_out(converse)
