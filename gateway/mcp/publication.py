"""What the gateway says about itself and its tools, in each revision's words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Final, Literal
from weakref import WeakKeyDictionary

from gateway.catalog import (
    NO_ADDITIONS,
    NO_OFFERINGS,
    Additions,
    Offerings,
    Recall,
    Tool,
    View,
    make_anew,
)
from gateway.mcp.definitions import describe_native, describe_tool
from gateway.mcp.icon import ICON
from gateway.mcp.json_text import encode_json
from gateway.mcp.pages import ListPage, find_page
from gateway.mcp.revisions import Revision

SERVER_INFO = "io.modelcontextprotocol/serverInfo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How the gateway presents itself.

    `cache_scope`: `private` as soon as lists may differ between callers. `output_schemas`: its
    tools say what they answer. `prompts`: there are some; `prompts_change`: their list changes,
    with the tools behind them.
    """

    version: str
    name: str = "ocp-gateway"
    title: str = "OCP Gateway"
    description: str = "The operations of HTTP APIs as tools, with one context per conversation."
    cache_scope: Literal["public", "private"] = "public"
    output_schemas: bool = False
    prompts: bool = False
    prompts_change: bool = False

    @property
    def info(self) -> Mapping[str, object]:
        return {"name": self.name, "version": self.version}

    def implementation(self, revision: Revision) -> Mapping[str, object]:
        """Everything that it says about itself, where a client asks who it is."""
        told = dict(self.info)
        if revision.titles:
            told["title"] = self.title
        if revision.icons:
            told |= {"description": self.description, "icons": [ICON]}
        return told

    def capabilities(self, revision: Revision) -> Mapping[str, object]:
        """What works, and nothing else; methods of what is not here are unknown."""
        declared: dict[str, object] = {
            "tools": {"listChanged": True},
            "resources": {"listChanged": True, "subscribe": True},
        }
        if self.prompts:
            declared["prompts"] = {"listChanged": True} if self.prompts_change else {}
        if revision.completions:
            declared["completions"] = {}
        if not revision.modern:
            declared["logging"] = {}
        return declared

    def of_one_api(self) -> "Server":
        """How it presents itself to who sees one API: only there a prompt goes with its tool."""
        return replace(self, prompts_change=self.prompts)

    def meta(self, members: Mapping[str, object]) -> dict[str, object]:
        """The `_meta` of a modern result: who made it, and what else there is to say."""
        return {**members, SERVER_INFO: self.info}

    def complete(self, members: Mapping[str, object]) -> dict[str, object]:
        """A modern result: every one says that it is complete and who made it."""
        return {**members, "resultType": "complete", "_meta": self.meta({})}

    def cacheable(self, members: Mapping[str, object]) -> dict[str, object]:
        """A modern result that a client may keep (2026-07-28, caching): `kept_reply` says how long.

        What is encoded here is kept itself, for longer than anything that would be said now.
        """
        return self.complete({**members, "cacheScope": self.cache_scope})


class ToolPages:
    """Encoded `tools/list` results, one per revision, view and page: encoded once, not per ask.

    A view is immutable, so its pages never grow stale; they go when the view goes.
    """

    def __init__(
        self,
        server: Server,
        *,
        additions: Additions = NO_ADDITIONS,
        page_size: int = 0,
        recall: Recall = make_anew,
    ) -> None:
        """`page_size`: tools on a page, 0 for all of them."""
        self.additions: Final = additions
        self.page_size: Final = page_size
        self._server = server
        self._recall = recall
        self._pages: WeakKeyDictionary[View, dict[tuple[str, int], bytes]] = WeakKeyDictionary()

    def page(self, revision: Revision, view: View, cursor: object = None) -> bytes:
        """The JSON of the whole result object. Raises UnknownCursor."""
        found = self._find(view, cursor)
        pages = self._pages.setdefault(view, {})
        page = pages.get((revision.name, found.start))
        if page is None:
            name = f"mcp {revision.name} {self._server} {self.additions.key} {found}"
            page = self._recall(view, name, partial(self._encoded, revision, found))
            pages[revision.name, found.start] = page
        return page

    def _find(self, view: View, cursor: object) -> ListPage:
        count = len(self._listed(view)) + len(self.additions.tools)
        # The digest is only there to tell pages of different lists apart.
        of = f"tools {self.additions.key} {view.digest}" if self.page_size else ""
        return find_page(cursor, of=of, count=count, size=self.page_size)

    def _listed(self, view: View) -> Mapping[str, Tool]:
        return {} if self.additions.instead else view.tools

    def _encoded(self, revision: Revision, page: ListPage, view: View) -> bytes:
        tools = self._listed(view)
        made = [
            *(
                describe_tool(name, tools[name], revision, self.additions)
                for name in islice(tools, page.start, page.end)
            ),
            *(
                describe_native(tool, revision)
                for position, tool in enumerate(self.additions.tools, len(tools))
                if page.start <= position < page.end
            ),
        ]
        listing: dict[str, object] = {"tools": made}
        if page.next_cursor is not None:
            listing["nextCursor"] = page.next_cursor
        return encode_json(self._server.cacheable(listing) if revision.modern else listing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What is on offer to one caller.

    `view` and `offerings` may raise a GatewayError while an API is loading. `ttl_ms`: for how many
    milliseconds they stay as they are, as far as anybody can tell.
    """

    server: Server
    pages: ToolPages
    view: Callable[[], View]
    offerings: Callable[[], Offerings] = lambda: NO_OFFERINGS
    ttl_ms: Callable[[], int] = lambda: 0
