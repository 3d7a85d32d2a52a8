"""Tools that the agents of a registry cannot call, because they fill requests by themselves.

Such an agent writes an argument under the name that its definition has, and all body arguments
into one JSON object (docs/registry.md).
"""

from gateway.catalog.arguments import BodyMode
from gateway.catalog.catalog import ApiCatalog
from gateway.catalog.media import BodyForm
from gateway.catalog.tool import Tool

_NAMED = 3


def out_of_reach(api: ApiCatalog) -> str | None:
    """How many of an API's tools that holds for, and which ones come first; None for none."""
    found = [tool.name for tool in api.tools.values() if not _can_be_filled(tool)]
    if not found:
        return None
    names = ", ".join(found[:_NAMED]) + (", ..." if len(found) > _NAMED else "")
    count = f"{len(found):,} of {len(api.tools):,} tools"
    return f"agents that use the gateway as a registry cannot call {count}: {names}"


def _can_be_filled(tool: Tool) -> bool:
    """Whether everything that is required gets to where the API reads it."""
    made = tool.arguments
    as_json = made.body_mode is not BodyMode.WHOLE and made.body_form is BodyForm.JSON
    return all(
        a.name == a.original and a.location != "cookie" and (a.location != "body" or as_json)
        for a in tool.open_arguments
        if a.required
    )
