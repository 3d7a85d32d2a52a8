"""What the gateway says about itself and its tools, in each revision's words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal
from weakref import WeakKeyDictionary

from gateway.catalog import Recall, Tool, View, make_anew
from gateway.mcp.json_text import encode_json
from gateway.mcp.revisions import Revision

SERVER_INFO = "io.modelcontextprotocol/serverInfo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How the gateway presents itself.

    `ttl_ms`: how long a modern client may keep a tool list; `cache_scope`: `private` as soon as
    lists may differ between callers.
    """

    version: str
    name: str = "ocp-gateway"
    title: str = "OCP Gateway"
    ttl_ms: int = 0
    cache_scope: Literal["public", "private"] = "public"

    @property
    def info(self) -> Mapping[str, object]:
        return {"name": self.name, "version": self.version}

    def complete(self, members: Mapping[str, object]) -> dict[str, object]:
        """A modern result: every one says that it is complete and who made it."""
        return {**members, "resultType": "complete", "_meta": {SERVER_INFO: self.info}}

    def cacheable(self, members: Mapping[str, object]) -> dict[str, object]:
        """A modern result that a client may keep (2026-07-28, caching)."""
        caching = {"ttlMs": self.ttl_ms, "cacheScope": self.cache_scope}
        return self.complete({**members, **caching})


class ToolPages:
    """Encoded `tools/list` results, one per revision and view: lists are encoded once, not per ask.

    A view is immutable, so its pages never grow stale; they go when the view goes.
    """

    def __init__(self, server: Server, *, recall: Recall = make_anew) -> None:
        self._server = server
        self._recall = recall
        self._pages: WeakKeyDictionary[View, dict[str, bytes]] = WeakKeyDictionary()

    def page(self, revision: Revision, view: View) -> bytes:
        """The JSON of the whole result object."""
        pages = self._pages.setdefault(view, {})
        page = pages.get(revision.name)
        if page is None:
            name = f"mcp {revision.name} {self._server}"
            page = self._recall(view, name, partial(_encoded, self._server, revision))
            pages[revision.name] = page
        return page


def _encoded(server: Server, revision: Revision, view: View) -> bytes:
    tools = [describe_tool(name, tool, revision) for name, tool in view.tools.items()]
    listing = {"tools": tools}
    return encode_json(server.cacheable(listing) if revision.modern else listing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What is on offer to one caller. `view` may raise a GatewayError while an API is loading."""

    server: Server
    pages: ToolPages
    view: Callable[[], View]


def describe_tool(name: str, tool: Tool, revision: Revision) -> dict[str, object]:
    """One tool's definition as `tools/list` publishes it under `revision`."""
    definition: dict[str, object] = {"name": name, "description": tool.description}
    if revision.titles and tool.title:
        definition["title"] = tool.title
    definition["inputSchema"] = tool.input_schema
    if revision.annotations:
        annotations: dict[str, object] = {**hints_of(tool.method), **tool.hints}
        if tool.title and not revision.titles:
            annotations["title"] = tool.title  # its place before 2025-06-18
        definition["annotations"] = annotations
    return definition


def hints_of(method: str) -> dict[str, bool]:
    """Hints that follow from the HTTP method's semantics (RFC 9110 section 9.2).

    POST and PATCH promise nothing, so nothing is said beyond that the tool reaches out. What the
    description says of its operation comes before these.
    """
    return {**_HINTS.get(method.upper(), {}), "openWorldHint": True}


_SAFE = {"readOnlyHint": True, "idempotentHint": True}
_HINTS: Mapping[str, Mapping[str, bool]] = {
    "GET": _SAFE,
    "HEAD": _SAFE,
    "OPTIONS": _SAFE,
    "PUT": {"idempotentHint": True},
    "DELETE": {"destructiveHint": True, "idempotentHint": True},
}
