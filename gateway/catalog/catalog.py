"""The Catalog: every API's tools, immutable, in views for whoever looks at it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from gateway.catalog.digest import digest_of
from gateway.catalog.naming import operation_names, prefixed, view_names
from gateway.catalog.routing import Routes
from gateway.catalog.tool import Tool
from gateway.errors import UnknownApi
from gateway.openapi import Description, Problem, Signature


@dataclass(frozen=True, kw_only=True, eq=False)
class ApiCatalog:
    """One API's tools, by name in name order, with its routes."""

    api: str
    title: str
    tools: Mapping[str, Tool]
    problems: tuple[Problem, ...]

    @cached_property
    def routes(self) -> Routes:
        return Routes(self.tools.values())


def read_catalog(description: Description) -> ApiCatalog:
    """Make a tool of every operation.

    Names count the skipped operations, too: one that is mended later renames nobody.
    """
    names = operation_names(description.signatures)
    tools = {
        names[operation.method, operation.path]: operation for operation in description.operations
    }
    return ApiCatalog(
        api=description.api,
        title=description.title,
        tools={
            name: Tool(
                api=description.api,
                name=name,
                operation=tools[name],
                schemas=description.schemas,
            )
            for name in sorted(tools)
        },
        problems=description.problems,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """What one audience sees: `tools` by published name, in name order."""

    tools: Mapping[str, Tool]
    aliases: Mapping[str, Tool]

    def find(self, name: str) -> Tool | None:
        """The tool of that published or API-prefixed name."""
        return self.tools.get(name) or self.aliases.get(name)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names and digests in name order, 64 hex digits."""
        return digest_of([[name, tool.digest] for name, tool in self.tools.items()])


class Catalog:
    """All APIs. A new one replaces it whole; calls under way keep the one they started with."""

    def __init__(self, apis: Iterable[ApiCatalog]) -> None:
        self._apis = {api.api: api for api in sorted(apis, key=lambda a: a.api)}
        self._all = self._view_of_all()
        self._views = {name: _view_of_one(api) for name, api in self._apis.items()}

    @property
    def apis(self) -> Mapping[str, ApiCatalog]:
        return MappingProxyType(self._apis)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(problem for api in self._apis.values() for problem in api.problems)

    @property
    def digest(self) -> str:
        return self._all.digest

    def view(self, api: str | None = None) -> View:
        """The tools of all APIs, or of one under its own names. Raises UnknownApi."""
        if api is None:
            return self._all
        if api not in self._views:
            raise UnknownApi(f"there is no API {api[:64]!r}")
        return self._views[api]

    def _view_of_all(self) -> View:
        signatures = {
            name: {tool.name: _signature(tool) for tool in api.tools.values()}
            for name, api in self._apis.items()
        }
        names = (
            view_names(signatures)
            if len(signatures) > 1
            else {(api, name): name for api, tools in signatures.items() for name in tools}
        )
        published = {names[api, name]: self._apis[api].tools[name] for api, name in names}
        return View(
            tools={name: published[name] for name in sorted(published)},
            aliases={prefixed(t.api, t.name): t for t in published.values()},
        )


def _view_of_one(api: ApiCatalog) -> View:
    return View(tools=api.tools, aliases={prefixed(api.api, n): t for n, t in api.tools.items()})


def _signature(tool: Tool) -> Signature:
    return Signature(method=tool.method, path=tool.path, operation_id=tool.operation_id)
