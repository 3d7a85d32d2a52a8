"""Which tool a call means, and where a proxied request leads."""

from collections.abc import Callable
from contextlib import suppress

from gateway.catalog import Additions, Catalog, NativeTool, Routes, Tool, View
from gateway.engine.sending import own_place
from gateway.engine.values import ToolCall
from gateway.errors import ApiUnavailable, GatewayError, UnknownOperation, UnknownTool
from gateway.forwarding import check_path
from gateway.messages import RequestHead
from gateway.upstreams import ProxyReach, Upstream

Look = Callable[[str | None], View]
"""The tools of all APIs or of one. Raises UnknownApi, ApiUnavailable."""


def find_own(call: ToolCall, additions: Additions, view: Look) -> NativeTool | None:
    """The tool of our own that is called; every view has them. Raises UnknownApi."""
    tool = additions.find(call.name)
    if tool is not None:
        with suppress(ApiUnavailable):
            view(call.api)
    return tool


def find_tool(call: ToolCall, catalog: Catalog, view: Look) -> Tool:
    """Raises UnknownTool, and as `view` does."""
    find = catalog.find_declared if call.declared else view(call.api).find
    tool = find(call.name)
    if tool is None:
        raise UnknownTool(f"there is no tool {call.name[:64]!r}")
    return tool


def find_route(
    head: RequestHead, upstream: Upstream, routes: Routes
) -> tuple[Upstream, Tool | None]:
    """Where a proxied request leads, and what it is described as: None for any other path.

    Raises BadRequest, UnknownOperation, MethodNotAllowed.
    """
    path = head.target.partition("?")[0]
    check_path(path)
    if upstream.proxy is ProxyReach.OFF:
        raise UnknownOperation(f"{upstream.name} is not proxied")
    try:
        tool = routes.match(head.method, path)
        return own_place(upstream, tool), tool
    except GatewayError:
        if upstream.proxy is ProxyReach.DESCRIBED:
            raise
        return upstream, None
