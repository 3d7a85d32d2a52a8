"""The Catalog: every API's tools, immutable, in views for whoever looks at it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from gateway.catalog.digest import digest_of
from gateway.catalog.naming import operation_names
from gateway.catalog.overrides import (
    body_faults,
    fixed_faults,
    parameter_faults,
    settle_overrides,
)
from gateway.catalog.routing import Routes
from gateway.catalog.selection import NO_OVERRIDE, Selection, ToolOverride
from gateway.catalog.tool import Tool
from gateway.catalog.views import ViewNames, name_view
from gateway.errors import Fault, UnknownApi
from gateway.openapi import (
    MAX_ARGUMENT_TEXT,
    NO_SUPPORT,
    Description,
    Document,
    OcpSupport,
    Operation,
    Problem,
    Signature,
    clean_text,
    limit_text,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class ApiCatalog:
    """One API's tools, by generated name in name order, with its routes.

    `hidden` are those that only the configuration may use. `document` is the description itself.
    `signatures` are those of all its operations, by generated name: the skipped, hidden and
    left-out ones have their names, too. `unapplied` are those of the problems that are about the
    configuration. `origin` tells apart what is made of different things, "" where nobody knows.
    `about` is the description's own text, cleaned; `ocp` what it says of the use of contexts.
    """

    api: str
    title: str
    tools: Mapping[str, Tool]
    problems: tuple[Problem, ...]
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    unapplied: tuple[Problem, ...] = ()
    origin: str = ""
    about: str = ""
    ocp: OcpSupport = NO_SUPPORT
    hidden: Mapping[str, Tool] = field(default_factory=dict)
    document: Document | None = field(default=None, repr=False)

    @cached_property
    def routes(self) -> Routes:
        """To its tools; all its other operations are closed."""
        closed = (s for name, s in self.signatures.items() if name not in self.tools)
        return Routes(self.tools.values(), closed)


def read_catalog(
    description: Description,
    *,
    selection: Selection = Selection(),  # noqa: B008 - a frozen value
    overrides: Mapping[str, ToolOverride] = MappingProxyType({}),
) -> ApiCatalog:
    """Make a tool of every operation that `selection` takes and no override hides.

    Names count the skipped and left-out operations, too: neither a mended description nor another
    selection renames anybody. Give `selection.takes` to `read_description` as well, and what is
    left out costs nothing and is not reported.
    """
    names = operation_names(description.signatures)
    settled = settle_overrides(description.api, names.values(), overrides)
    signatures = {names[s.method, s.path]: s for s in description.signatures}
    wanted = {
        names[operation.method, operation.path]: operation
        for operation in description.operations
        if selection.takes_all or selection.takes(operation)
    }
    tools = {
        name: Tool(
            api=description.api,
            name=name,
            signature=signatures[name],
            read=_given(wanted[name]),
            schemas=description.schemas,
            override=settled.overrides.get(name, NO_OVERRIDE),
        )
        for name in sorted(wanted)
    }
    changed = [tool for name, tool in tools.items() if name in settled.overrides]
    unsendable = {tool.name: faults for tool in changed if (faults := fixed_faults(tool))}
    hidden: dict[str, Tool] = {}
    for tool in changed:
        if tool.override.hidden or tool.name in unsendable:
            del tools[tool.name]
        if tool.override.hidden and tool.name not in unsendable:
            hidden[tool.name] = tool
    unapplied = (
        *_rules_for_nothing(description, selection),
        *(_setting_problem(description.api, "tools", fault) for fault in settled.faults),
        *_problems_of_tools(changed, unsendable),
    )
    return ApiCatalog(
        api=description.api,
        title=description.title,
        tools=tools,
        problems=(*description.problems, *unapplied),
        signatures=signatures,
        unapplied=unapplied,
        about=published_about(description.about),
        ocp=description.ocp,
        hidden=hidden,
        document=description.document,
    )


def published_about(text: str) -> str:
    """What is shown of a description's text about its API."""
    return limit_text(clean_text(text), MAX_ARGUMENT_TEXT)


def _given(operation: Operation) -> Callable[[], Operation]:
    return lambda: operation


