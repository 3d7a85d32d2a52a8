"""A Tool in the words of those who use catalogs."""

from gateway.dialects.ocp import ocp_tool
from gateway.dialects.registry import registry_line, registry_tools, search_apis

__all__ = ["ocp_tool", "registry_line", "registry_tools", "search_apis"]
