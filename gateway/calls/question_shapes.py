"""The shapes of what a client can be asked, as JSON Schemas (MCP 2025-11-25 and 2026-07-28)."""

from gateway.calls.block_shapes import (
    BLOCKS,
    LAST_MODIFIED,
    MAX_INTEGER,
    TEXT,
    TEXTS,
    Json,
    members,
    typed,
)
from gateway.calls.client_uris import MAX_URI

_NUMBER: Json = {"type": "number"}
_COUNT: Json = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
_SHARE: Json = {"type": "number", "minimum": 0, "maximum": 1}
_CHOICES: Json = {"type": "array", "items": members("const", "title", const=TEXT, title=TEXT)}
_SAID: Json = {"title": TEXT, "description": TEXT}
# PrimitiveSchemaDefinition.
_FIELD: Json = {
    "anyOf": [
        typed(
            "string",
            **_SAID,
            default=TEXT,
            minLength=_COUNT,
            maxLength=_COUNT,
            format={"enum": ["email", "uri", "date", "date-time"]},
            enum=TEXTS,
            enumNames=TEXTS,
            oneOf=_CHOICES,
        ),
        members(
            "type",
            **_SAID,
            type={"enum": ["number", "integer"]},
            default=_NUMBER,
            minimum=_NUMBER,
            maximum=_NUMBER,
        ),
        typed("boolean", **_SAID, default={"type": "boolean"}),
        typed(
            "array",
            "items",
            **_SAID,
            default=TEXTS,
            minItems=_COUNT,
            maxItems=_COUNT,
            items={
                "anyOf": [typed("string", "enum", enum=TEXTS), members("anyOf", anyOf=_CHOICES)]
            },
        ),
    ]
}

FORM = members(
    "message",
    "requestedSchema",
    message=TEXT,
    requestedSchema=typed(
        "object",
        "properties",
        properties={"type": "object", "additionalProperties": _FIELD},
        required=TEXTS,
    )
    | {"patternProperties": {r"^\$schema$": TEXT}},
)
URL = members(
    "message",
    "url",
    message=TEXT,
    url={"type": "string", "maxLength": MAX_URI},
    elicitationId=TEXT,
)
ROOTS = members()


def _closed(shape: Json) -> Json:
    """Nothing else: what is deep inside a question is not looked through for `_meta`."""
    properties = shape["properties"]
    known = properties if isinstance(properties, dict) else {}
    kept = {name: value for name, value in known.items() if name != "_meta"}
    return {**shape, "properties": kept, "additionalProperties": False}


# In a result a date that is none is left out; questions go on word for word.
_DATED = members(annotations=members(lastModified={"pattern": LAST_MODIFIED}))
_SHOWN: Json = {
    **_DATED,
    "anyOf": [_closed(BLOCKS[word]) for word in ("text", "image", "audio")],
}
_SPOKEN: Json = {
    "anyOf": [
        _SHOWN,
        _closed(typed("tool_use", "id", "name", "input", id=TEXT, name=TEXT, input=members())),
        _closed(
            typed(
                "tool_result",
                "toolUseId",
                "content",
                toolUseId=TEXT,
                content={"type": "array", "items": _SHOWN},
                structuredContent=members(),
                isError={"type": "boolean"},
            )
        ),
    ]
}
_TOOL = _closed(
    members(
        "name",
        "inputSchema",
        name=TEXT,
        title=TEXT,
        description=TEXT,
        inputSchema=typed(
            "object",
            properties={"type": "object", "additionalProperties": {"type": "object"}},
            required=TEXTS,
        )
        | {"patternProperties": {r"^\$schema$": TEXT}},
    )
)
SAMPLING = members(
    "messages",
    "maxTokens",
    maxTokens={"type": "integer", "minimum": 1, "maximum": MAX_INTEGER},
    messages={
        "type": "array",
        "items": _closed(
            members(
                "role",
                "content",
                role={"enum": ["user", "assistant"]},
                content={"anyOf": [_SPOKEN, {"type": "array", "items": _SPOKEN}]},
            )
        ),
    },
    modelPreferences=members(
        hints={"type": "array", "items": members(name=TEXT)},
        costPriority=_SHARE,
        speedPriority=_SHARE,
        intelligencePriority=_SHARE,
    ),
    systemPrompt=TEXT,
    temperature=_NUMBER,
    stopSequences=TEXTS,
    tools={"type": "array", "items": _TOOL},
    toolChoice=members(mode={"enum": ["auto", "none", "required"]}),
)
