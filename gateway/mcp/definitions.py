"""The definitions of tools, in each revision's words."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.catalog import NO_ADDITIONS, Additions, NativeTool, Tool, View
from gateway.mcp.output_schemas import publish_output
from gateway.mcp.revisions import Revision

Json = dict[str, object]

PARAMETER_HEADER = "x-mcp-header"


def describe_all(view: View, revision: Revision, additions: Additions = NO_ADDITIONS) -> list[Json]:
    """The definitions of a view's tools and, at the end, of the gateway's own."""
    return [
        *(describe_tool(name, tool, revision, additions) for name, tool in view.tools.items()),
        *(describe_native(tool, revision) for tool in additions.tools),
    ]


def describe_tool(
    name: str, tool: Tool, revision: Revision, additions: Additions = NO_ADDITIONS
) -> Json:
    """One tool's definition as `tools/list` publishes it under `revision`."""
    about = _About(title=tool.title, description=tool.description, hints=tool.published_hints)
    schema = additions.input_schema(tool)
    if revision.modern and names_headers(tool, additions):
        schema = _with_headers(schema, tool.mcp_headers)
    definition = _definition(name, about, schema, revision)
    if additions.output_schemas and revision.structured:
        output = publish_output(tool.response_schema)
        if output is not None:
            definition["outputSchema"] = output
    return definition


def names_headers(tool: Tool, additions: Additions) -> bool:
    """Whether clients are told of headers that repeat arguments: by a list that has the tool."""
    return bool(tool.mcp_headers) and not additions.instead


def _with_headers(schema: Json, headers: Mapping[str, str]) -> Json:
    own = schema.get("properties")
    properties = dict(own) if isinstance(own, Mapping) else {}
    for argument, header in headers.items():
        described = properties[argument]
        members = described if isinstance(described, Mapping) else {}
        properties[argument] = {**members, PARAMETER_HEADER: header}
    return {**schema, "properties": properties}


def describe_native(tool: NativeTool, revision: Revision) -> Json:
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
) -> Json:
    definition: Json = {"name": name, "description": about.description}
    if revision.titles and about.title:
        definition["title"] = about.title
    definition["inputSchema"] = input_schema
    if revision.annotations:
        annotations: Json = {**about.hints}
        if about.title and not revision.titles:
            annotations["title"] = about.title  # its place before 2025-06-18
        definition["annotations"] = annotations
    return definition
