"""A Tool as a page of documentation, for people and for models that read before they call."""

import re
from collections.abc import Iterator, Mapping

import orjson

from gateway.catalog import BoundTool, NativeTool, Tool
from gateway.openapi import limit_text

Json = Mapping[str, object]

MAX_SCHEMA = 32_768
"""Bytes of JSON of one schema on a page."""
MAX_CELL = 400
"""Characters of what a table says of an argument."""
_FENCE = re.compile(r"`{3,}")


def tool_page(name: str, tool: Tool, input_schema: Json) -> str:
    """What the tool does, its arguments, an example call, what it answers; in Markdown.

    `name` and `input_schema` are as they are published.
    """
    bound = BoundTool(tool=tool)
    parts = [
        f"# {name}",
        f"`{tool.method} {tool.path}` of {tool.api}",
        tool.description,
        *_arguments(bound),
        *_example(name, bound),
        "## Input schema",
        _json(input_schema),
        *_answer(tool),
    ]
    return "\n\n".join(parts) + "\n"


def native_page(tool: NativeTool) -> str:
    """The same of a tool of the gateway's own, which sends nothing anywhere."""
    parts = [f"# {tool.name}", tool.description, "## Input schema", _json(tool.input_schema)]
    return "\n\n".join(parts) + "\n"


def _arguments(bound: BoundTool) -> Iterator[str]:
    arguments = bound.tool.open_arguments
    if not arguments:
        yield "It takes no arguments."
        return
    yield "## Arguments"
    lines = ["| name | in | type | required | meaning |", "|---|---|---|---|---|"]
    for argument in arguments:
        schema = bound.arguments.get(argument.name, {})
        place = argument.location
        if argument.original != argument.name:
            place = f"{place}, as {_code(argument.original)}"
        cells = (
            _code(argument.name),
            place,
            " or ".join(bound.kinds(argument.name)) or "any",
            "yes" if argument.required else "",
            _meaning(schema, bound.suggestions(argument.name)),
        )
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    yield "\n".join(lines)


def _meaning(schema: Json, values: tuple[str, ...]) -> str:
    said = schema.get("description")
    text = limit_text(said, MAX_CELL) if isinstance(said, str) else ""
    known = limit_text(", ".join(map(_code, values)), MAX_CELL)
    return " ".join(part for part in (text, f"Such as {known}." if known else "") if part)


def _example(name: str, bound: BoundTool) -> Iterator[str]:
    wanted = [a.name for a in bound.tool.open_arguments if a.required]
    yield "## Example"
    yield "With the required arguments; `...` stands for a text of your own."
    yield _json({"name": name, "arguments": {each: bound.sample(each) for each in wanted}})


def _answer(tool: Tool) -> Iterator[str]:
    yield "## Answer"
    schema = tool.response_schema
    yield _json(schema) if schema else "The description does not say what it answers."


def _json(value: object) -> str:
    try:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2, default=dict).decode()
    except orjson.JSONEncodeError:
        return "It cannot be shown as JSON."
    if len(text) > MAX_SCHEMA:
        return f"It is larger than {MAX_SCHEMA:,} bytes; `tools/list` has it."
    # A text inside may look like the end of the block.
    longest = max((len(match[0]) for match in _FENCE.finditer(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}json\n{text}\n{fence}"


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
