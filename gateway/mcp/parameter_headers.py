"""`Mcp-Param-*`: headers that repeat arguments of a call (2026-07-28, server-side validation)."""

import re
from collections.abc import Mapping
from decimal import Decimal

from gateway.catalog import Tool
from gateway.mcp.header_values import decode_value
from gateway.messages import Headers, header_values

PREFIX = "Mcp-Param-"

_NUMBER = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")


def mismatched_header(tool: Tool, arguments: Mapping[str, object], headers: Headers) -> str | None:
    """The first header that does not say what its argument says; None where all do.

    An argument that is null counts as absent, and what is absent must be so in both places.
    """
    for argument, suffix in tool.mcp_headers.items():
        name = f"{PREFIX}{suffix}"
        sent = [text.strip(" \t") for text in header_values(headers, name)]
        value = arguments.get(argument)
        if value is None and not sent:
            continue
        if value is None or len(sent) != 1 or not _says(sent[0], value):
            return name
    return None


def _says(sent: str, value: object) -> bool:
    text = decode_value(sent)
    if text is None:
        return False
    match value:
        case bool():
            return text == ("true" if value else "false")
        case str():
            return text == value
        case int() | float():
            return _number(text) == Decimal(value)
        case _:
            return False


def _number(text: str) -> Decimal | None:
    """A number as JSON writes it, in any form: `42`, `42.0` and `4.2e1` are the same."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None
