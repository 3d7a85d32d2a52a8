"""A gateway that does what a test tells it to, for the transports in front of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

from gateway.calls import Text, ToolResult
from gateway.catalog import View
from gateway.engine import CallOutcome, CatalogWatch, Gateway, ToolCall
from gateway.errors import ApiUnavailable, UnknownApi, UnknownTool
from tests.support.mcp_core import catalog

Behaviour = Callable[[ToolCall], Awaitable[str]]


class FakeGateway:
    """Knows the API `pets`; `loading` is known without a catalog. Remembers every call.

    Tools: what `behave` says by name, else a result that repeats the arguments.
    """

    def __init__(self, **behave: Behaviour) -> None:
        self.calls: list[ToolCall] = []
        self.changes = CatalogWatch(catalog())
        self.cancelled = asyncio.Event()
        self._behave = behave

    def view(self, api: str | None = None) -> View:
        if api == "loading":
            raise ApiUnavailable("loading has no catalog yet")
        if api not in (None, "pets"):
            raise UnknownApi(f"no API named {api}")
        return catalog().view(api)

    def ttl_ms(self, api: str | None = None) -> int:
        return 0 if api is None else 1_000

    async def call_tool(self, call: ToolCall) -> CallOutcome:
        self.calls.append(call)
        if call.name not in self._behave and self.view(call.api).find(call.name) is None:
            raise UnknownTool(f"no tool named {call.name}")
        try:
            text = await self._behave.get(call.name, _repeat)(call)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        claim = call.claim
        context_id = claim.explicit_id or claim.inbound.context_id or claim.ambient_id or "ocp-new"
        result = ToolResult(status=200, content=(Text(text=text),))
        return CallOutcome(result=result, context_id=context_id, recorded=True)


def as_gateway(fake: FakeGateway) -> Gateway:
    return cast("Gateway", fake)


async def _repeat(call: ToolCall) -> str:
    return repr(dict(call.arguments))
