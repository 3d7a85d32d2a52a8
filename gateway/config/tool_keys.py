"""The keys that choose operations and change tools (docs/selection.md)."""

from gateway.config.schema_parts import DAY, Schema
from gateway.openapi import METHODS


def _text(description: str) -> Schema:
    return {"type": "string", "minLength": 1, "description": description}


_RULE: Schema = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {
        "method": {
            "type": "string",
            "pattern": rf"^(?i:{'|'.join(METHODS)})$",
            "x-fault": f"must be one of {', '.join(METHODS)}",
            "description": "The operation's method, in any case.",
        },
        "path": _text("A glob over its path, as the description writes it."),
        "tag": _text("One of its tags."),
        "operation_id": _text("A glob over its operationId, as the description writes it."),
    },
}


def rules(description: str) -> Schema:
    """A list of rules, each of which names operations."""
    return {"type": "array", "items": _RULE, "default": [], "description": description}


_TOOL: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {
            "type": ["string", "null"],
            "default": None,
            "description": "What it is called instead, but in the `ocp` format.",
        },
        "description": {
            "type": ["string", "null"],
            "minLength": 1,
            "default": None,
            "description": "What it does, in place of the description's words.",
        },
        "hidden": {
            "type": "boolean",
            "default": False,
            "description": "Whether it is no tool at all: neither listed nor callable, and no "
            "described operation of `/apis/{name}`. Declared resources and prompts may use it.",
        },
        "timeout_seconds": {
            "type": ["number", "null"],
            "exclusiveMinimum": 0,
            "maximum": DAY,
            "default": None,
            "description": "How long a call of it may take; `null` means the API's.",
        },
        "select": {
            "type": ["string", "null"],
            "minLength": 1,
            "default": None,
            "description": "A JMESPath expression over its JSON results.",
        },
        "confirm": {
            "type": ["boolean", "null"],
            "default": None,
            "description": "Whether each call has to be confirmed by a person first; `null` means "
            "as `mcp.confirm_destructive` says.",
        },
        "set": {
            "type": "object",
            "default": {},
            "description": "Arguments with the values that are always sent; callers neither see "
            "nor give them.",
        },
        "arguments": {
            "enum": ["flat", "body", None],
            "default": None,
            "description": "Whether the members of its body are arguments of their own, or the "
            "body is one argument; `null` means flat where nothing is lost.",
        },
        "mcp_headers": {
            "type": "object",
            "additionalProperties": {
                "type": "string",
                "pattern": r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$",
                "x-fault": "is no part of a header's name",
            },
            "default": {},
            "description": "Arguments (texts, integers, booleans) that modern MCP clients repeat "
            "in headers, for proxies on the way to read: `{region: Region}` is sent as "
            "`Mcp-Param-Region`.",
        },
    },
}

TOOLS: Schema = {
    "type": "object",
    "propertyNames": {"minLength": 1},
    "additionalProperties": _TOOL,
    "default": {},
    "description": "Settings of single tools, by generated name.",
}
