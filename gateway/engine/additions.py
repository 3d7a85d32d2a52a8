"""What the configuration adds to the tools of descriptions."""

from gateway.catalog import Additions
from gateway.engine.context_additions import ADDITIONS
from gateway.engine.search_additions import search_tools


def make_additions(
    *, context_argument: bool = False, instead: bool = False, output_schemas: bool = False
) -> Additions:
    """As `mcp.context_argument`, `mcp.tools: search` and `mcp.output_schemas` say."""
    searching = search_tools(context_argument=context_argument) if instead else ()
    return Additions(
        context_argument=context_argument,
        instead=instead,
        output_schemas=output_schemas,
        tools=(*searching, *(ADDITIONS.tools if context_argument else ())),
    )
