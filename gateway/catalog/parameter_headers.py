"""Arguments that MCP clients repeat in `Mcp-Param-*` headers (2026-07-28 tools, `x-mcp-header`).

A client drops a tool whose annotations break a rule, so what breaks one is not published.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

# RFC 9110 section 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
# The specification leaves `number` out: its text has more than one form.
_TYPES = ("string", "integer", "boolean")


def header_faults(
    headers: Mapping[str, str], properties: Mapping[str, object]
) -> Iterator[tuple[str, str]]:
    """Arguments whose header cannot be published, each with the reason.

    `headers` are suffixes by argument, `properties` the published schemas by argument.
    """
    counts = Counter(suffix.lower() for suffix in headers.values())
    for argument, suffix in headers.items():
        schema = properties.get(argument)
        if argument not in properties:
            yield argument, "there is no argument of this name"
        elif not isinstance(schema, Mapping) or schema.get("type") not in _TYPES:
            yield argument, f"the argument is no {' or '.join(_TYPES)}"
        elif _TOKEN.fullmatch(suffix) is None:
            yield argument, f"{suffix[:128]!r} is no part of a header's name"
        elif counts[suffix.lower()] > 1:
            yield argument, f"{suffix} is given to more than one argument"


def usable_headers(
    headers: Mapping[str, str], properties: Mapping[str, object]
) -> Mapping[str, str]:
    """Those that nothing is wrong with."""
    faulty = {argument for argument, _ in header_faults(headers, properties)}
    return {argument: header for argument, header in headers.items() if argument not in faulty}
