"""The keys that declare resources and prompts (docs/resources-and-prompts.md)."""

from gateway.config.schema_parts import Schema

ENTRY_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$"
ARGUMENT_NAME = r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"


def _text(description: str) -> Schema:
    return {"type": "string", "minLength": 1, "description": description}


def _name(pattern: str, description: str) -> Schema:
    fault = f"must match {pattern}"
    return {"type": "string", "pattern": pattern, "x-fault": fault, "description": description}


RESOURCES: Schema = {
    "type": "array",
    "default": [],
    "description": "Resources of the operator's choice: what a tool answers, a text, or a file.",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "uri": _text("Its URI. This or `uriTemplate`; the scheme `gateway` is taken."),
            "uriTemplate": _text(
                "A template of URIs, `{id}` for a segment, `{+path}` for several; the variables "
                "are the arguments of `tool`."
            ),
            "name": _name(ENTRY_NAME, "Its name; required."),
            "title": _text("What people see in lists."),
            "description": _text("What is to be found there."),
            "mimeType": _text("Its media type; for a tool, that of the answer."),
            "tool": _text(
                "A tool with the method GET, by any name that a call may use, hidden ones "
                "included. This, `text` or `file`."
            ),
            "text": _text("The content."),
            "file": _text("A file with the content, relative to the configuration file."),
        },
    },
}

_ARGUMENTS: Schema = {
    "type": "array",
    "default": [],
    "description": "What the client may fill in; always text.",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "name": _name(ARGUMENT_NAME, "Its name; required."),
            "description": _text("What it is."),
            "required": {
                "type": "boolean",
                "default": False,
                "description": "Whether there is no prompt without it.",
            },
            "completions": {
                "type": "array",
                "items": {"type": "string"},
                "default": [],
                "description": "Values to suggest, before those that the tool's description has.",
            },
        },
    },
}

_MESSAGES: Schema = {
    "type": "array",
    "default": [],
    "description": "What the prompt says, in this order; at least one.",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["role"],
        "properties": {
            "role": {"enum": ["user", "assistant"], "description": "Who says it; required."},
            "text": _text(
                "A text; `{{name}}` stands for an argument. This, `image`, `resource` or `tool`."
            ),
            "image": _text("An image file, relative to the configuration file."),
            "resource": _text("The URI of a resource that is read then; may have `{{name}}`."),
            "tool": _text("A tool that is called then with the arguments that it knows."),
        },
    },
}

PROMPTS: Schema = {
    "type": "array",
    "default": [],
    "description": "Prompts for MCP clients.",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "description", "messages"],
        "properties": {
            "name": _name(ENTRY_NAME, "Its name; required."),
            "title": _text("What people see in lists."),
            "description": _text("What it is for; required."),
            "arguments": _ARGUMENTS,
            "messages": _MESSAGES,
        },
    },
}
