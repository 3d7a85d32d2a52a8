"""The gateway's own tools for contexts, and the argument by which every tool can name one."""

from collections.abc import Mapping

from gateway.catalog import CONTEXT_ARGUMENT, CONTEXT_SCHEMA, Additions, NativeTool
from gateway.context import MAX_MEMBER, MAX_RECENT_CHANGES, SPEC_NAME

CREATE = "ocpContextCreate"
GET = "ocpContextGet"
UPDATE = "ocpContextUpdate"

HISTORY_ARGUMENT = "historyLimit"
HISTORY_LIMIT = 20
MAX_HISTORY_LIMIT = 1_000


def _text(description: str) -> Mapping[str, object]:
    return {"type": ["string", "null"], "maxLength": MAX_MEMBER, "description": description}


# The names are those that reading shows, so that a model meets one name for each thing.
MEMBERS: Mapping[str, object] = {
    "current_goal": _text("What the conversation is to achieve."),
    "context_summary": _text("What has happened so far, in a few sentences."),
    "error_context": _text("What went wrong last, if it is still to be dealt with."),
    "current_file": _text("The file being worked on."),
    "recent_changes": {
        "type": ["array", "null"],
        "items": {"type": "string"},
        "maxItems": MAX_RECENT_CHANGES,
        "description": "What was changed lately, one line each; replaces the earlier list.",
    },
    "user": _text("Who the agent works for."),
    "workspace": _text("The project being worked on."),
    "api_specs": {
        "type": ["object", "null"],
        "propertyNames": {"pattern": f"^{SPEC_NAME}$"},
        "additionalProperties": {"type": ["string", "null"], "format": "uri"},
        "description": "Names of APIs and the absolute URLs of their descriptions.",
    },
}


def _closed(properties: Mapping[str, object]) -> Mapping[str, object]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


_CONTEXT = {CONTEXT_ARGUMENT: CONTEXT_SCHEMA}
ADDITIONS = Additions(
    context_argument=True,
    tools=(
        NativeTool(
            name=CREATE,
            title="Start a context",
            description="Start a context: the memory of one conversation, which is told to the "
            f"APIs that are called in it. Pass the context_id of the answer as {CONTEXT_ARGUMENT} "
            "with every later call of the conversation.",
            input_schema=_closed(MEMBERS),
            hints={"destructiveHint": False, "openWorldHint": False},
        ),
        NativeTool(
            name=GET,
            title="Read a context",
            description="Read a context: goal, summary and the other members that are set, and "
            "the latest calls in it with their outcomes, oldest first.",
            input_schema=_closed(
                {
                    **_CONTEXT,
                    HISTORY_ARGUMENT: {
                        "type": "integer",
                        "minimum": 0,
                        "maximum": MAX_HISTORY_LIMIT,
                        "default": HISTORY_LIMIT,
                        "description": "How many of the latest calls to show.",
                    },
                }
            ),
            hints={"readOnlyHint": True, "openWorldHint": False},
        ),
        NativeTool(
            name=UPDATE,
            title="Update a context",
            description="Set members of a context. What is left out stays, null erases.",
            input_schema=_closed({**_CONTEXT, **MEMBERS}),
            hints={"idempotentHint": True, "openWorldHint": False},
        ),
    ),
)
