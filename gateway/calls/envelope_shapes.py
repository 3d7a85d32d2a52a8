"""The shapes of what an interaction may say.

Each thing has a schema of its own, chosen by its `type`, `method` or `mode`, so that a fault names
the very member and not one of ten alternatives.
"""

from collections.abc import Mapping
from functools import cache

from gateway.calls.block_shapes import BLOCKS, TEXT, Json, members
from gateway.calls.question_shapes import FORM, ROOTS, SAMPLING, URL
from gateway.calls.validation import ArgumentValidator

LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""RFC 5424 section 6.2.1, as MCP spells them, the least grave first."""
MAX_REQUESTS = 32
MAX_KEY = 128

_NOTE: Json = {"type": ["string", "null"]}
_REQUEST = members("method", method=TEXT, params={"type": "object"}, optional={"type": "boolean"})

LINES: Mapping[str, Json] = {
    "progress": members(
        "progress",
        progress={"type": "number"},
        total={"type": ["number", "null"]},
        message=_NOTE,
    ),
    "log": members("level", "data", level={"enum": list(LEVELS)}, logger=_NOTE),
    "input_required": members(
        requests={
            "type": "object",
            "maxProperties": MAX_REQUESTS,
            "propertyNames": {"minLength": 1, "maxLength": MAX_KEY},
            "additionalProperties": _REQUEST,
        }
    ),
    "result": members(content={"type": "array"}, is_error={"type": "boolean"})
    | {
        "oneOf": [{"required": ["json"]}, {"required": ["content"]}],
        # Of an answer that is JSON nothing further is said.
        "dependentRequired": {"structured": ["content"], "is_error": ["content"]},
    },
}

_ALL: Mapping[str, Json] = {
    **{f"line {word}": schema for word, schema in LINES.items()},
    **{f"block {word}": schema for word, schema in BLOCKS.items()},
    "form": FORM,
    "url": URL,
    "sampling": SAMPLING,
    "roots": ROOTS,
}


@cache
def _validator(shape: str) -> ArgumentValidator:
    return ArgumentValidator(_ALL[shape])


def misfit(shape: str, value: Mapping[str, object], at: str = "") -> str | None:
    """The first thing that is wrong with `value`, which stands at the pointer `at`; None: nothing.

    `shape`: `line TYPE`, `block TYPE`, `form`, `url`, `sampling` or `roots`.
    """
    validator = _validator(shape)
    if validator.is_valid(value):
        return None
    fault = validator.faults(value)[0]
    return f"{at}{fault.pointer}: {fault.message}" if at or fault.pointer else fault.message