def _rules_for_nothing(description: Description, selection: Selection) -> Iterator[Problem]:
    if selection.takes_all:
        return
    for fault in selection.idle_rules(description.signatures):
        yield _setting_problem(description.api, "", fault, severity="warning")


def _setting_problem(api: str, section: str, fault: Fault, severity: str = "error") -> Problem:
    """What the configuration says in vain; there is no place for it in the description."""
    place = f"{section}{fault.pointer}".removeprefix("/")
    message = f"configuration: {place}: {fault.message}"
    return Problem(api=api, pointer="", severity=severity, message=message)


def _problems_of_tools(
    tools: Iterable[Tool], unsendable: Mapping[str, tuple[Fault, ...]]
) -> Iterator[Problem]:
    for tool in tools:
        for fault in unsendable.get(tool.name, ()):
            said = f"{tool.method} {tool.path} skipped: configuration: tools{fault.pointer}"
            yield Problem(
                api=tool.api,
                pointer=tool.operation.pointer,
                severity="error",
                message=f"{said}: {fault.message}",
            )
        if tool.name not in unsendable:
            for fault in (*body_faults(tool), *parameter_faults(tool)):
                yield _setting_problem(tool.api, "tools", fault, severity="warning")


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """What one audience sees: `tools` by published name, in name order.

    `generated` has the same tools under the names that the descriptions alone give them. Two views
    of the same `origins`, the APIs with theirs, are the same; it is empty where one has none.
    """

    tools: Mapping[str, Tool]
    generated: Mapping[str, Tool]
    names: ViewNames
    origins: tuple[tuple[str, str], ...] = ()

    def find(self, name: str) -> Tool | None:
        """The tool that `name` means: the published, generated or an API-prefixed name."""
        return self.tools.get(name) or self._aliases.get(name)

    def published_name(self, tool: Tool) -> str:
        """The name of one of its tools."""
        return self.names.published((tool.api, tool.name))

    def generated_name(self, tool: Tool) -> str:
        """The name that the descriptions alone give one of its tools."""
        return self.names.generated[tool.api, tool.name]

    @cached_property
    def _aliases(self) -> Mapping[str, Tool]:
        tools = {(tool.api, tool.name): tool for tool in self.tools.values()}
        owners = self.names.owners.items()
        return {name: tools[key] for name, key in owners if key is not None and key in tools}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names and digests in name order, 64 hex digits."""
        return digest_of([[name, tool.digest] for name, tool in self.tools.items()])


Make = Callable[[View], bytes]
Recall = Callable[[View, str, Make], bytes]
"""The list of a view that is known by this name; what is not there is made."""


def make_anew(view: View, _: str, make: Make) -> bytes:
    """A Recall that remembers nothing."""
    return make(view)


class Catalog:
    """All APIs. A new one replaces it whole; calls under way keep the one they started with."""

    def __init__(self, apis: Iterable[ApiCatalog]) -> None:
        self._apis = {api.api: api for api in sorted(apis, key=lambda a: a.api)}
        self._views = {name: _view([api]) for name, api in self._apis.items()}
        # A single API is shown as it is shown alone, and what is made for one view serves both.
        alone = tuple(self._views.values()) if len(self._views) == 1 else ()
        self._all = alone[0] if alone else _view(self._apis.values())

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

    def find_declared(self, name: str) -> Tool | None:
        """The tool that the configuration means by a name: the hidden ones are among them."""
        tool = self._all.find(name)
        key = self._all.names.owners.get(name) if tool is None else None
        return tool if key is None else self._apis[key[0]].hidden.get(key[1])


def _view(apis: Iterable[ApiCatalog]) -> View:
    known = list(apis)
    tools = {(api.api, name): tool for api in known for name, tool in api.tools.items()}
    given = {key: tool.override.name for key, tool in tools.items() if tool.override.name}
    names = name_view({api.api: api.signatures for api in known}, given)
    generated = {names.generated[key]: key for key in tools}
    published = {names.published(key): key for key in tools} if given else generated
    origins = tuple((api.api, api.origin) for api in known)
    return View(
        tools={name: tools[published[name]] for name in sorted(published)},
        generated={name: tools[generated[name]] for name in sorted(generated)},
        names=names,
        origins=origins if all(origin for _, origin in origins) else (),
    )
