"""The OCP 1.0 context schema (opencontextprotocol.org/schemas/ocp-context.json, draft-07).

Written from the specification's documented constraints. Formats are enforced: a date-time needs a
zone, and an `api_specs` value is an absolute URI.
"""

from collections.abc import Mapping, Sequence
from typing import NoReturn

import jsonschema_rs

from gateway.context.model import MAX_RECENT_CHANGES, SCHEMA_ID, SPEC_NAME

# jsonschema-rs 0.60 takes the characters from `*` to `/` for digits in a date-time.
_RFC3339 = (
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]+)?"
    "(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
_TIME = {"type": "string", "format": "date-time", "pattern": _RFC3339}
_OPTIONAL_TEXT = {"type": ["string", "null"]}

_ENTRIES: dict[str, object] = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["timestamp", "action"],
        "properties": {
            "timestamp": _TIME,
            "action": {"type": "string"},
            "api_endpoint": _OPTIONAL_TEXT,
            "result": _OPTIONAL_TEXT,
            "metadata": {"type": "object"},
        },
    },
}

CONTEXT_SCHEMA: dict[str, object] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "OCP 1.0 context",
    "type": "object",
    "additionalProperties": False,
    "required": ["context_id", "agent_type", "created_at", "last_updated"],
    "properties": {
        "context_id": {"type": "string", "pattern": f"^{SCHEMA_ID}$"},
        "agent_type": {"type": "string"},
        "created_at": _TIME,
        "last_updated": _TIME,
        "user": _OPTIONAL_TEXT,
        "workspace": _OPTIONAL_TEXT,
        "current_file": _OPTIONAL_TEXT,
        "current_goal": _OPTIONAL_TEXT,
        "context_summary": _OPTIONAL_TEXT,
        "error_context": _OPTIONAL_TEXT,
        "recent_changes": {
            "type": "array",
            "items": {"type": "string"},
            "maxItems": MAX_RECENT_CHANGES,
        },
        "session": {
            "type": "object",
            "required": ["start_time", "interaction_count", "agent_type"],
            "properties": {
                "start_time": _TIME,
                "interaction_count": {"type": "integer", "minimum": 0},
                "agent_type": {"type": "string"},
            },
        },
        "history": _ENTRIES,
        "api_specs": {
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {f"^{SPEC_NAME}$": {"type": "string", "format": "uri"}},
        },
    },
}


def _deny(uri: str) -> NoReturn:
    raise ValueError(f"no schema is ever fetched: {uri}")


def _validator(schema: dict[str, object]) -> jsonschema_rs.Draft7Validator:
    # The library would open files and URLs for a reference; no schema here has any.
    return jsonschema_rs.Draft7Validator(
        schema, validate_formats=True, ignore_unknown_formats=False, retriever=_deny
    )


_CONTEXT = _validator(CONTEXT_SCHEMA)
_HISTORY = _validator(_ENTRIES)


def is_valid_context(value: object) -> bool:
    """Whether plain JSON values, such as orjson reads and writes, obey the context schema."""
    return _CONTEXT.is_valid(value)


def are_valid_entries(value: Sequence[Mapping[str, object]]) -> bool:
    """Whether plain JSON values are history entries as the context schema has them."""
    return _HISTORY.is_valid(value)
