"""The shapes of MCP's content blocks, as JSON Schemas, narrowed where clients are particular."""

from collections.abc import Mapping

from gateway.calls.client_uris import MAX_URI

Json = dict[str, object]

TEXT: Json = {"type": "string"}
TEXTS: Json = {"type": "array", "items": TEXT}
_MEDIA_TYPE: Json = {"type": "string", "pattern": "^[!-~]+/[ -~]+$", "maxLength": 255}
# RFC 3986 section 3; clients parse it, and refuse the whole result where they cannot.
_URI: Json = {
    "type": "string",
    "pattern": "^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$",
    "maxLength": MAX_URI,
}
MAX_INTEGER = 2**53 - 1
"""RFC 8259 section 6: what every reader of JSON has exactly. Clients refuse more."""
# RFC 3339, with the days that each month has, and without its small letters and leap seconds.
LAST_MODIFIED = (
    r"^(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    r"|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$"
)


def members(*required: str, **properties: object) -> Json:
    """An object with these members; others do not matter."""
    return {"type": "object", "required": list(required), "properties": properties}


def typed(word: str, *required: str, **properties: object) -> Json:
    """As `members`, with `type`."""
    return members("type", *required, type={"const": word}, **properties)


_ANNOTATIONS = members(
    audience={"type": "array", "items": {"enum": ["user", "assistant"]}},
    priority={"type": "number", "minimum": 0, "maximum": 1},
    lastModified=TEXT,
)
_COMMON: Json = {"annotations": _ANNOTATIONS, "_meta": {"type": "object"}}

BLOCKS: Mapping[str, Json] = {
    "text": typed("text", "text", text=TEXT, **_COMMON),
    "image": typed("image", "data", "mimeType", data=TEXT, mimeType=_MEDIA_TYPE, **_COMMON),
    "audio": typed("audio", "data", "mimeType", data=TEXT, mimeType=_MEDIA_TYPE, **_COMMON),
    "resource": typed(
        "resource",
        "resource",
        resource=members(
            "uri",
            uri=_URI,
            mimeType=_MEDIA_TYPE,
            text=TEXT,
            blob=TEXT,
            _meta={"type": "object"},
        )
        | {"oneOf": [{"required": ["text"]}, {"required": ["blob"]}]},
        **_COMMON,
    ),
    "resource_link": typed(
        "resource_link",
        "uri",
        "name",
        uri=_URI,
        name=TEXT,
        title=TEXT,
        description=TEXT,
        mimeType=_MEDIA_TYPE,
        size={"type": "integer", "minimum": 0, "maximum": MAX_INTEGER},
        **_COMMON,
    ),
}
