"""The official 1.x client, of any age: 2024-11-05 to 2025-11-25."""

from contextlib import AsyncExitStack

import mcp.client.sse
import mcp.client.stdio
import mcp.types
from mcp import ClientSession, StdioServerParameters
from plan import carry_out, text_of

try:
    from mcp.client.streamable_http import streamablehttp_client as streamable_http
except ImportError:  # 1.6 is older than the transport
    streamable_http = None


def enter(door):
    if "sse" in door:
        return mcp.client.sse.sse_client(door["sse"])
    if "url" in door:
        return streamable_http(door["url"])
    return mcp.client.stdio.stdio_client(StdioServerParameters(**door))


def answering(user):
    async def answer(context, params):
        user.questions.append(params.message)
        return mcp.types.ElicitResult(action="accept", content=user.answer)

    return {"elicitation_callback": answer} if user else {}


async def converse(door, calls, user):
    watching = {"progress_callback": user.watch} if user else {}
    async with AsyncExitStack() as stack:
        read, write, *_ = await stack.enter_async_context(enter(door))
        session = await stack.enter_async_context(ClientSession(read, write, **answering(user)))
        await session.initialize()
        tools = await session.list_tools()
        results = [
            await session.call_tool(call["tool"], call["arguments"], **watching) for call in calls
        ]
        return tools.tools, [(result.isError, text_of(result.content)) for result in results]


carry_out(converse)
