"""What the gateway says about itself and its tools, in each revision's words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal
from weakref import WeakKeyDictionary

from gateway.catalog import (
    NO_ADDITIONS,
    Additions,
    NativeTool,
    Recall,
    Tool,
    View,
    make_anew,
)
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

    def __init__(
        self,
        server: Server,
        *,
        additions: Additions = NO_ADDITIONS,
        recall: Recall = make_anew,
    ) -> None:
        self._server = server
        self._additions = additions
        self._recall = recall
        self._pages: WeakKeyDictionary[View, dict[str, bytes]] = WeakKeyDictionary()

    def page(self, revision: Revision, view: View) -> bytes:
        """The JSON of the whole result object."""
        pages = self._pages.setdefault(view, {})
        page = pages.get(revision.name)
        if page is None:
            name = f"mcp {revision.name} {self._server} {self._additions.key}"
            make = partial(_encoded, self._server, self._additions, revision)
            page = self._recall(view, name, make)
            pages[revision.name] = page
        return page


def _encoded(server: Server, additions: Additions, revision: Revision, view: View) -> bytes:
    listing = {"tools": describe_all(view, revision, additions)}
    return encode_json(server.cacheable(listing) if revision.modern else listing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What is on offer to one caller. `view` may raise a GatewayError while an API is loading."""

    server: Server
    pages: ToolPages
    view: Callable[[], View]


def describe_all(
    view: View, revision: Revision, additions: Additions = NO_ADDITIONS
) -> list[dict[str, object]]:
    """The definitions of a view's tools and, at the end, of the gateway's own."""
    return [
        *(describe_tool(name, tool, revision, additions) for name, tool in view.tools.items()),
        *(describe_native(tool, revision) for tool in additions.tools),
    ]


def describe_tool(
    name: str, tool: Tool, revision: Revision, additions: Additions = NO_ADDITIONS
) -> dict[str, object]:
    """One tool's definition as `tools/list` publishes it under `revision`."""
    hints = {**hints_of(tool.method), **tool.hints}
    about = _About(title=tool.title, description=tool.description, hints=hints)
    return _definition(name, about, additions.input_schema(tool), revision)


def describe_native(tool: NativeTool, revision: Revision) -> dict[str, object]:
    """The definition of one of the gateway's own tools."""
    about = _About(title=tool.title, description=tool.description, hints=tool.hints)
    return _definition(tool.name, about, tool.input_schema, revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class _About:
    title: str | None
    description: str
    hints: Mapping[str, bool]


def _definition(
    name: str, about: _About, input_schema: Mapping[str, object], revision: Revision
) -> dict[str, object]:
    definition: dict[str, object] = {"name": name, "description": about.description}
    if revision.titles and about.title:
        definition["title"] = about.title
    definition["inputSchema"] = input_schema
    if revision.annotations:
        annotations: dict[str, object] = {**about.hints}
        if about.title and not revision.titles:
            annotations["title"] = about.title  # its place before 2025-06-18
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
