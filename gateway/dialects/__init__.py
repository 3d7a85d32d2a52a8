"""A Tool in the words of those who use catalogs."""

from gateway.dialects.markdown import native_page, tool_page
from gateway.dialects.ocp import ocp_tool
from gateway.dialects.registry import registry_line, registry_tools, search_apis

__all__ = [
    "native_page",
    "ocp_tool",
    "registry_line",
    "registry_tools",
    "search_apis",
    "tool_page",
]
