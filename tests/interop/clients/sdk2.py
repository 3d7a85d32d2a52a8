"""The official 2.x client: 2026-07-28, found by `server/discover`."""

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import ElicitResult
from plan import carry_out, text_of


def answering(user):
    async def answer(context, params):
        user.questions.append(params.message)
        return ElicitResult(action="accept", content=user.answer)

    return answer if user else None


async def converse(door, calls, user):
    way = door["url"] if "url" in door else stdio_client(StdioServerParameters(**door))
    watch = user.watch if user else None
    async with Client(way, elicitation_callback=answering(user)) as client:
        tools = await client.list_tools()
        results = [
            await client.call_tool(call["tool"], call["arguments"], progress_callback=watch)
            for call in calls
        ]
        return tools.tools, [(result.is_error, text_of(result.content)) for result in results]


carry_out(converse)
