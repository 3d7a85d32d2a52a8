"""What the gateway itself adds to the tools that descriptions give, as MCP lists them.

An API's own words win: a tool with an argument of the same name keeps its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gateway.catalog.digest import digest_of
from gateway.catalog.tool import Tool
from gateway.context import HEADER_ID

Json = dict[str, object]

CONTEXT_ARGUMENT = "ocpContextId"
CONTEXT_SCHEMA: Mapping[str, object] = {
    "type": "string",
    "pattern": f"^{HEADER_ID}$",
    "description": "The context (conversation) that this call belongs to: its context_id. "
    "Leave it out if there is none.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeTool:
    """A tool of the gateway's own, without an operation. `hints` as MCP's annotations."""

    name: str
    title: str
    description: str
    input_schema: Mapping[str, object] = field(repr=False)
    hints: Mapping[str, bool] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical definition, 64 hex digits."""
        shown = (self.name, self.title, self.description, self.input_schema, self.hints)
        return digest_of(shown)


@dataclass(frozen=True, kw_only=True)
class Additions:
    """`context_argument`: whether tools take CONTEXT_ARGUMENT.

    `instead`: MCP lists have these tools only, and those of descriptions are found through them.
    `output_schemas`: whether what a tool answers is part of its definition.
    """

    context_argument: bool = False
    instead: bool = False
    output_schemas: bool = False
    tools: tuple[NativeTool, ...] = ()

    @cached_property
    def key(self) -> str:
        """Tells lists with these additions from others; empty where nothing is added."""
        if self == NO_ADDITIONS:
            return ""
        flags = [self.context_argument, self.instead, self.output_schemas]
        return digest_of([flags, [tool.digest for tool in self.tools]])

    def find(self, name: str) -> NativeTool | None:
        return next((tool for tool in self.tools if tool.name == name), None)

    def gives_argument(self, tool: Tool) -> bool:
        """Whether the tool takes CONTEXT_ARGUMENT from us."""
        return self.context_argument and all(
            argument.name != CONTEXT_ARGUMENT for argument in tool.arguments.items
        )

    def input_schema(self, tool: Tool) -> Json:
        """The tool's published schema, with what is added to it; the tool's own stays as it is."""
        schema = tool.input_schema
        if not self.gives_argument(tool):
            return schema
        own = schema.get("properties")
        properties = {**own} if isinstance(own, Mapping) else {}
        return {**schema, "properties": {**properties, CONTEXT_ARGUMENT: CONTEXT_SCHEMA}}


NO_ADDITIONS = Additions()
