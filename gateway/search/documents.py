"""What is known of a tool, in the columns of the index."""

from collections.abc import Mapping

from gateway.catalog import Tool
from gateway.search.words import join_words

WEIGHTS: Mapping[str, float] = {
    "name": 2.0,
    "headline": 1.5,
    "place": 0.5,
    "tags": 0.4,
    "arguments": 0.15,
    "description": 0.1,
}
"""How much a word found in a column counts. BM25 saturates at about 2."""

# In characters. What a description says later is about details, and BM25 takes a long text for a
# weak answer.
MAX_TEXT = 300


def document_of(name: str, tool: Tool) -> tuple[str, ...]:
    """One tool's words, column by column of WEIGHTS. `name` is what it is published as."""
    headline, _, rest = tool.description.partition("\n")
    arguments = tool.open_arguments
    columns = {
        # An operationId may have limits between words that its name has not.
        "name": join_words(name, tool.operation_id or ""),
        "headline": join_words(tool.title or "", headline[:MAX_TEXT]),
        "place": join_words(tool.api, tool.path),
        "tags": join_words(*tool.tags),
        "arguments": join_words(
            *(f"{each.name} {each.description[:MAX_TEXT]}" for each in arguments)
        ),
        "description": join_words(rest[:MAX_TEXT]),
    }
    return tuple(columns[column] for column in WEIGHTS)
