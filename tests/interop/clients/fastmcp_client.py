"""FastMCP's client."""

from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from plan import carry_out, text_of


def answering(user):
    async def answer(message, response_type, params, context):
        user.questions.append(message)
        return user.answer

    return answer if user else None


async def converse(door, calls, user):
    way = door["url"] if "url" in door else StdioTransport(**door)
    watch = user.watch if user else None
    async with Client(way, elicitation_handler=answering(user), progress_handler=watch) as client:
        tools = await client.list_tools()
        results = [
            await client.call_tool(call["tool"], call["arguments"], raise_on_error=False)
            for call in calls
        ]
        return tools, [(result.is_error, text_of(result.content)) for result in results]


carry_out(converse)
