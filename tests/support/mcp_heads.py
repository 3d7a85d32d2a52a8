"""Heads of requests to `/mcp`, and what may be wrong with them."""

from base64 import b64encode
from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from tests.support.mcp_shapes import LEGACY, MODERN

Head = tuple[tuple[str, str], ...]

JSON_HEAD: Head = (
    ("Content-Type", "application/json"),
    ("Accept", "application/json, text/event-stream"),
)
HEADER_FAULTS = st.sampled_from(
    ["right"] * 12
    + ["coded name", "no version", "version twice", "legacy version", "unknown version"]
    + ["no method", "wrong method", "no name", "wrong name", "bad base64", "session id"]
    + ["no parameter", "wrong parameter", "parameter twice"]
)
VERSIONS = st.sampled_from([None, None, *LEGACY, MODERN, "2024-01-01", ""])


def modern_head(method: str, name: str | None = None, *, version: str = MODERN) -> Head:
    head = (*JSON_HEAD, ("MCP-Protocol-Version", version), ("Mcp-Method", method))
    return head if name is None else (*head, ("Mcp-Name", _spelled(name)))


def parameter_head(arguments: Mapping[str, object], headers: Mapping[str, str]) -> Head:
    """The headers that repeat arguments of a call."""
    sent = [(f"Mcp-Param-{header}", arguments.get(name)) for name, header in headers.items()]
    return tuple(
        (name, _spelled(value) if isinstance(value, str) else str(value))
        for name, value in sent
        if isinstance(value, str | int)
    )


def _spelled(name: str) -> str:
    """A header value that stands for this name, whatever it holds."""
    return name if is_plain(name) else _coded(name)


def is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and text == text.strip()


def _coded(name: str) -> str:
    return f"=?base64?{b64encode(name.encode()).decode()}?="


def spoil(head: Head, fault: str) -> Head:
    """The head with one thing wrong with it (or nothing)."""
    replaced: Mapping[str, tuple[str, Sequence[str]]] = {
        "no version": ("MCP-Protocol-Version", ()),
        "version twice": ("MCP-Protocol-Version", (MODERN, MODERN)),
        "legacy version": ("MCP-Protocol-Version", ("2025-06-18",)),
        "unknown version": ("MCP-Protocol-Version", ("2031-01-01",)),
        "no method": ("Mcp-Method", ()),
        "wrong method": ("Mcp-Method", ("tools/lost",)),
        "no name": ("Mcp-Name", ()),
        "wrong name": ("Mcp-Name", ("listitems",)),
        "bad base64": ("Mcp-Name", ("=?base64?bGlzdEl0ZW1z==?=",)),
        "coded name": ("Mcp-Name", tuple(_coded(v) for k, v in head if k == "Mcp-Name")),
        "no parameter": ("Mcp-Param-Region", ()),
        "wrong parameter": ("Mcp-Param-Size", ("-77",)),
        "parameter twice": ("Mcp-Param-Region", ("eu", "eu")),
        "session id": ("Mcp-Session-Id", ("s1.nothing.here",)),
    }
    if fault not in replaced:
        return head
    name, values = replaced[fault]
    kept = tuple(pair for pair in head if pair[0] != name)
    return (*kept, *((name, value) for value in values))


def version_head(version: str | None) -> Head:
    return () if version is None else (("MCP-Protocol-Version", version),)
