"""APIs in the shapes of an OCP registry, for agents that fill requests by themselves.

Names in them are those that a description alone gives: that is how such agents know tools.
"""

from collections.abc import Iterable, Mapping

from gateway.catalog import ApiCatalog, View
from gateway.dialects.ocp import ocp_tool
from gateway.openapi import clean_text

Json = dict[str, object]


def registry_line(api: ApiCatalog, *, base_url: str) -> Json:
    """One API in a list. No member is ever null: agents take a null for a title as the title.

    `base_url` is absolute, without a trailing slash: agents append a tool's path to it.
    """
    return {
        "name": api.api,
        "display_name": clean_text(api.title) or api.api,
        "description": api.about,
        "base_url": base_url,
    }


def registry_tools(view: View) -> list[Json]:
    """The tools of one API's view, each valid by the OCP tool schema."""
    return [ocp_tool(tool) for tool in view.generated.values()]


def search_apis(apis: Mapping[str, ApiCatalog], text: str) -> Iterable[ApiCatalog]:
    """The APIs that `text`, in any case, finds; all of them for an empty one.

    Those of that name come first, then names that begin with it, names that have it, titles and
    descriptions that have it, and last those of which a tool's name has it; then by name.
    """
    wanted = text.strip().casefold()
    ranked = ((_rank(api, wanted), name) for name, api in apis.items())
    return [apis[name] for rank, name in sorted(ranked) if rank < _UNFIT]


_UNFIT = 5


def _rank(api: ApiCatalog, wanted: str) -> int:
    """How near an API is, 0 being the nearest."""
    if api.api == wanted:
        return 0
    if api.api.startswith(wanted):
        return 1
    if wanted in api.api:
        return 2
    if wanted in f"{api.title}\n{api.about}".casefold():
        return 3
    return 4 if any(wanted in name.casefold() for name in api.tools) else _UNFIT
