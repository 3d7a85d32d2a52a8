"""What can be read and asked for beside tools, held against a catalog.

A description may change under a configuration that fitted once, so nothing here is fatal: an entry
whose tool is not there, or cannot be called as the entry would, stays and answers an error.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gateway.catalog.bound_tools import BoundTool
from gateway.catalog.catalog import Catalog, View
from gateway.catalog.own_resources import OwnKind, api_uri
from gateway.catalog.prompts import Prompt
from gateway.catalog.resources import DeclaredResource
from gateway.openapi import clean_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the configuration declares, in its order."""

    resources: tuple[DeclaredResource, ...] = ()
    prompts: tuple[Prompt, ...] = ()


NOTHING_DECLARED = Declared()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A line of a list: something with a URI, or a template of one."""

    uri: str
    name: str
    title: str | None = None
    description: str | None = None
    media_type: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Offerings:
    """What one audience is offered: the declared ones first, then the gateway's own.

    `tools` are those behind `declared`, by the name that the configuration uses, hidden ones
    included; `apis` are those of the view with their titles.
    """

    declared: Declared
    view: View
    apis: tuple[tuple[str, str], ...]
    tools: Mapping[str, BoundTool] = field(default_factory=dict)

    @property
    def resources(self) -> tuple[Offer, ...]:
        """What can be read as it stands."""
        own = (_api_offer(api, title) for api, title in self.apis)
        return (*_offers(r for r in self.declared.resources if r.template is None), *own)

    @property
    def templates(self) -> tuple[Offer, ...]:
        return (*_offers(r for r in self.declared.resources if r.template is not None), *_OWN)

    @cached_property
    def prompts(self) -> Mapping[str, Prompt]:
        return {prompt.name: prompt for prompt in self.declared.prompts}

    def find_resource(self, uri: str) -> tuple[DeclaredResource, Mapping[str, str]] | None:
        """The declared one that `uri` means, and the values of its variables.

        What is declared for just this URI comes before templates, and these in their order.
        """
        for is_template in (False, True):
            for resource in self.declared.resources:
                if (resource.template is not None) is is_template:
                    values = resource.match(uri)
                    if values is not None:
                        return resource, values
        return None

    def find_template(self, text: str) -> DeclaredResource | None:
        """The declared one whose template is written like this."""
        found = (r for r in self.declared.resources if r.template is not None)
        return next((resource for resource in found if resource.uri == text), None)


NO_OFFERINGS = Offerings(declared=NOTHING_DECLARED, view=Catalog([]).view(), apis=())


def offerings_of(declared: Declared, catalog: Catalog, api: str | None = None) -> Offerings:
    """What is offered beside the tools of all APIs, or of one. Raises UnknownApi.

    In the view of one API an entry is missing whose tool is another's, or is not there.
    """
    view = catalog.view(api)
    tools = _bound_tools(declared, catalog)
    if api is not None:
        tools = {name: bound for name, bound in tools.items() if bound.tool.api == api}
        declared = Declared(
            resources=tuple(r for r in declared.resources if r.tool is None or r.tool in tools),
            prompts=tuple(p for p in declared.prompts if p.tool is None or p.tool in tools),
        )
    names = catalog.apis if api is None else (api,)
    titles = tuple((name, catalog.apis[name].title) for name in names)
    return Offerings(declared=declared, view=view, apis=titles, tools=tools)


def review_declared(declared: Declared, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """What cannot work as it is declared: where that was written, and what is wrong."""
    tools = _bound_tools(declared, catalog)
    for resource in declared.resources:
        if resource.tool is not None:
            fault = resource_fault(resource, tools.get(resource.tool))
            if fault is not None:
                yield resource.place, f"resource {resource.name}: {fault}"
    for prompt in declared.prompts:
        if prompt.tool is not None:
            fault = prompt_fault(prompt, tools.get(prompt.tool))
            if fault is not None:
                yield prompt.place, f"prompt {prompt.name}: {fault}"


def resource_fault(resource: DeclaredResource, bound: BoundTool | None) -> str | None:
    """Why a resource cannot be read from its tool; None if it can."""
    if bound is None:
        return f"there is no tool {resource.tool!r}"
    if bound.tool.method != "GET":
        return f"{resource.tool} is {bound.tool.method}, and reading must change nothing"
    names = resource.template.names if resource.template else ()
    for name in names:
        if name not in bound.arguments:
            return f"{resource.tool} has no argument {name!r}"
    if missing := sorted(bound.required.difference(names)):
        return f"nothing gives {resource.tool} its argument {missing[0]!r}"
    return None


def prompt_fault(prompt: Prompt, bound: BoundTool | None) -> str | None:
    """Why a prompt's tool cannot be called; None if it can."""
    if bound is None:
        return f"there is no tool {prompt.tool!r}"
    missing = sorted(bound.required.difference(argument.name for argument in prompt.arguments))
    return f"nothing gives {prompt.tool} its argument {missing[0]!r}" if missing else None


def _bound_tools(declared: Declared, catalog: Catalog) -> dict[str, BoundTool]:
    names = (
        *(resource.tool for resource in declared.resources),
        *(prompt.tool for prompt in declared.prompts),
    )
    found = {name: catalog.find_declared(name) for name in names if name is not None}
    return {name: BoundTool(tool=tool) for name, tool in found.items() if tool is not None}


def _offers(resources: Iterable[DeclaredResource]) -> Iterator[Offer]:
    for resource in resources:
        yield Offer(
            uri=resource.uri,
            name=resource.name,
            title=resource.title,
            description=resource.description,
            media_type=resource.media_type,
        )


def _api_offer(api: str, title: str) -> Offer:
    return Offer(
        uri=api_uri(api),
        name=f"{api}-openapi",
        title=f"{clean_text(title) or api}: OpenAPI description",
        description=f"What {api} can do, as OpenAPI. Of a large one only the beginning: "
        f"{OwnKind.TOOL} has every tool.",
        media_type="application/json",
    )


_OWN = (
    Offer(
        uri=OwnKind.API.value,
        name="api-description",
        title="OpenAPI description of an API",
        description="What an API can do, as OpenAPI. Of a large one only the beginning.",
        media_type="application/json",
    ),
    Offer(
        uri=OwnKind.TOOL.value,
        name="tool-documentation",
        title="Documentation of a tool",
        description="What a tool does, its arguments with their places, an example, its answer.",
        media_type="text/markdown",
    ),
    Offer(
        uri=OwnKind.CONTEXT.value,
        name="context",
        title="Context of a conversation",
        description="Goal, summary and latest calls of one of the caller's own contexts.",
        media_type="application/json",
    ),
    Offer(
        uri=OwnKind.RESULT.value,
        name="large-result",
        title="The rest of a large result",
        description="Bytes of a tool's answer that was too large to be shown: `length` of them "
        "(65,536 where it is not given) from `start` on. For the caller of the tool, and for an "
        "hour at most.",
    ),
)
