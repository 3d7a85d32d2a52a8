"""The gateway's own tools by which a model finds, reads and calls all others."""

from collections.abc import Mapping

from gateway.catalog import CONTEXT_ARGUMENT, CONTEXT_SCHEMA, NativeTool

SEARCH = "searchTools"
DESCRIBE = "describeTool"
CALL = "callTool"

LIMIT = 10
MAX_LIMIT = 50
MAX_NAMES = 20
MAX_QUESTION = 1_000


def search_tools(*, context_argument: bool) -> tuple[NativeTool, ...]:
    """Their definitions; with `context_argument` each takes it, as every tool does."""
    extra = {CONTEXT_ARGUMENT: CONTEXT_SCHEMA} if context_argument else {}

    def schema(*required: str, **properties: Mapping[str, object]) -> Mapping[str, object]:
        closed: dict[str, object] = {"type": "object", "additionalProperties": False}
        closed["properties"] = {**properties, **extra}
        return {**closed, "required": list(required)} if required else closed

    return (
        NativeTool(
            name=SEARCH,
            title="Search tools",
            description="Find the tools for a task, best first. Then read a tool with "
            f"{DESCRIBE} and call it with {CALL}.",
            input_schema=schema(
                query=_text("What is to be done, in a few words.", most=MAX_QUESTION),
                limit=_limit(),
                api=_text("Only tools of this API."),
            ),
            hints={"readOnlyHint": True, "openWorldHint": False},
        ),
        NativeTool(
            name=DESCRIBE,
            title="Describe tools",
            description="Read what a tool does and the JSON Schema of its arguments.",
            input_schema=schema(
                name=_text("The tool's name."),
                names={
                    "type": "array",
                    "items": {"type": "string"},
                    "maxItems": MAX_NAMES,
                    "description": "Several names instead.",
                },
            ),
            hints={"readOnlyHint": True, "openWorldHint": False},
        ),
        NativeTool(
            name=CALL,
            title="Call a tool",
            description="Call a tool by its name.",
            input_schema=schema(
                "name",
                name=_text("The tool's name."),
                arguments={"type": "object", "description": f"As {DESCRIBE} shows them."},
            ),
            hints={"openWorldHint": True},
        ),
    )


def _text(description: str, *, most: int | None = None) -> Mapping[str, object]:
    bound = {} if most is None else {"maxLength": most}
    return {"type": "string", **bound, "description": description}


def _limit() -> Mapping[str, object]:
    return {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": LIMIT}
